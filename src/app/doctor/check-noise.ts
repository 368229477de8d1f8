import type { Backend, ScorerFacts } from '../../core/backend.ts';
import type { MeasuredNoise } from '../../core/calibration.ts';
import { estimate, shifts } from '../../core/credit/gain.ts';
import { sessionOf } from '../score.ts';
import { largest, spreadOf, unknownCheck, type Check } from './check.ts';
import type { ProbeGains } from './probe-gains.ts';

/** How often the same pairs are scored. */
const ROUNDS = 4;
/** Mean gain, nats a token: below this nobody sees it; above the second, small gains drown. */
const HARMLESS = 0.005;
const HARMFUL = 0.05;

const OF_A_GAIN = 'largest difference of a gain';

/** What the check found out about gains, to be kept; undefined where nothing could be scored twice. */
export function measuredNoise({ values }: Check, { pairs }: Pick<ProbeGains, 'pairs'>): MeasuredNoise | undefined {
  const gain = values.find(({ name }) => name === OF_A_GAIN)?.value;
  return typeof gain === 'number' && Number.isFinite(gain) ? { gain, pairs: pairs.length, rounds: ROUNDS } : undefined;
}

/** A/A noise: the same pairs scored again and again, each time in a session of its own, so that nothing comes from a cache. */
export async function checkNoise(
  backend: Backend,
  { capabilities }: ScorerFacts,
  { pairs }: ProbeGains,
  signal?: AbortSignal,
): Promise<Check> {
  if (pairs.length === 0) return unknownCheck('noise', 'No probe could be scored, so that none could be scored again.');
  const sequences = pairs.flat();
  const rounds: (readonly (readonly number[])[])[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.push((await backend.score(sequences, { signal, session: sessionOf('doctor noise', round) })).logprobs);
  }
  const [first = [], ...others] = rounds;
  const differences = others.flatMap((rows) =>
    rows.flatMap((row, at) => row.map((value, k) => value - (first[at]?.[k] ?? NaN))),
  );
  const gainsOf = (rows: readonly (readonly number[])[]): number[] =>
    pairs.map((_, k) => estimate('shift_mean', shifts(rows[2 * k] ?? [], rows[2 * k + 1] ?? []), null));
  const firstGains = gainsOf(first);
  const gainNoise = largest(
    others.flatMap((rows) => gainsOf(rows).map((gain, k) => Math.abs(gain - (firstGains[k] ?? NaN)))),
  );
  const most = largest(differences.map(Math.abs));
  const state = gainNoise === null || gainNoise > HARMFUL ? 'fail' : gainNoise > HARMLESS ? 'warn' : 'ok';
  const promised = capabilities.deterministic && most !== 0;
  return {
    id: 'noise',
    state: promised && state === 'ok' ? 'warn' : state,
    values: [
      { name: 'largest difference of a token', value: most, unit: 'nats' },
      { name: 'sd of the differences', value: spreadOf(differences), unit: 'nats' },
      { name: OF_A_GAIN, value: gainNoise, unit: 'nats/token' },
    ],
    sentence:
      state === 'fail'
        ? 'The same text scored twice gives gains that differ as much as real ones do; switch off speculative decoding and quantised caches at the server, or choose another scorer.'
        : state === 'warn'
          ? 'Small gains are within the noise of this scorer; score with --noise 2 to see it beside every gain, or lower the load on the server.'
          : promised
            ? 'This scorer should give the same bits twice and does not; restart it, and report this if it stays so.'
            : most === 0
              ? 'The same text gives the same bits every time.'
              : 'The same text gives nearly the same numbers every time.',
  };
}
