import type { Message } from '../src/core/message.ts';
import type { Transcript } from '../src/core/transcript.ts';
import { matchReplies, type MatchedReplies, type TokenLengths } from './matched-replies.ts';
import { questionAbout, replyThenAsk, replyThenCode, startTalk, transcriptOf, type Stage } from './talk.ts';
import type { RankingTask } from './tasks.ts';

/** An episode of three to six questions about hidden details, one of which the developer tells. */
export interface RankingEpisode {
  readonly task: RankingTask;
  readonly transcript: Transcript;
  /** Index of the telling turn. */
  readonly place: number;
  readonly tokensMatch: boolean;
}

/** Plays tasks; what the model never brought to an end is left out. */
export async function playRanking(
  tasks: readonly RankingTask[],
  stage: Stage,
  lengths: TokenLengths,
  onDone: (done: number) => void,
): Promise<RankingEpisode[]> {
  const played: RankingEpisode[] = [];
  for (const [at, task] of tasks.entries()) {
    const replies = await matchReplies(task, stage.kinds, lengths);
    const transcript = await play(task, task.hidden, { label: task.id, request: task.request, replies }, stage);
    const place = task.hidden.indexOf(task.told.kind);
    if (transcript !== null) played.push({ task, transcript, place, tokensMatch: replies.tokensMatch });
    onDone(at + 1);
  }
  return played;
}

/** An episode and its twin: the same task and telling reply, with that detail asked about last, before the code. */
export interface Twins {
  readonly earlier: RankingEpisode;
  readonly last: RankingEpisode;
}

export async function playTwins(
  episodes: readonly RankingEpisode[],
  stage: Stage,
  lengths: TokenLengths,
  onDone: (done: number) => void,
): Promise<Twins[]> {
  const twins: Twins[] = [];
  for (const [at, earlier] of episodes.entries()) {
    const { task } = earlier;
    const replies = await matchReplies(task, stage.kinds, lengths);
    const order = [...task.hidden.filter((kind) => kind !== task.told.kind), task.told.kind];
    const label = `${task.id}-last`;
    const transcript = await play(task, order, { label, request: task.last_request, replies }, stage);
    if (transcript !== null) {
      twins.push({ earlier, last: { ...earlier, transcript, place: order.length - 1 } });
    }
    onDone(at + 1);
  }
  return twins;
}

async function play(
  task: RankingTask,
  order: readonly string[],
  { label, request, replies }: { readonly label: string; readonly request: string; readonly replies: MatchedReplies },
  stage: Stage,
): Promise<Transcript | null> {
  const question = (kind: string): string => questionAbout(stage.kinds, kind, task.id);
  const talk = startTalk(label, request, question(order[0] ?? ''));
  for (const [at, kind] of order.entries()) {
    const reply = kind === task.told.kind ? replies.told : (replies.empty.get(kind) ?? '');
    const next = order[at + 1];
    const goesOn =
      next === undefined
        ? await replyThenCode(talk, reply, stage)
        : await replyThenAsk(talk, reply, question(next), stage);
    if (!goesOn) return null;
  }
  return transcriptOf(talk, task.group);
}

/** The developer's replies, the request aside, and the actions that followed them. */
export function repliesOf({ messages }: Transcript): { readonly reply: string; readonly next: string }[] {
  return messages.flatMap(({ role, content }: Message, at) =>
    role === 'user' && at > 0 ? [{ reply: content, next: messages[at + 1]?.content ?? '' }] : [],
  );
}
