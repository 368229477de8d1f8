import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../src/app/engine-process.ts';

/** What `training/write_truth_tasks.py` writes. */
const text = z.string().min(1);
const callSchema = z.union([z.object({ call: text, returns: text }), z.object({ call: text, raises: text })]);
const named = { id: text, group: text, request: text };
const checked = { function: text, code: text, calls: z.array(callSchema).min(1) };
const answered = z.object({ kind: text, replies: z.array(text).min(1) });

/** Three to six hidden details, of which the developer tells one; `last_request` names that one last. */
const rankingSchema = z.object({
  ...named,
  last_request: text,
  hidden: z.array(text).min(3).max(6),
  /** `combination` is of core, kind and value, as the list of held-out ones has it. */
  told: z.object({ kind: text, combination: text, replies: z.array(text).min(1) }),
});
export type RankingTask = z.infer<typeof rankingSchema>;

/** One to three hidden details; `line` is what the last one becomes in code, and `wrong` another value of it. */
const misledSchema = z.object({
  ...named,
  hidden: z.array(answered).min(1),
  line: text,
  wrong: z.object({ replies: z.array(text).min(1), line: text }),
  foreign: text,
  ...checked,
});
export type MisledTask = z.infer<typeof misledSchema>;

/** Everything said; `stated` and `foreign` are what needless questions can be about. */
const specifiedSchema = z.object({ ...named, stated: answered, foreign: text, ...checked });
export type SpecifiedTask = z.infer<typeof specifiedSchema>;

const truthTasksSchema = z.object({
  schema: z.literal('turnwise-truth-tasks/1'),
  kinds: z.record(z.string(), z.object({ topic: text, questions: z.array(text).min(1), empty: z.array(text).min(1) })),
  uninformative: z.array(text).min(1),
  /** Details whose words cannot be taken for an answer about another one. */
  unmistakable: z.array(text).min(1),
  ranking: z.array(rankingSchema),
  misled: z.array(misledSchema),
  specified: z.array(specifiedSchema),
});
export type TruthTasks = z.infer<typeof truthTasksSchema>;

/** The held-out tasks of the suite. */
export async function loadTruthTasks(): Promise<TruthTasks> {
  return truthTasksSchema.parse(JSON.parse(await readFile(join(packageRoot(), 'truth', 'tasks.json'), 'utf8')));
}
