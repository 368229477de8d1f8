import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { EDGES } from './edges.ts';
import { damage, damaged, damagedBytes, reordered } from './mutate.ts';
import { Reader } from './reader.ts';

/** Cases per edge; together ten thousand and more. `FUZZ_RUNS=10` draws ten times as many. */
const CASES: Readonly<Record<string, number>> = {
  sse: 1000,
  conversations: 1500,
  scores: 1200,
  'stored rows': 1600,
  plans: 1200,
  templates: 1400,
  'webview messages': 1800,
  'review messages': 700,
  settings: 900,
  'calibration files': 700,
};
const TIMES = Number(process.env['FUZZ_RUNS'] ?? 1);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20261121);
/** Most that reading a case may cost its thread, ms of its own time. */
const MOST_CPU_MS = 1000;
/** Cases in which a valid input is only written differently. */
const HARMLESS = 60;

const reader = new Reader();
afterAll(() => reader.close());

test('every edge is fuzzed, with ten thousand cases in all', () => {
  expect(Object.keys(CASES).sort()).toEqual(Object.keys(EDGES).sort());
  expect(Object.values(CASES).reduce((sum, one) => sum + one, 0)).toBeGreaterThanOrEqual(10_000);
});

test.each(Object.keys(CASES))(
  '%s: whatever comes is understood or refused by name, and soon',
  async (name) => {
    const edge = EDGES[name] ?? expect.fail('no such edge');
    const ends = new Map<string, number>();
    let dearest = 0;
    await fc.assert(
      fc.asyncProperty(damage(edge.inputs.length), async ({ input, structure, bytes }) => {
        const written = edge.write(damaged(edge.inputs[input], structure), '');
        const given = damagedBytes(Buffer.from(written), bytes);
        const answer = await reader.read(name, given);
        if (answer === null) throw new Error(`it hangs on ${JSON.stringify(given.toString('latin1').slice(0, 600))}`);
        if (answer.end === 'unexpected') {
          throw new Error(`${answer.what}\non ${JSON.stringify(given.toString('latin1').slice(0, 600))}`);
        }
        dearest = Math.max(dearest, answer.cpuMs);
        expect(answer.cpuMs).toBeLessThan(MOST_CPU_MS);
        const end = answer.end === 'refused' ? answer.reason : 'understood';
        ends.set(end, (ends.get(end) ?? 0) + 1);
      }),
      { numRuns: (CASES[name] ?? 0) * TIMES, seed: SEED, endOnFailure: false },
    );
    const counts = [...ends].map(([end, count]) => `${end} ${count}`).join(', ');
    console.log(`${name}: seed ${SEED}, ${counts}; at most ${dearest.toFixed(0)} ms of the thread`);
    // Damage that is always refused, or never, would try nothing.
    expect(ends.get('understood') ?? 0).toBeGreaterThan(0);
    if (name !== 'settings' || ends.size > 1) expect(ends.size).toBeGreaterThan(1);
  },
  240_000,
);

test.each(Object.keys(CASES))(
  '%s: the order of keys and white space change nothing',
  async (name) => {
    const edge = EDGES[name] ?? expect.fail('no such edge');
    for (const value of edge.inputs) {
      const plain = await reader.read(name, Buffer.from(edge.write(value, '')));
      expect(plain?.end === 'understood' || (name === 'sse' && plain?.end === 'refused') || name === 'templates').toBe(
        true,
      );
      await fc.assert(
        fc.asyncProperty(fc.nat({ max: 7 }), fc.constantFrom('', ' ', '\t', '  '), async (turn, space) => {
          const other = await reader.read(name, Buffer.from(edge.write(reordered(value, turn), space)));
          expect(sorted(other)).toEqual(sorted(plain));
        }),
        { numRuns: Math.ceil(HARMLESS / edge.inputs.length), seed: SEED },
      );
    }
  },
  120_000,
);

/** What was understood, whatever the order of its keys. */
function sorted(answer: Awaited<ReturnType<Reader['read']>>): unknown {
  if (answer?.end !== 'understood') return answer?.end === 'refused' ? answer.reason : answer;
  return JSON.parse(String(answer.value));
}
