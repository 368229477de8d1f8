import { largest, meanOf, unknownCheck, type Check } from './check.ts';

/** Nats a token on average: below this a chat and a scorer are one model; above the second they are two. */
const SAME_MODEL = 0.03;
export const OTHER_MODEL = 0.15;

/**
 * Decode against rescore: behaviour log-probs of what the chat sampled at temperature 1, against the scores of the same ids.
 * `differences` is a list per generation, a number in nats per token.
 */
export function checkDecode(differences: readonly (readonly number[])[]): Check {
  const all = differences.flat().map(Math.abs);
  const mean = meanOf(all);
  if (mean === null) {
    return unknownCheck(
      'decode',
      "The chat gave no log-probs with the ids of its own tokens; use a server that does, or the policy's behaviour log-probs stay unknown.",
    );
  }
  const state = !(mean <= OTHER_MODEL) ? 'fail' : mean > SAME_MODEL ? 'warn' : 'ok';
  return {
    id: 'decode',
    state,
    values: [
      { name: 'mean difference', value: mean, unit: 'nats/token' },
      { name: 'largest difference', value: largest(all), unit: 'nats' },
      { name: 'tokens compared', value: all.length, unit: 'tokens' },
    ],
    sentence:
      state === 'fail'
        ? "The scores of the chat's own tokens are not what the chat reported: the scorer gives other log-probs than the model's own at temperature 1, or another model answers the chat. Check the server's log-prob mode (raw log-probs), speculative decoding, and the model's name."
        : state === 'warn'
          ? 'Decoding and re-scoring differ noticeably, as quantised weights or caches make them; importance weights from this server carry that error.'
          : 'What the chat reported while it wrote is what the scorer gives afterwards.',
  };
}
