import { describe, expect, test } from 'vitest';
import { DEFAULT_SCORE_OPTIONS, scoreTranscripts } from '../../src/app/score.ts';
import { openCompletions } from '../../src/backends/openai-completions.ts';
import { contractSuite } from '../backends/contract/suite.ts';
import { worstDifference } from './compare.ts';
import { writeConversations } from './conversations.ts';
import { RECIPES } from './recipes.ts';
import { collect, CONVERSATIONS } from './reference.ts';
import { gainsOf, type Subject } from './suite.ts';

const TOLERANCE = 2e-3;

/** What any server with `echo` gives, shown on the real vLLM: its `/v1/completions`, asked without a word that vLLM alone knows. */
export function echoSuite({ remote, reference, figures }: Subject): void {
  describe('through /v1/completions with echo alone', () => {
    test(`every token and every gain of ${CONVERSATIONS} conversations is the engine's`, async () => {
      const backend = openCompletions(remote());
      const { conversations, wholes, scored } = reference();
      const { logprobs } = await backend.score(conversations.map((ids) => ({ ids, from: 1, to: ids.length })));
      const tokens = worstDifference(wholes.engine, logprobs);
      const what = `through echo: ${logprobs.flat().length} tokens, worst difference from the engine`;
      figures.add(what, tokens, 'nats', `<= ${TOLERANCE}`);
      expect(tokens).toBeLessThanOrEqual(TOLERANCE);

      const { concurrency } = (await backend.facts()).capabilities;
      const run = { backend, options: DEFAULT_SCORE_OPTIONS, concurrency };
      const own = await collect(scoreTranscripts(await writeConversations(CONVERSATIONS), run));
      const gains = worstDifference(scored.map(gainsOf), own.map(gainsOf));
      const count = own.flatMap(gainsOf).length;
      figures.add(`through echo: ${count} gains, worst difference from the engine`, gains, 'nats', `<= ${TOLERANCE}`);
      expect(gains).toBeLessThanOrEqual(TOLERANCE);
    });

    const { title, version } = RECIPES.vllm;
    contractSuite(
      `echo of ${title} ${version}, the real one`,
      () =>
        Promise.resolve({
          backend: openCompletions(remote()),
          reopen: (changes) => openCompletions({ ...remote(), ...changes }),
          close: () => Promise.resolve(),
        }),
      { exact: false, tolerance: TOLERANCE, overLimit: null, liveOverLimit: null, locked: true, named: true },
    );
  });
}
