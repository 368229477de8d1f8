import type { Backend, ChatBackend, GenerationRecord, ScorerFacts } from '../../core/backend.ts';
import { shifts } from '../../core/credit/gain.ts';
import { inParallel } from '../../core/in-parallel.ts';
import type { MaskMode } from '../../core/plan/mask.ts';
import { planEpisode, type PlannedSequence } from '../../core/plan/plan.ts';
import { prepareTranscript, type PreparedAction } from '../prepare.ts';
import { sessionOf } from '../score.ts';
import { divergenceScorer, type DivergenceScorer } from './probe-divergences.ts';
import { donorOf, probeMessages, type Probe, type ProbeReply } from './probes.ts';
import { sampleAction } from './sample-actions.ts';

/** What is probed, with what, and under which masks. */
export interface Probing {
  readonly backend: Backend;
  readonly facts: ScorerFacts;
  /** The scorer's own model, which says what it would do next; null: what is written down has to do. */
  readonly chat: ChatBackend | null;
  readonly probes: readonly Probe[];
  readonly placeholders: readonly string[];
  readonly maskMode: MaskMode;
  /** false: none are asked for; `placeboFull` is null. */
  readonly wholeDistributions?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Shifts D (spec S1, nats, one list per probe) under one placeholder. A probe whose reply is the mask itself gives none. */
export interface Shifts {
  readonly told: readonly (readonly number[])[];
  readonly silent: readonly (readonly number[])[];
  /** The told reply exchanged, in the factual pass alone, for another task's, the next action the same. */
  readonly placebo: readonly (readonly number[])[];
  /** The same replies' gains by `kl_topk`, K = `DEFAULT_TOP_K`; null where the scorer tells no distributions. */
  readonly placeboTopK: readonly number[] | null;
  /** And by `kl_full`; null where it does not tell all of a distribution, one was too large for an answer, or none was wanted. */
  readonly placeboFull: readonly number[] | null;
}

export interface ProbeGains {
  readonly byPlaceholder: ReadonlyMap<string, Shifts>;
  /** What the scorer said after the told replies, at temperature 1; empty where nothing was sampled. */
  readonly records: readonly SampledProbe[];
  /** Replies whose edges no token crosses, and replies in all. */
  readonly cut: number;
  readonly replies: number;
  readonly actions: 'sampled' | 'written';
  /** Both histories of the first replies, for checks that score them again. */
  readonly pairs: readonly (readonly PlannedSequence[])[];
}

/** A generation, and the prompt that this side rendered for it. */
export interface SampledProbe {
  /** The probe's. */
  readonly id: string;
  readonly record: GenerationRecord;
  readonly renderedIds: readonly number[];
}

/** Pairs that are kept for other checks. */
const KEPT_PAIRS = 8;

/**
 * Scores every probe after a reply that says something, after one that says nothing, and after one of another task, under every
 * placeholder: one request a reply, since its histories share all but the mask. The next action is sampled by the scorer's own
 * model where it chats, else the written one; a probe with neither is left out. Throws what the servers throw.
 */
export async function probeGains(probing: Probing): Promise<ProbeGains> {
  const { backend, facts, probes, placeholders, signal } = probing;
  const masks = await backend.tokenize(placeholders, signal);
  const scorer = divergenceScorer(backend, facts, probing.wholeDistributions ?? true);
  const jobs = probes.flatMap((probe, at) => [
    { probe, reply: probe.told, donor: donorOf(probes, at), side: 'told' as const },
    { probe, reply: probe.silent, donor: null, side: 'silent' as const },
  ]);
  let done = 0;
  const lanes = { width: facts.capabilities.concurrency, signal };
  const scored = await inParallel(jobs, lanes, async (job, ending) => {
    const result = await probeOne(job.probe, job.reply, job.donor, masks, { ...probing, scorer, signal: ending });
    done += 1;
    probing.onProgress?.(done, jobs.length);
    return { ...result, side: job.side };
  });
  const told = scored.filter(({ side }) => side === 'told');
  const silent = scored.filter(({ side }) => side === 'silent');
  const under = (at: number): Shifts => ({
    told: told.flatMap(({ gains }) => gains[at]?.own ?? []),
    silent: silent.flatMap(({ gains }) => gains[at]?.own ?? []),
    placebo: told.flatMap(({ gains }) => gains[at]?.placebo ?? []),
    placeboTopK:
      facts.capabilities.distributions === undefined ? null : told.flatMap(({ gains }) => gains[at]?.placeboTopK ?? []),
    placeboFull: scorer.allWhole() ? told.flatMap(({ gains }) => gains[at]?.placeboFull ?? []) : null,
  });
  return {
    byPlaceholder: new Map(placeholders.map((placeholder, at) => [placeholder, under(at)])),
    records: told.flatMap(({ sampled }) => sampled ?? []),
    cut: scored.filter(({ cut }) => cut === true).length,
    replies: scored.filter(({ cut }) => cut !== null).length,
    actions: probing.chat === null ? 'written' : 'sampled',
    pairs: told.flatMap(({ pair }) => (pair === null ? [] : [pair])).slice(0, KEPT_PAIRS),
  };
}

/** Zero or one list of shifts each, so that absence needs no other word. */
interface GainsUnder {
  readonly own: readonly (readonly number[])[];
  readonly placebo: readonly (readonly number[])[];
  readonly placeboTopK: readonly number[];
  readonly placeboFull: readonly number[];
}

const NO_GAINS: GainsUnder = { own: [], placebo: [], placeboTopK: [], placeboFull: [] };

interface ProbeOutcome {
  readonly gains: readonly GainsUnder[];
  readonly sampled: SampledProbe | null;
  /** Null: there was no next action to score. */
  readonly cut: boolean | null;
  readonly pair: readonly PlannedSequence[] | null;
}

const NOTHING: ProbeOutcome = { gains: [], sampled: null, cut: null, pair: null };

async function probeOne(
  probe: Probe,
  reply: ProbeReply,
  donor: string | null,
  masks: readonly (readonly number[])[],
  { backend, facts, chat, maskMode, scorer, signal }: Probing & { readonly scorer: DivergenceScorer },
): Promise<ProbeOutcome> {
  const record = chat && (await sampleAction(chat, probe, reply.text, { temperature: 1, signal }));
  const text = record?.text ?? reply.next ?? '';
  if (text === '') return NOTHING;
  const layOut = async (said: string): Promise<PreparedAction | undefined> => {
    const messages = probeMessages(probe, said);
    const before = messages.filter(({ role }) => role === 'assistant').length;
    const transcript = {
      episode_id: probe.id,
      messages: [...messages, { role: 'assistant', content: text } as const],
      action_states: [...Array<'sampled'>(before).fill('sampled'), ended(record) ? 'sampled' : 'stopped'] as const,
      ...(record?.ids ? { action_ids: [...Array.from({ length: before }, () => []), [...record.ids]] } : {}),
    };
    const actions = await prepareTranscript(
      { ...transcript, action_states: [...transcript.action_states] },
      backend,
      facts,
      signal,
    );
    return actions.at(-1);
  };
  const own = await layOut(reply.text);
  if (own === undefined) return NOTHING;
  const sampled = record && { id: probe.id, record, renderedIds: own.contextIds };
  const limits = { maskMode, contextSize: facts.contextSize };
  const planOf = (action: PreparedAction) =>
    planEpisode(
      probe.id,
      masks.map((placeholder, index) => ({
        index,
        context: action.cut,
        nextAction: own.ids,
        placeholder,
        nullReason: action.cutProblem,
      })),
      limits,
    ).turns.map((turn) => (turn.nullReason === null ? turn : null));
  const turns = planOf(own);
  const factual = turns.find((turn) => turn !== null)?.factual;
  if (factual === undefined) return { ...NOTHING, sampled, cut: own.cut !== null };
  const lent = donor === null ? undefined : await layOut(donor);
  const placebo = lent && planOf(lent).find((turn) => turn !== null)?.factual;
  const sequences = [factual, ...(placebo ? [placebo] : []), ...turns.flatMap((turn) => turn?.masked ?? [])];
  const request = { signal, session: sessionOf(`doctor ${probe.id} ${reply.text}`) };
  // Empty replies have no placebo, and nothing else needs distributions.
  const result = await (placebo ? scorer : backend).score(sequences, request);
  const row = (at: number): readonly number[] => result.logprobs[at] ?? [];
  let next = placebo ? 2 : 1;
  const gains = turns.map((turn): GainsUnder => {
    if (turn === null) return NO_GAINS;
    const masked = next;
    next += 1;
    const own = [shifts(row(0), row(masked))];
    if (!placebo) return { ...NO_GAINS, own };
    const d = shifts(row(1), row(masked));
    const ids = placebo.ids.slice(placebo.from, placebo.to);
    const { topK, full } = scorer.of({ ids, factual: row(1), masked: row(masked), d, result, at: [1, masked] });
    return { own, placebo: [d], placeboTopK: listOf(topK), placeboFull: listOf(full) };
  });
  const pair = turns[0] ? [turns[0].factual, turns[0].masked] : null;
  return { gains, sampled, cut: true, pair };
}

function listOf(value: number | null): readonly number[] {
  return value === null ? [] : [value];
}

/** A generation that ran out of tokens has no end-of-turn token. */
function ended(record: GenerationRecord | null): boolean {
  return record === null || record.finish === 'stop';
}
