import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const SUITE = join(import.meta.dirname, '../../crash/main.ts');

async function crash(...args: readonly string[]): Promise<{ code: number | null; out: string }> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', SUITE, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out };
}

// The rounds of `npm run crash`, fewer of them; a slow machine takes its time.
const PATIENCE = 300_000;

test(
  'fifty rounds of kill -9: nothing acknowledged is lost, nothing is invented, no job has two results',
  async () => {
    const { code, out } = await crash('--rounds', '50', '--seed', '7');
    expect(out).toMatch(/, 0 wrong\n$/);
    expect(out).toMatch(/^seed 7: 50 rounds, 50 kills, \d+ acknowledged/m);
    expect(out).toMatch(/power lost: 200 cut logs, 200 flips/);
    expect(out).toMatch(/engines killed in mid-answer: 1;/);
    expect(code).toBe(0);
  },
  PATIENCE,
);

test(
  'four processes at once on one store',
  async () => {
    const { code, out } = await crash('--rounds', '8', '--processes', '4', '--seed', '8');
    expect(out).toMatch(/8 rounds, 32 kills, .*, 0 wrong\n$/);
    expect(code).toBe(0);
  },
  PATIENCE,
);

test.each([
  ['early-ack', /round \d+: lost: /],
  ['torn', /is half of one transaction/],
  ['endless-lease', /nobody can take it/],
])(
  'the planted fault %s is caught',
  async (fault, words) => {
    const { code, out } = await crash('--rounds', '60', '--seed', '9', '--fault', fault);
    expect(out).toMatch(words);
    expect(code).toBe(1);
  },
  PATIENCE,
);

test('a fault that nobody knows is refused', async () => {
  expect((await crash('--fault', 'sloth')).code).toBe(2);
});
