import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundledModel } from '../../src/app/engine-process.ts';
import { openSandbox } from '../../src/app/sandbox/sandbox.ts';
import { DEFAULT_PLACEHOLDER } from '../../src/core/calibration.ts';
import type { Figure } from '../../truth/figure.ts';
import { lastLine, markdownOf, tableOf } from '../../truth/report.ts';
import { glance, measure, play, type Played, type Section, type Study } from '../../truth/study.ts';
import { openSubject } from '../../truth/subject.ts';
import { loadTruthTasks } from '../../truth/tasks.ts';
import { ENGINE_ENTRY } from '../engine/model.ts';

/** The suite of `npm run truth`, small: its intervals are wide, so that what is held is the direction. */
const sizes = { ranking: 16, moments: 12, twins: 4, others: 12, stability: 2, probes: 0 };

const sandbox = openSandbox();
let study: Study;
let played: Played;
let figures: Figure[];
beforeAll(async () => {
  const subject = await openSubject(bundledModel(), ENGINE_ENTRY);
  study = { subject, sandbox, tasks: await loadTruthTasks(), sizes, onProgress: () => undefined };
  played = await play(study);
  figures = await measure(study, played, DEFAULT_PLACEHOLDER, []);
}, 900_000);
afterAll(async () => {
  await study.subject.close();
  await sandbox.close();
});

const found = (part: number, name: string): Figure['estimate'] =>
  (figures.find((one) => one.part === part && one.name.startsWith(name)) ?? expect.fail(`no figure ${name}`)).estimate;

describe('the signal of the bundled model means what it says', () => {
  test('gain finds the telling turn, and longest, first, last and overlap do not', () => {
    expect(played.ranking).toHaveLength(sizes.ranking);
    expect(found(1, 'telling turn ranked first by total').low).toBeGreaterThan(0.6);
    const trivial = figures.filter(({ part, name }) => part === 1 && name.startsWith('trivial'));
    expect(trivial).toHaveLength(7);
    // So few episodes can only show a ranker that is better than that.
    expect(trivial.filter(({ estimate }) => estimate.low > 0.6).map(({ name }) => name)).toEqual([]);
  });

  test('real replies stand above those of another task and above empty ones', () => {
    expect(found(3, 'real over placebo').low).toBeGreaterThan(0.6);
    expect(found(3, 'real over empty').low).toBeGreaterThan(0.6);
    expect(found(2, 'empty replies inside').high).toBeGreaterThan(0.9);
  });

  test('a misleading reply gains, fails and is marked; the right code after it is less likely for it', () => {
    expect(found(4, 'followed: total gain').low).toBeGreaterThan(0.5);
    expect(found(4, 'followed: hidden calls fail').low).toBeGreaterThan(0.5);
    expect(found(4, 'followed: the ledger marks').low).toBeGreaterThan(0.5);
    expect(found(4, 'right code forced').low).toBeGreaterThan(0.5);
    expect(found(4, 'told truly and passed: marked').high).toBeLessThan(0.5);
  });

  test('gain_nocopy falls where the action only repeats the reply', () => {
    expect(found(5, 'gain_nocopy / gain, reply repeated').high).toBeLessThan(0.9);
    expect(found(5, 'gain_nocopy / gain, code that uses it').low).toBeGreaterThan(0.9);
  });

  test('told last, before the code, the mean loses and the total does not', () => {
    expect(found(7, 'tokens of a_{t+1}').low).toBeGreaterThan(1);
    expect(found(7, 'bias of mean gain').low).toBeGreaterThan(found(7, 'bias of total gain').high);
  });
});

test('the same seeds give the same figures', async () => {
  const few = { ...study, sizes: { ...sizes, ranking: 2, moments: 2, twins: 0, others: 0 } };
  const once = await glance(few, await play(few), DEFAULT_PLACEHOLDER);
  expect(await glance(few, await play(few), DEFAULT_PLACEHOLDER)).toEqual(once);
}, 300_000);

test('the last line counts the goals and names those that are missed', () => {
  const at = (value: number): Figure => ({
    part: 3,
    name: 'real over placebo',
    unit: 'AUC',
    estimate: { value, low: value - 0.1, high: value + 0.1, n: 40 },
    goal: { is: 'at least', bound: 0.9 },
  });
  const section = (counts: boolean, ...all: Figure[]): Section => ({
    model: 'toy',
    sha256: 'abc',
    placeholder: 'x',
    why: 'the default',
    counts,
    figures: all,
  });
  expect(lastLine([section(true, at(0.95)), section(false, at(0.2))])).toBe('1 of 1 goals met.');
  expect(lastLine([section(true, at(0.95), at(0.85), at(NaN))])).toBe(
    '1 of 3 goals met; not met: (3) real over placebo, toy: 0.850 AUC [0.750, 0.950]; (3) real over placebo, toy: ? AUC [?, ?].',
  );
  const table = tableOf([section(false, at(0.2))]).join('\n');
  expect(table).toContain('(3) What says something gains more');
  expect(table).toContain('(at least 0.9)');
  expect(table).not.toContain('MISSED');
  const markdown = markdownOf([section(true, at(0.85))]).join('\n');
  expect(markdown).toContain('SHA-256 `abc`');
  expect(markdown).toContain('| (3) | real over placebo | 0.850 AUC [0.750, 0.950] | 40 | MISSED: at least 0.9 |');
});
