import type { Backend, ScorerFacts, ScoreSequence } from '../../core/backend.ts';
import type { Message } from '../../core/message.ts';
import { inParallel } from '../../core/in-parallel.ts';
import { sequencesOf } from '../../core/plan/plan.ts';
import { DEFAULT_SCORE_OPTIONS, planTranscripts, sessionOf } from '../score.ts';
import { unknownCheck, type Check } from './check.ts';
import { probeMessages, type Probe } from './probes.ts';

/** Turns of the conversation that is timed; it is laid together from several probes. */
const TURNS = 8;
/** Nobody waits longer than this many tokens. */
const LONGEST = 3000;

/**
 * Tokens a second of a whole plan, and how much faster that is than T+1 full passes (the factual history once, and every
 * masked one whole), both timed here and now, each in sessions of its own.
 */
export async function checkThroughput(
  backend: Backend,
  facts: ScorerFacts,
  probes: readonly Probe[],
  signal?: AbortSignal,
): Promise<Check> {
  const messages = longConversation(probes, facts);
  const transcript = { episode_id: 'doctor throughput', messages };
  const planned = await planTranscripts([transcript], { backend, options: DEFAULT_SCORE_OPTIONS, signal }).next();
  const plan = planned.done === true ? null : planned.value.plan;
  const turns = plan?.turns.filter((turn) => turn.nullReason === null) ?? [];
  const last = turns.at(-1);
  if (plan === null || last === undefined) {
    return unknownCheck('throughput', 'No conversation of several turns could be planned, so nothing was timed.');
  }
  const timed = await time(() => backend.score(sequencesOf(turns), { signal, session: sessionOf('doctor plan') }));
  const whole: ScoreSequence[] = [last.factual, ...turns.map(({ masked }) => ({ ...masked, from: 1 }))];
  // As many at once as it takes, or the plan would seem the faster for being asked together.
  const lanes = { width: facts.capabilities.concurrency, signal };
  const full = await time(() =>
    inParallel(whole, lanes, (sequence, ending, at) =>
      backend.score([sequence], { signal: ending, session: sessionOf('doctor full pass', at) }),
    ),
  );
  const { tokensEvaluated } = timed.result;
  const overLimit = tokensEvaluated === null ? null : tokensEvaluated / plan.limit;
  const faster = full.seconds / timed.seconds;
  const passes = whole.reduce((sum, { ids }) => sum + ids.length, 0);
  const wasteful = overLimit !== null && overLimit > 1.5;
  return {
    id: 'throughput',
    state: wasteful ? 'warn' : 'ok',
    values: [
      { name: 'plan scored', value: (tokensEvaluated ?? plan.limit) / timed.seconds, unit: 'tokens/s' },
      { name: 'tokens evaluated over the causal limit', value: overLimit, unit: '' },
      { name: 'times as fast as full passes', value: faster, unit: '' },
      { name: 'bound of that by tokens', value: passes / plan.limit, unit: '' },
      { name: 'turns', value: turns.length, unit: 'turns' },
    ],
    sentence: wasteful
      ? 'The server evaluates far more tokens than it must; switch on its prefix cache for scoring (the advice above names the flag).'
      : `A conversation of ${turns.length} turns took ${timed.seconds.toFixed(1)} s.`,
  };
}

/** Several probes one after the other, as one conversation of up to `TURNS` turns. */
function longConversation(probes: readonly Probe[], facts: ScorerFacts): Message[] {
  const messages: Message[] = [];
  // Letters of a text are at least half as many as its tokens, in nearly any language.
  const room = Math.min(LONGEST, facts.contextSize) * 2;
  for (const probe of probes) {
    const turns = messages.filter(({ role }) => role === 'assistant').length;
    const letters = messages.reduce((sum, { content }) => sum + content.length, 0);
    if (turns > TURNS || letters > room / 2) break;
    const own = probeMessages(probe, probe.told.text);
    messages.push(...(messages.length === 0 ? own : own.filter(({ role }) => role !== 'system')));
    messages.push({ role: 'assistant', content: probe.told.next ?? `Noted: ${probe.told.text}. What else?` });
  }
  return messages;
}

async function time<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly seconds: number }> {
  const start = performance.now();
  const result = await work();
  return { result, seconds: Math.max(1e-3, (performance.now() - start) / 1000) };
}
