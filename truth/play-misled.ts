import { pick, seededRandom } from '../src/app/demo/random.ts';
import type { Sandbox } from '../src/app/sandbox/sandbox.ts';
import type { Transcript } from '../src/core/transcript.ts';
import {
  proposalOf,
  proposedCode,
  questionAbout,
  replyThenAsk,
  replyThenCode,
  restatementOf,
  startTalk,
  transcriptOf,
  type Stage,
  type Talk,
} from './talk.ts';
import type { MisledTask, SpecifiedTask } from './tasks.ts';

/** A finished conversation whose proposal was run; `asked` says of each turn whether its question was needed. */
export interface Judged {
  readonly task: MisledTask | SpecifiedTask;
  readonly transcript: Transcript;
  readonly code: string;
  readonly passed: boolean;
  readonly needed: readonly boolean[];
}

/** The same task told truly, and with a wrong value for its last detail. */
export interface MisledPair {
  readonly task: MisledTask;
  readonly honest: Judged;
  readonly misled: Judged;
  /** The misled conversation with the right code put into the agent's mouth. */
  readonly corrected: Transcript;
}

/** Where conversations are played and their proposals run. */
export interface Court extends Stage {
  readonly sandbox: Sandbox;
}

export async function playMisled(
  tasks: readonly MisledTask[],
  court: Court,
  onDone: (done: number) => void,
): Promise<MisledPair[]> {
  const pairs: MisledPair[] = [];
  for (const [at, task] of tasks.entries()) {
    const told = task.hidden.map(({ kind, replies }) => ({ kind, reply: sayFor(task.id, replies), needed: true }));
    const last = told.at(-1);
    onDone(at + 1);
    if (last === undefined) continue;
    const lie = { ...last, reply: sayFor(task.id, task.wrong.replies) };
    const honest = await judged(task, await converse(`${task.id}/honest`, task, told, court), told, court);
    const misled = await judged(
      task,
      await converse(`${task.id}/misled`, task, [...told.slice(0, -1), lie], court),
      told,
      court,
    );
    if (honest === null || misled === null) continue;
    const right = restatementOf(court.kinds, last.kind, task.hidden.at(-1)?.replies[0] ?? '');
    const messages = [
      ...misled.transcript.messages.slice(0, -1),
      { role: 'assistant', content: proposalOf(task.code, right) } as const,
    ];
    pairs.push({
      task,
      honest,
      misled,
      corrected: { ...misled.transcript, episode_id: `${task.id}/corrected`, messages },
    });
  }
  return pairs;
}

/** A question, what comes back, and whether anybody needed it. */
export interface Asked {
  readonly kind: string;
  readonly reply: string;
  readonly needed: boolean;
}

/** Asks these questions one after the other and lets the model propose; null where it never does. */
export async function converse(
  label: string,
  { id, request }: { readonly id: string; readonly request: string },
  asked: readonly Asked[],
  stage: Stage,
): Promise<Talk | null> {
  const question = ({ kind }: Asked, at: number): string => questionAbout(stage.kinds, kind, `${id}/${at}`);
  const [first] = asked;
  if (first === undefined) return null;
  const talk = startTalk(label, request, question(first, 0));
  for (const [at, { reply }] of asked.entries()) {
    const next = asked[at + 1];
    const goesOn =
      next === undefined
        ? await replyThenCode(talk, reply, stage)
        : await replyThenAsk(talk, reply, question(next, at + 1), stage);
    if (!goesOn) return null;
  }
  return talk;
}

/** Runs the hidden calls. */
export async function judged(
  task: MisledTask | SpecifiedTask,
  talk: Talk | null,
  asked: readonly Asked[],
  { sandbox }: Pick<Court, 'sandbox'>,
): Promise<Judged | null> {
  if (talk === null) return null;
  const code = proposedCode(talk);
  const { passed, total } = await sandbox.runCalls({ code, calls: task.calls });
  return {
    task,
    transcript: transcriptOf(talk, task.group, passed / total),
    code,
    passed: passed === total,
    needed: asked.map(({ needed }) => needed),
  };
}

/** One wording of a value, the same in every conversation about the task. */
export function sayFor(id: string, replies: readonly string[]): string {
  return pick(seededRandom(`${id}/wording`), replies);
}
