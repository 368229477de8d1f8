import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openVllm } from '../../src/backends/vllm.ts';
import { chatSuite } from './chat.ts';
import { detourSuite } from './detours.ts';
import { doctorSuite } from './doctor.ts';
import { startServer, type RunningServer } from './process.ts';
import { UNZEROED } from './recipes.ts';
import { serverSuite, type Subject } from './suite.ts';
import { echoSuite } from './vllm-echo.ts';
import { modesSuite } from './vllm-modes.ts';

/** Share of answers that a server with zeroed memory may still refuse; 5 to 20 of 100 without. */
const REFUSED = 0.01;

serverSuite({ name: 'vllm', open: openVllm, tolerance: 2e-3, limit: 1.05 }, (subject) => {
  chatSuite(subject);
  test('started as advised, it refuses next to nothing', async () => {
    const [advice = null, ...others] = (await subject.backend().facts()).advice;
    expect(others).toEqual([]);
    const [, refused = '0', of = '1'] = /refused (\d+) of (\d+) answers/.exec(advice ?? '') ?? [];
    if (advice !== null) expect(advice).toContain(`refused ${refused} of ${of}`);
    subject.figures.add('started as advised: answers refused', Number(refused), '', `<= ${REFUSED} of all`);
    expect(Number(refused) / Number(of)).toBeLessThanOrEqual(REFUSED);
  });
  const known = { kind: 'vllm', mode: 'raw', tolerance: 5e-3, reusesPrefix: true, toy: true } as const;
  doctorSuite(subject.remote, subject.figures, known);
  echoSuite(subject);
  strangerSuite(subject);
  modesSuite(subject);
});

/** Started without the product's advice, its unwritten rows hold whatever was in memory: both traps are there, and NaN besides. */
function strangerSuite(subject: Subject): void {
  describe('as a stranger starts it', () => {
    let server: RunningServer;
    const remote: Subject['remote'] = () => ({ ...subject.remote(), url: server.url, apiKey: server.apiKey });
    beforeAll(async () => {
      server = await startServer('vllm', undefined, { env: UNZEROED, log: 'vllm-stranger' });
    });
    afterAll(() => server.close());

    detourSuite(openVllm, { ...subject, server: () => server, remote });
  });
}
