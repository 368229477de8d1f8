import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openVllm } from '../../src/backends/vllm.ts';
import { openCompletions } from '../../src/backends/openai-completions.ts';
import { worstDifference } from './compare.ts';
import { checksOf, doctor } from './doctor.ts';
import { startServer, type RunningServer } from './process.ts';
import type { Subject } from './suite.ts';

const TOLERANCE = 2e-3;
const FLAG = '--logprobs-mode raw_logprobs';

/** vLLM started in another `--logprobs-mode` than its default: what the client and the doctor make of it. */
export function modesSuite(subject: Subject): void {
  describe.each(['raw_logits', 'processed_logprobs'] as const)('started with --logprobs-mode %s', (mode) => {
    let server: RunningServer;
    const remote: Subject['remote'] = () => ({ ...subject.remote(), url: server.url, apiKey: server.apiKey });
    beforeAll(async () => {
      server = await startServer('vllm', undefined, { args: ['--logprobs-mode', mode], log: `vllm-${mode}` });
    });
    afterAll(() => server.close());

    if (mode === 'raw_logits') {
      test('nothing it says is a score: the client and the doctor name the flag that mends it', async () => {
        await expect(openVllm(remote()).facts()).rejects.toMatchObject({ fault: 'unsupported', reason: 'logits' });
        await expect(openCompletions(remote()).facts()).rejects.toMatchObject({ reason: 'impossible_logprob' });
        const { code, stdout } = await doctor(remote(), 'vllm', ['--probes', 'demo']);
        const connection = checksOf(stdout).find(({ id }) => id === 'connection');
        subject.figures.add(`doctor, with ${mode}`, connection?.sentence ?? '');
        expect(connection).toMatchObject({ state: 'fail', sentence: expect.stringContaining(FLAG) as string });
        expect(code).toBe(1);
      });
      return;
    }
    test('its scores are as true as ever; its chat is found processed, and the doctor names the flag', async () => {
      const backend = openVllm(remote());
      const { conversations, wholes } = subject.reference();
      const some = conversations.slice(0, 5).map((ids) => ({ ids, from: 1, to: ids.length }));
      const { logprobs } = await backend.score(some);
      expect(worstDifference(wholes.engine.slice(0, 5), logprobs)).toBeLessThanOrEqual(TOLERANCE);
      expect((await backend.facts()).advice).toEqual([expect.stringContaining(FLAG)]);

      const { code, stdout } = await doctor(remote(), 'vllm', ['--probes', 'demo', '--replies', '6']);
      const checks = checksOf(stdout);
      const capabilities = checks.find(({ id }) => id === 'capabilities');
      subject.figures.add(`doctor, with ${mode}`, capabilities?.sentence ?? '');
      expect(capabilities).toMatchObject({ state: 'warn', sentence: expect.stringContaining(FLAG) as string });
      expect(checks.find(({ id }) => id === 'logprob_mode')?.values).toMatchObject([
        { name: 'mode of the chat', value: 'processed' },
        { name: 'as recorded', value: 'processed' },
        {},
        {},
      ]);
      expect(code).toBe(0);
    });
  });
}
