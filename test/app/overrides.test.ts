import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Overrides } from '../../src/app/overrides.ts';
import type { EventBody } from '../../src/core/event.ts';
import { NOTE_LIMIT } from '../../src/core/override.ts';
import { reduce } from '../../src/core/reduce.ts';
import { openJournal } from '../../src/store/journal.ts';
import { generationOf, started } from '../core/event-arbitrary.ts';
import { temporaryStore } from '../store/temporary-store.ts';

const asked = (turn: number): EventBody[] => [
  { type: 'action_started', turn, pid: 1 },
  { type: 'action_asked', turn, question: 'Which?', options: [], generation: generationOf('Which?') },
  { type: 'observed', turn, kind: 'typed', text: 'that', options_shown: [], option: null, latency_ms: 1 },
];
const talk: EventBody[] = [started, { type: 'request_accepted', text: 'Do it.' }, ...[0, 1, 2].flatMap(asked)];

function twoWindows() {
  const path = temporaryStore();
  const [journal, other] = [openJournal(path), openJournal(path)];
  journal.append('talk', talk);
  const told: number[] = [];
  const a = new Overrides(journal, ({ overrides }) => told.push(overrides.length));
  return { path, journal, a, b: new Overrides(other), told };
}

test('what holds already is not written again; a note loses its blanks; an empty one takes it away', async () => {
  const { journal, a, told } = twoWindows();
  await a.set('talk', 0, { field: 'label', value: 'useful' });
  await a.set('talk', 0, { field: 'label', value: 'useful' });
  await a.set('talk', 0, { field: 'note', value: '  good  ' });
  expect(reduce(journal.read('talk')).turns[0]?.override).toMatchObject({ label: 'useful', note: 'good' });
  await a.set('talk', 0, { field: 'note', value: '   ' });
  const state = reduce(journal.read('talk'));
  expect(state.turns[0]?.override.note).toBeNull();
  expect(state.overrides).toHaveLength(3);
  expect(told).toEqual([1, 2, 3]);
});

test('what cannot be is refused in words, and nothing is written', async () => {
  const { journal, a } = twoWindows();
  const long = { field: 'note', value: 'x'.repeat(NOTE_LIMIT + 1) } as const;
  await expect(a.set('talk', 9, { field: 'excluded', value: true })).rejects.toMatchObject({ reason: 'no_such_turn' });
  await expect(a.set('talk', 0, long)).rejects.toMatchObject({ reason: 'long_note' });
  await expect(a.set('nobody', null, { field: 'reviewed', value: true })).rejects.toMatchObject({
    reason: 'not_started',
  });
  expect(journal.read('talk')).toHaveLength(talk.length);
});

test('an undo takes back what this window did, not what another did in between', async () => {
  const { journal, a, b } = twoWindows();
  await a.set('talk', 0, { field: 'label', value: 'useful' });
  await b.set('talk', 1, { field: 'label', value: 'harmful' });
  expect(await a.undo('talk')).toMatchObject({ turn: 0, change: { value: 'useful' } });
  const state = reduce(journal.read('talk'));
  expect(state.turns.map(({ override }) => override.label)).toEqual([null, 'harmful', null]);
  // It has nothing of its own left: then the newest there is, whoever made it.
  expect(await a.undo('talk')).toMatchObject({ turn: 1 });
  expect(await a.undo('talk')).toBeNull();
  // The other one finds its own taken back already.
  expect(await b.undo('talk')).toBeNull();
  expect(await b.undo(null)).toBeNull();
});

test('two processes at once on one conversation lose nothing, and the last word on each field is the journal’s', async () => {
  const { path, journal } = twoWindows();
  const rounds = 25;
  const script = fileURLToPath(new URL('override-child.ts', import.meta.url));
  const ended = await Promise.all(
    [0, 1].map((me) =>
      once(
        spawn(process.execPath, [script, path, `${me}`, `${rounds}`], { stdio: ['ignore', 'inherit', 'inherit'] }),
        'exit',
      ),
    ),
  );
  expect(ended.map(([code]: unknown[]) => code)).toEqual([0, 0]);
  const state = reduce(journal.read('talk'));
  expect(state.ignored).toEqual([]);
  // Every note of both is told, the last ones hold.
  for (const me of [0, 1]) {
    const notes = state.overrides.filter(({ turn, change }) => turn === me && change.field === 'note');
    expect(notes.map(({ change }) => change.value)).toEqual(
      Array.from({ length: rounds }, (_, round) => `reviewer ${me}, round ${round}`),
    );
    expect(state.turns[me]?.override.note).toBe(`reviewer ${me}, round ${rounds - 1}`);
  }
  // On the field that both wrote, the last that stands; each took back exactly one.
  const labels = state.overrides.filter(({ turn }) => turn === 2);
  expect(labels.filter(({ takenBack }) => takenBack)).toHaveLength(2);
  expect(state.turns[2]?.override.label).toBe(labels.findLast(({ takenBack }) => !takenBack)?.change.value);
});
