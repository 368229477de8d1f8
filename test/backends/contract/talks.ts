import { DEFAULT_SCORE_OPTIONS, planTranscripts } from '../../../src/app/score.ts';
import type { Backend, ScoreSequence } from '../../../src/core/backend.ts';
import { sequencesOf, type EpisodePlan, type PlannedSequence } from '../../../src/core/plan/plan.ts';
import type { Transcript } from '../../../src/core/transcript.ts';

/** Replies whose edges tokenizers cut in odd places, and one that is empty. */
const REPLIES = [
  'two digits, please',
  '変数は total で',
  '👩‍👩‍👧 yes 🙂',
  '',
  'naïve café',
  'raise a ValueError',
  'newest first',
  'no',
];

/** A conversation about one thing with `turns` replies; the id makes it another one. */
export function writeTalk(id: string, turns: number): Transcript {
  return {
    episode_id: id,
    messages: [
      { role: 'user', content: `Sum up a list of prices, ${id}.` },
      ...Array.from({ length: turns }, (_, turn) => [
        { role: 'assistant' as const, content: `Noted ${turn}. What about case ${turn} of ${id}?` },
        { role: 'user' as const, content: REPLIES[turn % REPLIES.length] ?? '' },
      ]).flat(),
      { role: 'assistant', content: 'I WANT TO ANSWER:\ndef total(prices):\n    return round(sum(prices), 2)\n' },
    ],
  };
}

/** What scoring a conversation asks of a backend. */
export async function planTalk(backend: Backend, transcript: Transcript): Promise<EpisodePlan> {
  for await (const { plan } of planTranscripts([transcript], { backend, options: DEFAULT_SCORE_OPTIONS })) return plan;
  throw new Error('Nothing was planned.');
}

/** Factual and masked histories of a conversation, two by two. */
export async function sequencesOfTalk(backend: Backend, id: string, turns: number): Promise<PlannedSequence[]> {
  return sequencesOf((await planTalk(backend, writeTalk(id, turns))).turns);
}

/** The same histories with everything behind their first token asked for. */
export const whole = ({ ids }: ScoreSequence): ScoreSequence => ({ ids, from: 1, to: ids.length });

/** Largest difference of two lists of rows, in nats; infinite where they are not of one shape. */
export function worst(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number {
  if (a.length !== b.length || a.some((row, at) => row.length !== b[at]?.length)) return Infinity;
  return Math.max(0, ...a.flatMap((row, at) => row.map((value, k) => Math.abs(value - (b[at]?.[k] ?? Number.NaN)))));
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
