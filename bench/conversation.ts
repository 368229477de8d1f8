import type { ScoreSequence } from '../src/core/backend.ts';
import type { MaskMode } from '../src/core/plan/mask.ts';
import { planEpisode, sequencesOf, type TurnTokens } from '../src/core/plan/plan.ts';
import { generator } from './write-gguf.ts';

/** Lengths in tokens of the parts of a benchmark's conversation. */
export interface ConversationShape {
  readonly turns: number;
  readonly request: number;
  readonly reply: number;
  readonly action: number;
  /** Role markers around a reply, and from it to the next action. */
  readonly header: number;
  readonly tail: number;
  readonly placeholder: number;
}

/** A conversation that is to be scored, the way the product plans it and the way without any reuse. */
export interface Workload {
  /** Factual and masked histories, turn by turn. */
  readonly plan: readonly ScoreSequence[];
  readonly limit: number;
  /** T + 1 whole transcripts: the factual one, and one per masked reply. */
  readonly naive: readonly {
    readonly ids: readonly number[];
    readonly scored: readonly (readonly [number, number])[];
  }[];
  readonly naiveTokens: number;
}

/** Invents a conversation of random tokens below `vocabulary`. */
export function inventWorkload(shape: ConversationShape, maskMode: MaskMode, vocabulary: number): Workload {
  const random = generator(shape.turns);
  const draw = (length: number): number[] =>
    Array.from({ length }, () => 256 + Math.floor(random() * (vocabulary - 257)));
  const placeholder = draw(shape.placeholder);
  const transcript = [...draw(shape.request), ...draw(shape.action)];
  const turns: TurnTokens[] = [];
  const spans: { readonly start: number; readonly end: number; readonly action: readonly [number, number] }[] = [];
  for (let index = 0; index < shape.turns; index += 1) {
    transcript.push(...draw(shape.header));
    const before = [...transcript];
    const [reply, tail, action] = [draw(shape.reply), draw(shape.tail), draw(shape.action)];
    turns.push({
      index,
      context: [
        { ids: before, observation: false },
        { ids: reply, observation: true },
        { ids: tail, observation: false },
      ],
      nextAction: action,
      placeholder,
      nullReason: null,
    });
    transcript.push(...reply, ...tail, ...action);
    const end = transcript.length;
    spans.push({ start: before.length, end: before.length + reply.length, action: [end - action.length, end] });
  }
  const planned = planEpisode('bench', turns, { maskMode, contextSize: Number.MAX_SAFE_INTEGER });
  const plan = sequencesOf(planned.turns);
  const masks = planned.turns.map((turn) => (turn.nullReason === null ? turn.maskIds : []));
  const naive = [
    { ids: transcript, scored: spans.map(({ action }) => action) },
    ...spans.map(({ start, end, action }, index) => {
      const mask = masks[index] ?? [];
      const moved = mask.length - (end - start);
      return {
        ids: [...transcript.slice(0, start), ...mask, ...transcript.slice(end)],
        scored: [[action[0] + moved, action[1] + moved] as const],
      };
    }),
  ];
  return { plan, limit: planned.limit, naive, naiveTokens: naive.reduce((sum, { ids }) => sum + ids.length, 0) };
}
