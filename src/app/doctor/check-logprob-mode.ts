import { OTHER_MODEL } from './check-decode.ts';
import { meanOf, unknownCheck, type Check } from './check.ts';

/** Below 1, so that the two modes come apart. */
export const COOL = 0.5;

/** Nats a token: what no rounding explains, where the differences at temperature 1 are smaller still. */
const LEAST = 0.005;

/**
 * Raw or processed: whether a chat at another temperature reports the model's own log-probs or those of what it sampled from.
 * `warm` and `cool` are differences in nats against the scores of the same ids, of generations at temperature 1 and at
 * `COOL`; `coolLogprobs` are what the chat reported there; `recorded` is what the records of those generations claim.
 */
export function checkLogprobMode({
  warm,
  cool,
  coolLogprobs,
  recorded,
}: {
  readonly warm: readonly (readonly number[])[];
  readonly cool: readonly (readonly number[])[];
  readonly coolLogprobs: readonly number[];
  readonly recorded: 'raw' | 'processed' | null;
}): Check {
  const apart = (differences: readonly (readonly number[])[]): number | null =>
    meanOf(differences.flat().map(Math.abs));
  const [warmApart, coolApart] = [apart(warm), apart(cool)];
  if (warmApart === null || coolApart === null) {
    return unknownCheck(
      'logprob_mode',
      'The chat gave no log-probs with the ids of its own tokens, so its mode is unknown.',
    );
  }
  const noise = Math.max(LEAST, 3 * warmApart);
  const found = coolApart <= noise ? 'raw' : 'processed';
  const say = (state: Check['state'], mode: string | null, sentence: string): Check => ({
    id: 'logprob_mode',
    state,
    values: [
      { name: 'mode of the chat', value: mode, unit: '' },
      { name: 'as recorded', value: recorded, unit: '' },
      { name: 'difference at temperature 1', value: warmApart, unit: 'nats/token' },
      { name: `difference at temperature ${COOL}`, value: coolApart, unit: 'nats/token' },
    ],
    sentence,
  });
  if (!(warmApart <= OTHER_MODEL)) {
    return say(
      'fail',
      null,
      'Even at temperature 1 the log-probs of the chat are not those of the scorer, so that neither can be trusted; set the server to raw log-probs and check that both are one model.',
    );
  }
  // A model that is sure of its words says the same in both modes.
  if (Math.abs(meanOf(coolLogprobs) ?? 0) < 2 * noise) {
    return say(
      'unknown',
      null,
      'The model is too sure of its words to tell the modes apart; try another set of conversations.',
    );
  }
  if (recorded !== null && recorded !== found) {
    return say(
      'fail',
      found,
      `Log-probs of this chat are recorded as ${recorded} and are ${found}; set the server's log-prob mode to what it is documented to be, or importance weights will be wrong.`,
    );
  }
  return say(
    'ok',
    found,
    found === 'raw'
      ? "Log-probs of the chat are the model's own, whatever the temperature."
      : "Log-probs of the chat are those of what it samples from; scores are the model's own, at temperature 1.",
  );
}
