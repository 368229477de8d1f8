import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { agentPrompt } from '../../core/agent-protocol.ts';
import type { ScorerFacts } from '../../core/backend.ts';
import { errorText, TurnwiseError } from '../../core/error.ts';
import type { Message } from '../../core/message.ts';
import type { Transcript } from '../../core/transcript.ts';
import { loadTasks, type TaskFile } from '../demo/tasks.ts';
import { packageRoot } from '../engine-process.ts';
import { pickBy, probesFrom, type Probe, type ProbeSet } from './probes.ts';

/** `general`: small requests about Python; `demo`: the family of tasks that the bundled toy knows; `auto`: by the model's card. */
export const PROBE_CHOICES = ['auto', 'general', 'demo'] as const;
export type ProbeChoice = (typeof PROBE_CHOICES)[number];

const conversationsSchema = z.object({
  schema: z.literal('turnwise-probes/1'),
  uninformative: z.array(z.string().min(1)).min(1),
  conversations: z
    .array(
      z.object({
        id: z.string().min(1),
        request: z.string().min(1),
        question: z.string().min(1),
        turns: z
          .array(
            z.object({ reply: z.string().min(1), next: z.string().min(1), next_if_nothing_said: z.string().min(1) }),
          )
          .min(1),
      }),
    )
    .min(1),
});

/**
 * The conversations to probe a scorer with: a person's own, or a bundled set. A toy knows nothing but its own family of tasks,
 * so its card decides under `auto`. The agent's instructions stand in front of the general ones alone: the demo's tasks are those
 * of a model that was trained without, and a person's own conversations are probed as they are scored. Throws where a bundled file
 * cannot be read.
 */
export async function chooseProbes(
  choice: ProbeChoice,
  own: readonly Transcript[] | null,
  { notice, takesAgentPrompt }: Pick<ScorerFacts, 'notice' | 'takesAgentPrompt'>,
): Promise<ProbeSet> {
  const bundled = await readBundled();
  if (own !== null) return { name: 'your own conversations', probes: probesFrom(own, bundled.uninformative) };
  if (choice === 'demo' || (choice === 'auto' && notice !== null)) {
    const tasks = await loadTasks(join(packageRoot(), 'media', 'demo', 'tasks.json'));
    return { name: "the demo's family of tasks", probes: demoProbes(tasks) };
  }
  return { name: 'the bundled conversations about Python', probes: generalProbes(bundled, takesAgentPrompt) };
}

async function readBundled(): Promise<z.infer<typeof conversationsSchema>> {
  const file = join(packageRoot(), 'media', 'doctor', 'conversations.json');
  try {
    return conversationsSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    const message = `Cannot read the conversations in ${file} (${errorText(cause)}); install Turnwise again.`;
    throw new TurnwiseError('environment', 'unreadable_probes', message, { cause });
  }
}

function generalProbes(
  { conversations, uninformative }: z.infer<typeof conversationsSchema>,
  instructed: boolean,
): Probe[] {
  return conversations.flatMap(({ id, request, question, turns }) => {
    const history: Message[] = [
      ...(instructed ? [{ role: 'system', content: agentPrompt() } as const] : []),
      { role: 'user', content: request },
      { role: 'assistant', content: question },
    ];
    return turns.map(({ reply, next, next_if_nothing_said }, index): Probe => {
      const name = `${id}/${index}`;
      const before = [...history];
      history.push({ role: 'user', content: reply }, { role: 'assistant', content: next });
      return {
        id: name,
        task: id,
        history: before,
        told: { text: reply, next },
        silent: { text: pickBy(name, uninformative), next: next_if_nothing_said },
      };
    });
  });
}

/** One probe a request of the demo: a question about the first detail that it leaves open, answered as its developer would. */
function demoProbes({ tasks, kinds, uninformative }: TaskFile): Probe[] {
  const seen = new Set<string>();
  return tasks.flatMap(({ id, group, request, kinds: own }): Probe[] => {
    const open = own.find(({ specified }) => !specified);
    if (open === undefined || seen.has(group)) return [];
    seen.add(group);
    const question = pickBy(`${id}/question`, kinds[open.kind]?.questions ?? []);
    return [
      {
        id,
        task: group,
        history: [
          { role: 'user', content: request },
          { role: 'assistant', content: question },
        ],
        told: { text: pickBy(`${id}/reply`, open.replies), next: null },
        silent: { text: pickBy(`${id}/silence`, uninformative), next: null },
      },
    ];
  });
}
