import { join } from 'node:path';
import { pick, seededRandom, shuffled, type Random } from '../../src/app/demo/random.ts';
import { loadTasks, type Task, type TaskFile } from '../../src/app/demo/tasks.ts';
import type { Message } from '../../src/core/message.ts';
import type { Transcript } from '../../src/core/transcript.ts';

const TASKS = join(import.meta.dirname, '../../media/demo/tasks.json');
const SEED = 'servers/1';
/** Share of the questions that get a reply which says nothing. */
const UNINFORMATIVE = 0.3;
/** Share of the conversations in which the first proposal is rejected. */
const REJECTED = 0.3;
/** Texts that tokenizers cut in odd places, some at both edges of a reply. */
const AWKWARD = [
  '日本語でお願いします',
  '👩‍👩‍👧 yes 🙂',
  ' \n spaces around \n ',
  'naïve café — “quotes”',
  'ok',
  '\u{1f1e9}\u{1f1ea}42',
];

/** Conversations in the toy's own manner about the demo's tasks, the same on every machine; some with awkward replies. */
export async function writeConversations(count: number): Promise<Transcript[]> {
  const file = await loadTasks(TASKS);
  const random = seededRandom(SEED);
  return shuffled(random, file.tasks)
    .slice(0, count)
    .map((task, at) => ({
      episode_id: `${String(at).padStart(2, '0')}-${task.id}`,
      group_id: task.group,
      messages: converse(task, file, random, at),
    }));
}

function converse(task: Task, file: TaskFile, random: Random, at: number): Message[] {
  const messages: Message[] = [{ role: 'user', content: task.request }];
  let noted = '';
  for (const { kind, replies } of shuffled(random, task.kinds)) {
    const question = pick(random, file.kinds[kind]?.questions ?? ['What else?']);
    messages.push({ role: 'assistant', content: `${noted}${question}` });
    const reply = random() < UNINFORMATIVE ? pick(random, file.uninformative) : pick(random, replies);
    messages.push({ role: 'user', content: reply });
    noted = `Noted: ${pick(random, replies)}. `;
  }
  const awkward = at % 5 === 4 ? AWKWARD[Math.floor(at / 5) % AWKWARD.length] : undefined;
  if (awkward !== undefined) {
    messages.push({ role: 'assistant', content: 'What else?' }, { role: 'user', content: awkward });
  }
  const answer = `${noted}I can do that.\nI WANT TO ANSWER:\n${task.reference.trimEnd()}`;
  messages.push({ role: 'assistant', content: answer });
  if (random() < REJECTED) {
    const complaint = `That is not right: ${pick(
      random,
      task.kinds.flatMap(({ replies }) => replies),
    )}`;
    messages.push({ role: 'user', content: complaint }, { role: 'assistant', content: answer });
  }
  return messages;
}

/**
 * A conversation of `turns` replies of about 120 tokens between actions of about 80, in which the agent restates what it heard
 * before it asks on. Servers that keep whole blocks of 32 tokens compute half a block more at each fork, whatever its length.
 */
export async function writeLongConversation(turns: number): Promise<Transcript> {
  const file = await loadTasks(TASKS);
  const random = seededRandom(`${SEED}/long/${turns}`);
  const phrases = file.tasks.flatMap(({ kinds }) => kinds.flatMap(({ replies }) => replies));
  const questions = Object.values(file.kinds).flatMap((kind) => kind.questions);
  const several = (count: number): string => Array.from({ length: count }, () => pick(random, phrases)).join(', ');
  const ask = (): string => `Noted: ${several(13)}. ${pick(random, questions)}`;
  const messages: Message[] = [{ role: 'user', content: pick(random, file.tasks).request }];
  for (let turn = 0; turn < turns; turn += 1) {
    messages.push({ role: 'assistant', content: ask() }, { role: 'user', content: several(23) });
  }
  messages.push({ role: 'assistant', content: ask() });
  return { episode_id: `long-${turns}`, messages };
}
