import type { Backend, ChatBackend, ScorerFacts, ScorerIdentity } from '../../core/backend.ts';
import { DEFAULT_PLACEHOLDER, NO_CALIBRATION, type Calibration } from '../../core/calibration.ts';
import { errorText, TurnwiseError } from '../../core/error.ts';
import type { MaskMode } from '../../core/plan/mask.ts';
import { checkCapabilities } from './check-capabilities.ts';
import { checkDecode } from './check-decode.ts';
import { checkFitness, measureFitness } from './check-fitness.ts';
import { checkLogprobMode, COOL } from './check-logprob-mode.ts';
import { checkNoise, measuredNoise } from './check-noise.ts';
import { checkPlacebo, measurePlacebo } from './check-placebo.ts';
import { checkTemplate } from './check-template.ts';
import { checkThroughput } from './check-throughput.ts';
import { CHECK_IDS, unknownCheck, type Check, type CheckId } from './check.ts';
import { probeGains, type ProbeGains, type SampledProbe } from './probe-gains.ts';
import { someProbes, type Probe, type ProbeSet } from './probes.ts';
import { rescoreDifferences } from './rescore.ts';
import { sampleAction } from './sample-actions.ts';

/** Placeholders that are tried unasked: the default, another common one, and empty phrases themselves (spec S1). */
export const PLACEHOLDERS = [DEFAULT_PLACEHOLDER, "I don't know.", 'not sure', 'you decide', 'no preference'] as const;

/** Enough for 50 placebo gains where some replies cannot be cut or equal a mask. */
export const DEFAULT_PROBES = 64;

/** Generations that are compared with their scores. */
const COMPARED = 8;

export interface DoctorRun {
  /** As the server answers, with no cache in front: a cache has no noise. */
  readonly backend: Backend;
  /** The same model's chat; null where it has none. */
  readonly chat: ChatBackend | null;
  readonly choose: (facts: ScorerFacts) => Promise<ProbeSet>;
  /** How many of the probes are asked. */
  readonly probes: number;
  readonly placeholders: readonly string[];
  readonly maskMode: MaskMode;
  /** false: no placebo gains by `kl_full`. Whole distributions take as long as all the rest. */
  readonly wholeDistributions?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((what: string, done: number, total: number) => void) | undefined;
}

export interface DoctorReport {
  /** Null where nothing could be learned of it. */
  readonly scorer: ScorerIdentity | null;
  readonly facts: ScorerFacts | null;
  readonly probes: { readonly name: string; readonly n: number; readonly actions: 'sampled' | 'written' } | null;
  readonly maskMode: MaskMode;
  /** In the order of `CHECK_IDS`; `connection` stands for all where it failed. */
  readonly checks: readonly Check[];
  /** What was measured, card or no card. */
  readonly calibration: Calibration;
}

/**
 * Examines a scorer: one check after the other, each a figure and a sentence. A server that fails is a failed check and the
 * others go on; only an abort, or a bundled file that is missing, is thrown.
 */
export async function examine(run: DoctorRun): Promise<DoctorReport> {
  const { backend, signal, maskMode } = run;
  run.onProgress?.('connecting', 0, 1);
  let facts: ScorerFacts;
  try {
    facts = await backend.facts(signal);
  } catch (thrown) {
    signal?.throwIfAborted();
    return unreachable(thrown, maskMode);
  }
  const set = await run.choose(facts);
  const probes = someProbes(set.probes, run.probes);
  const { chat, problem } = await chatOrNot(run, probes[0]);
  const attempt = attemptWith(signal);
  let failure: unknown = null;
  let gains: ProbeGains | null = null;
  try {
    const onProgress = (done: number, total: number): void => run.onProgress?.('probing', done, total);
    gains = await probeGains({ ...run, facts, chat, probes, onProgress });
  } catch (thrown) {
    signal?.throwIfAborted();
    failure = thrown;
  }
  const checks = [connected(problem)];
  if (gains === null) {
    checks.push(checkCapabilities(facts), failed('placebo', failure));
    return { ...reportOf(facts, set, probes, chat), maskMode, checks: complete(checks), calibration: NO_CALIBRATION };
  }
  const known = gains;
  run.onProgress?.('comparing', 0, 1);
  checks.push(await attempt('template', () => checkTemplate(backend, known, signal)));
  const noiseCheck = await attempt('noise', () => checkNoise(backend, facts, known, signal));
  checks.push(noiseCheck);
  checks.push(...(await compareWithChat(run, chat, probes, known)));
  const noise = measuredNoise(noiseCheck, known);
  const calibration = {
    placebo: measurePlacebo(known, maskMode),
    fitness: measureFitness(known, maskMode),
    ...(noise === undefined ? {} : { noise }),
  };
  const placeholder = run.placeholders[0] ?? DEFAULT_PLACEHOLDER;
  checks.push(checkPlacebo(known, facts, { placeholder, maskMode }), checkFitness(calibration.fitness, maskMode));
  run.onProgress?.('timing', 0, 1);
  checks.push(await attempt('throughput', () => checkThroughput(backend, facts, probes, signal)));
  // Last: some advice comes of what a server did meanwhile.
  checks.push(await attempt('capabilities', async () => checkCapabilities(await backend.facts(signal))));
  return { ...reportOf(facts, set, probes, chat), maskMode, checks: complete(checks), calibration };
}

