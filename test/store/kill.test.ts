import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { reduce } from '../../src/core/reduce.ts';
import { openJournal } from '../../src/store/journal.ts';
import { temporaryStore } from './temporary-store.ts';

const SCRIPT = fileURLToPath(new URL('append-child.ts', import.meta.url));

interface Killed {
  /** Number of the last event that was acknowledged, -1 for none. */
  readonly acknowledged: number;
  readonly signal: unknown;
}

/**
 * Runs a child that appends to an episode until it is killed: by itself after event `dieAt`, or by us, at whatever it does
 * then, as soon as `killAt` is acknowledged.
 */
async function killed(
  path: string,
  episodeId: string,
  { dieAt = 0, killAt = Infinity, manner = 'honest' }: { dieAt?: number; killAt?: number; manner?: string },
): Promise<Killed> {
  const child = spawn(process.execPath, [SCRIPT, path, episodeId, `${dieAt}`, manner], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  let acknowledged = -1;
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      expect(Number(line)).toBeGreaterThan(acknowledged);
      acknowledged = Number(line);
      if (acknowledged >= killAt) child.kill('SIGKILL');
    }
  } finally {
    child.kill('SIGKILL');
  }
  const [, signal] = (await ended) as [number | null, unknown];
  return { acknowledged, signal };
}

/** What is wrong with an episode after a kill; null when every acknowledged event is there and nothing was invented. */
function complaint(path: string, episodeId: string, { acknowledged }: Killed): string | null {
  const journal = openJournal(path);
  try {
    const events = journal.read(episodeId);
    if (events.length <= acknowledged) return `event ${acknowledged} was acknowledged, ${events.length} are there`;
    // One transaction may have been finished and not yet acknowledged.
    if (events.length > acknowledged + 2) return `${events.length} events, though ${acknowledged} was the last`;
    for (const { seq, body } of events.slice(1)) {
      const text = body.type === 'request_accepted' ? body.text : body.type;
      if (!text.startsWith(`${episodeId} number ${seq} `)) return `event ${seq} says ${text.slice(0, 40)}`;
    }
    return reduce(events).lastSeq === events.length - 1 ? null : 'it does not reduce';
  } finally {
    journal.close();
  }
}

test('killed again and again while it appends: every acknowledged event is there, in order, and nothing else', async () => {
  const path = temporaryStore();
  let acknowledged = -1;
  for (const more of [1, 7, 40, 3, 90]) {
    const end = await killed(path, 'e', { killAt: acknowledged + more });
    expect(end.signal).toBe('SIGKILL');
    expect(complaint(path, 'e', end)).toBeNull();
    acknowledged = end.acknowledged;
  }
  expect(acknowledged).toBeGreaterThan(100);
});

test('two processes that make the store at once, and die in the middle of their work', async () => {
  const path = temporaryStore();
  const ends = await Promise.all([killed(path, 'a', { killAt: 30 }), killed(path, 'b', { killAt: 60 })]);
  expect(complaint(path, 'a', ends[0])).toBeNull();
  expect(complaint(path, 'b', ends[1])).toBeNull();
});

test('death right after an acknowledgement: the event is there; who acknowledges too early is caught', async () => {
  const path = temporaryStore();
  const honest = await killed(path, 'honest', { dieAt: 5 });
  expect(honest).toEqual({ acknowledged: 5, signal: 'SIGKILL' });
  expect(complaint(path, 'honest', honest)).toBeNull();
  const liar = await killed(path, 'liar', { dieAt: 5, manner: 'liar' });
  expect(complaint(path, 'liar', liar)).toBe('event 5 was acknowledged, 5 are there');
});
