import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { errorText, TurnwiseError } from '../../core/error.ts';

export const TASKS_SCHEMA = 'turnwise-tasks/1';

const callSchema = z.union([
  z.object({ call: z.string().min(1), returns: z.string().min(1) }),
  z.object({ call: z.string().min(1), raises: z.string().min(1) }),
]);

/** A detail on which developers differ: stated in the request, or hidden until the agent asks. */
const taskKindSchema = z.object({
  kind: z.string().min(1),
  specified: z.boolean(),
  /** Ways of saying what this developer wants. */
  replies: z.array(z.string().min(1)).min(1),
});
export type TaskKind = z.infer<typeof taskKindSchema>;

const taskSchema = z.object({
  id: z.string().min(1),
  /** Tasks of one group have the same request and differ in what is hidden. */
  group: z.string().min(1),
  request: z.string().min(1),
  kinds: z.array(taskKindSchema),
  function: z.string().min(1),
  /** Code that passes every call. */
  reference: z.string().min(1),
  /** Calls that decide whether a proposal is right; the agent never sees them. */
  calls: z.array(callSchema).min(1),
});
export type Task = z.infer<typeof taskSchema>;

/** The tasks of a demo: what may be asked, what says nothing, and what is wanted. Unknown keys are ignored. */
export const taskFileSchema = z
  .object({
    schema: z.literal(TASKS_SCHEMA),
    /** Replies that tell the agent nothing. */
    uninformative: z.array(z.string().min(1)).min(1),
    kinds: z.record(z.string(), z.object({ questions: z.array(z.string().min(1)).min(1) })),
    tasks: z.array(taskSchema).min(1),
  })
  .superRefine(({ kinds, tasks }, context) => {
    const unknown = tasks.flatMap((task) => task.kinds.filter(({ kind }) => !(kind in kinds)).map(({ kind }) => kind));
    if (unknown.length > 0) context.addIssue({ code: 'custom', message: `unknown kind ${unknown[0] ?? ''}` });
    const ids = new Set(tasks.map(({ id }) => id));
    if (ids.size < tasks.length) context.addIssue({ code: 'custom', message: 'two tasks have the same id' });
  });
export type TaskFile = z.infer<typeof taskFileSchema>;

/** Reads a task file. Throws `unreadable_tasks` and `invalid_tasks`, naming the file and the first wrong field. */
export async function loadTasks(file: string): Promise<TaskFile> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    const message = `Cannot read the demo's tasks from ${file} (${errorText(cause)}); install Turnwise again.`;
    throw new TurnwiseError('environment', 'unreadable_tasks', message, { cause });
  }
  const parsed = taskFileSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') ?? '';
  throw new TurnwiseError(
    'input',
    'invalid_tasks',
    `${file}: ${where === '' ? 'the file' : where}: ${issue?.message ?? 'invalid'}; correct the file or install Turnwise again.`,
  );
}