/** A server that scores need not chat: then what is written down stands for what it would have said. */
async function chatOrNot(
  { chat, signal }: DoctorRun,
  probe: Probe | undefined,
): Promise<{ readonly chat: ChatBackend | null; readonly problem: string | null }> {
  if (chat === null || probe === undefined) return { chat: null, problem: null };
  try {
    await sampleAction(chat, probe, probe.told.text, { temperature: 1, signal });
    return { chat, problem: null };
  } catch (thrown) {
    signal?.throwIfAborted();
    return { chat: null, problem: errorText(thrown) };
  }
}

/** Two checks on one set of generations: at temperature 1, and at another. */
async function compareWithChat(
  { backend, signal }: DoctorRun,
  chat: ChatBackend | null,
  probes: readonly Probe[],
  gains: ProbeGains,
): Promise<Check[]> {
  if (chat === null) {
    const why = 'No chat of the same model was at hand to compare with; name a server that chats as well.';
    return [unknownCheck('logprob_mode', why), unknownCheck('decode', why)];
  }
  try {
    const warm = await rescoreDifferences(backend, gains.records.slice(0, COMPARED), signal);
    const cooled: SampledProbe[] = [];
    const rendered = new Map(gains.records.map(({ id, renderedIds }) => [id, renderedIds]));
    for (const probe of probes.slice(0, COMPARED)) {
      const record = await sampleAction(chat, probe, probe.told.text, { temperature: COOL, signal });
      cooled.push({ id: probe.id, record, renderedIds: rendered.get(probe.id) ?? [] });
    }
    const cool = await rescoreDifferences(backend, cooled, signal);
    const coolLogprobs = cooled.flatMap(({ record }) => record.logprobs ?? []);
    const recorded = cooled[0]?.record.logprobs_mode ?? null;
    return [checkLogprobMode({ warm, cool, coolLogprobs, recorded }), checkDecode(warm)];
  } catch (thrown) {
    signal?.throwIfAborted();
    return [failed('decode', thrown)];
  }
}

function attemptWith(signal: AbortSignal | undefined) {
  return async (id: CheckId, work: () => Promise<Check>): Promise<Check> => {
    try {
      return await work();
    } catch (thrown) {
      signal?.throwIfAborted();
      return failed(id, thrown);
    }
  };
}

function failed(id: CheckId, thrown: unknown): Check {
  return { id, state: 'fail', values: [], sentence: errorText(thrown) };
}

function connected(chatProblem: string | null): Check {
  if (chatProblem === null) {
    return {
      id: 'connection',
      state: 'ok',
      values: [],
      sentence: 'The server answers, and scoring passed its self-check.',
    };
  }
  const sentence = `The server scores but does not chat (${chatProblem}) So written actions stand for what it would say.`;
  return { id: 'connection', state: 'warn', values: [], sentence };
}

/** Template and tokenizer are compared at connect: a difference there is theirs to tell. */
function unreachable(thrown: unknown, maskMode: MaskMode): DoctorReport {
  const reason = thrown instanceof TurnwiseError ? thrown.reason : '';
  const id = reason === 'template_mismatch' || reason === 'tokenizer_mismatch' ? 'template' : 'connection';
  const checks = complete([failed(id, thrown)]);
  return { scorer: null, facts: null, probes: null, maskMode, checks, calibration: NO_CALIBRATION };
}

/** Every check in its place; one that was not reached says so. */
function complete(made: readonly Check[]): Check[] {
  return CHECK_IDS.flatMap((id) => {
    const check = made.find((candidate) => candidate.id === id);
    if (check !== undefined) return [check];
    return id === 'connection' ? [] : [unknownCheck(id, 'Not reached; mend what failed above, then check again.')];
  });
}

function reportOf(
  facts: ScorerFacts,
  { name }: ProbeSet,
  probes: readonly Probe[],
  chat: ChatBackend | null,
): Pick<DoctorReport, 'scorer' | 'facts' | 'probes'> {
  const actions = chat === null ? 'written' : 'sampled';
  return { scorer: facts.identity, facts, probes: { name, n: probes.length, actions } };
}
