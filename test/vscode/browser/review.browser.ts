import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Review } from '../../../src/app/review.ts';
import { DEFAULT_SCORE_OPTIONS } from '../../../src/app/score.ts';
import { scoreKeys } from '../../../src/app/score-store.ts';
import { compareScores } from '../../../src/core/compare-scores.ts';
import { reduce } from '../../../src/core/reduce.ts';
import { signed } from '../../../src/core/review.ts';
import { openJournal } from '../../../src/store/journal.ts';
import { frameWith, violationsIn } from './accessible.ts';
import { openChat } from './chat.ts';
import { runCommand } from './dialogs.ts';
import { sharedEditor } from './editor.ts';
import { episodesIn } from './episodes.ts';
import { keepPicture } from './picture.ts';
import { reviewIn, type ReviewPage } from './review-page.ts';
import { addBadTalks, ANOTHER, HOSTILE, HUGE, LONG, SCRIPTS, SQUARED, writeReviewStore } from './review-store.ts';

let folder = '';
let store = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'twr-'));
  store = await writeReviewStore(folder);
}, 400_000);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const editor = sharedEditor(() => ({
  settings: { 'turnwise.store.path': store, 'workbench.colorTheme': 'Default Dark Modern' },
  viewport: { width: 1440, height: 900 },
}));

/** Opens the review of one episode by its command, as a row of the tree does. */
async function open(episode: string, title: string): Promise<ReviewPage> {
  await editor().look(
    (vscode, id) => vscode.commands.executeCommand('turnwise.reviewEpisode', { episode: id, turn: null }),
    episode,
  );
  return reviewIn(editor().page, title);
}

/** Name of the picture, theme, and what the page's body says of it. */
const THEMES = [
  ['light', 'Default Light Modern', 'vscode-light'],
  ['contrast', 'Default High Contrast', 'vscode-high-contrast'],
  ['contrast-light', 'Default High Contrast Light', 'vscode-high-contrast-light'],
  ['dark', 'Default Dark Modern', 'vscode-dark'],
] as const;

/** A picture in test-results/, and where the README's are made anew, beside them. */
async function picture(name: string): Promise<void> {
  await editor().shoot(name);
  await keepPicture(name);
}

const readStore = <T>(read: (journal: ReturnType<typeof openJournal>) => T): T => {
  const journal = openJournal(store, { readOnly: true });
  try {
    return read(journal);
  } finally {
    journal.close();
  }
};

test('bars, tokens and log-probs are those of the ledger and the score', async () => {
  const { page } = editor();
  await openChat(page);
  const review = await open('squares-1', SQUARED);
  await review.detail.locator('.tokens').waitFor();
  const { ledger, scored } = readStore((journal) =>
    new Review({ journal, options: () => DEFAULT_SCORE_OPTIONS, progressOf: () => null }).sources('squares-1'),
  );
  for (const [at, turn] of (ledger?.turns ?? []).entries()) {
    const score = scored?.turns[at];
    if (score?.gain_sum == null || turn.gain === null || turn.advantage === null) continue;
    expect(await review.figure(at + 1, 'total')).toBe(signed(score.gain_sum, 2));
    expect(await review.figure(at + 1, 'mean')).toBe(signed(turn.gain, 3));
    expect(await review.figure(at + 1, 'advantage')).toBe(signed(turn.advantage, 3));
  }
  expect(await review.row(1).locator('.whisker.placeholders').count()).toBe(2);
  await review.frame.locator('.list').focus();
  await page.keyboard.press('j');
  await review.detail.getByRole('heading', { name: 'Turn 2' }).waitFor();
  // The words come from the tokenizer that scored, and add up to what the agent said.
  const words = review.detail.locator('.tokens .t');
  await expect.poll(async () => (await words.allInnerTexts()).join('')).toContain('decimals');
  const strongest = review.detail.locator('.largest button').first();
  await strongest.click();
  const place = Number(await review.detail.locator('.tokens .chosen').getAttribute('data-at'));
  const [factual = NaN, masked = NaN] = [
    scored?.turns[1]?.logp_factual?.[place],
    scored?.turns[1]?.logp_masked?.[place],
  ];
  expect(await review.detail.locator('[data-figure="factual"]').innerText()).toBe(signed(factual, 3));
  expect(await review.detail.locator('.probe [data-figure="masked"]').innerText()).toBe(signed(masked, 3));
  expect(await review.detail.locator('.probe [data-figure="shift"]').innerText()).toBe(signed(factual - masked, 3));
  expect(await review.detail.locator('.masked .passage').innerText()).toMatch(/^No info/);

  // Components on focus and on hover, with the arithmetic; Escape takes them away.
  await review.detail.locator('.term').first().focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Shift+Tab');
  await review.frame.getByRole('tooltip').getByText('A[1] =').waitFor();
  await page.keyboard.press('Escape');
  await review.frame.getByRole('tooltip').waitFor({ state: 'hidden' });
  await review.row(1).locator('.advantage').hover();
  await review.frame.getByRole('tooltip').getByText('A[0] =').waitFor();
  await page.mouse.move(700, 880);
});

test('every theme is clean to axe-core, and looks as the README shows it', async () => {
  const { page, look } = editor();
  const review = await reviewIn(page, SQUARED);
  // Beside it what was said, and the list with what each turn was worth.
  await look((vscode) => vscode.commands.executeCommand('turnwise.openEpisode', { type: 'episode', id: 'squares-1' }));
  await episodesIn(page).turn(1).waitFor();
  await review.frame.locator('.list').focus();
  const chat = await frameWith(page, 'tw-chat');
  const colours = () =>
    chat.evaluate<string>(
      `[...document.querySelectorAll('tw-code span')].map((one) => getComputedStyle(one).color).join()`,
    );
  await expect.poll(colours).not.toBe('');
  let before = await colours();
  for (const [name, theme, kind] of THEMES) {
    await look((vscode, id) => vscode.workspace.getConfiguration().update('workbench.colorTheme', id, true), theme);
    await review.frame.locator(`body[data-vscode-theme-kind="${kind}"]`).waitFor();
    // Code has the colours of this theme, and not for a moment those of the last one.
    await expect.poll(async () => !['', before].includes(await colours())).toBe(true);
    before = await colours();
    await picture(`review-${name}`);
    expect.soft(await violationsIn(review.frame), theme).toEqual([]);
  }
});

test('one task side by side, two scorings, and trends: the numbers of the ledgers, clean to axe-core', async () => {
  const { page } = editor();
  const review = await reviewIn(page, SQUARED);
  const looked = async (name: string): Promise<void> => {
    await picture(`review-${name}`);
    expect.soft(await violationsIn(review.frame), name).toEqual([]);
  };
  const { ledger, scorings } = readStore((journal) =>
    new Review({ journal, options: () => DEFAULT_SCORE_OPTIONS, progressOf: () => null }).sources('squares-1'),
  );

  await review.tab('Task');
  const task = review.frame.locator('section.task');
  await expect.poll(() => task.locator('tbody tr').count()).toBe(4);
  const [mean, sd, gate] = await task.locator('.figures b').allInnerTexts();
  expect([mean, sd]).toEqual([ledger?.group_mean?.toFixed(3), ledger?.group_sd?.toFixed(3)]);
  expect(gate).toBe(ledger?.gate.toFixed(3));
  // Under their parent, each at the turn where it left it; what stands before is the parent's.
  const branches = [
    task.getByRole('row', { name: /reply to turn 2/ }),
    task.getByRole('row', { name: /Turn 4, asked/ }),
  ];
  for (const [at, branch] of branches.entries()) {
    const forkedAt = [1, 3][at] ?? NaN;
    const cells = await Promise.all((await branch.getByRole('cell').all()).map((cell) => cell.getAttribute('class')));
    // The first cell is the outcome.
    expect(cells.findIndex((name) => /\bfork\b/.test(name ?? '')) - 1).toBe(forkedAt);
    expect(cells.filter((name) => /\binherited\b/.test(name ?? ''))).toHaveLength(at === 0 ? 2 : 3);
  }
  await looked('task');

  await review.tab('Compare');
  const compare = review.frame.locator('section.compare');
  await compare.waitFor();
  const [a, b] = [DEFAULT_SCORE_OPTIONS.placeholder, "I don't know."].map(
    (placeholder) => scorings.find(({ options }) => options.placeholder === placeholder) ?? expect.fail('not scored'),
  );
  const both = compareScores([a ?? expect.fail()], [b ?? expect.fail()]);
  expect(await compare.locator('[data-figure="agreement"]').innerText()).toBe(signed(both.rankAgreement ?? NaN, 3));
  expect(await compare.locator('tr.flips').count()).toBe(both.flips.length);
  await looked('compare');
  // The other way round, and one with itself.
  const sides = compare.getByRole('combobox');
  const first = (await sides.nth(0).locator('option').first().getAttribute('value')) ?? '';
  await sides.nth(1).selectOption(first);
  await sides.nth(0).selectOption(first);
  await expect.poll(() => compare.locator('[data-figure="agreement"]').innerText()).toBe('+1.000');

  await review.tab('Trends');
  const trends = review.frame.locator('section.trends');
  await expect.poll(() => trends.getByRole('img').count()).toBe(3);
  expect(await trends.innerText()).toMatch(/4 conversations, 4 scored|4 conversations, 3 scored/);
  await looked('trends');
  await review.tab('Turns');
});

test('labels, notes and leaving out by the keyboard are events; undo takes them back; the score stays', async () => {
  const { page } = editor();
  const review = await open('squares-2', ANOTHER);
  await review.row(1).waitFor();
  const before = await review.figure(1, 'total');
  await review.frame.locator('.list').focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('4');
  await review.row(1).getByTitle('useful').waitFor();
  await page.keyboard.press('n');
  await page.keyboard.type('it named the range');
  await page.keyboard.press('Enter');
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await expect.poll(() => review.row(2).getAttribute('class')).toContain('excluded');
  const override = (turn: number) => readStore((journal) => reduce(journal.read('squares-2')).turns[turn]?.override);
  await expect.poll(() => override(0)).toMatchObject({ label: 'useful', note: 'it named the range' });
  expect(override(1)?.excluded).toBe(true);
  await page.keyboard.press('u');
  await expect.poll(() => override(1)?.excluded).toBe(false);
  // Another window, or a command line, says something in between.
  const other = openJournal(store);
  other.append('squares-2', [{ type: 'override_set', turn: 2, change: { field: 'label', value: 'needless' } }]);
  other.close();
  await review.row(3).getByTitle('needless').waitFor();
  expect(override(0)).toMatchObject({ label: 'useful', note: 'it named the range' });
  expect(await review.figure(1, 'total')).toBe(before);
});

test('hostile words, other scripts, a megabyte, two hundred turns of a scorer that is gone: shown, and nothing executed', async () => {
  const { page } = editor();
  await addBadTalks(store, folder);
  const hostile = await open('hostile', 'bold');
  expect(await hostile.frame.getByRole('heading', { level: 1 }).innerText()).toBe(HOSTILE);
  expect(await hostile.frame.locator('tw-review :is(img, script, iframe, a, b[onclick])').count()).toBe(0);
  expect(await hostile.frame.evaluate('globalThis.owned === undefined')).toBe(true);

  const scripts = await open('scripts', SCRIPTS);
  const tokens = scripts.detail.locator('.tokens');
  await expect.poll(() => tokens.innerText()).toContain('את הקובץ 👍');
  expect(await tokens.innerText()).not.toContain('\uFFFD');
  await editor().shoot('review-scripts');

  const huge = await open('huge', HUGE);
  await huge.detail.getByRole('button', { name: /Show all [\d,]+ characters/ }).click();
  await expect.poll(() => huge.detail.getByText(/end$/).count()).toBe(1);

  const long = await open('long', LONG);
  await expect.poll(() => long.frame.getByRole('option').count()).toBe(200);
  await long.detail.getByText(/known to s on b/).waitFor();
  const list = long.frame.locator('.list');
  await list.focus();
  await page.keyboard.press('End');
  await long.detail.getByRole('heading', { name: 'Turn 200' }).waitFor();
  await editor().shoot('review-long');
});

test('a score that comes moves nothing that is read and draws nothing else again; a reload shows the same', async () => {
  const { page } = editor();
  const review = await open('long', LONG);
  await review.frame.evaluate(`document.querySelector('.list').scrollTop = 2000`);
  await review.frame.evaluate(`(() => {
    globalThis.drawn = new Set();
    const watch = new MutationObserver((changes) => {
      for (const { target } of changes) {
        const row = (target.nodeType === 1 ? target : target.parentElement)?.closest('tw-review-row');
        if (row) drawn.add(row.id);
      }
    });
    watch.observe(document.querySelector('.list'), { childList: true, characterData: true, subtree: true });
  })()`);
  const where = () => review.frame.evaluate<number>(`document.querySelector('.list').scrollTop`);
  const before = await where();
  expect(before).toBe(2000);
  const journal = openJournal(store);
  const [row] = journal.scoresOf('long');
  if (row === undefined) throw new Error('It was scored.');
  const { scorerKey, optionsKey } = scoreKeys(row.scorer, row.options);
  const grown = row.turns.map((turn) => (turn.index === 7 ? { ...turn, gain: 3, gain_sum: 9 } : turn));
  journal.putScored('long', scorerKey, optionsKey, { ...row, turns: grown });
  journal.close();
  await expect.poll(() => review.figure(8, 'total')).toBe('+9.00');
  expect(await where()).toBe(before);
  expect(await review.frame.evaluate('[...drawn]')).toEqual(['turn-7']);

  // By its own command the window keeps what its pages asked it to keep; a page that is torn away may not.
  await page.evaluate('globalThis.beforeReload = true');
  await runCommand(page, 'Developer: Reload Window');
  await expect
    .poll(() => page.evaluate<boolean>('globalThis.beforeReload === undefined').catch(() => false))
    .toBe(true);
  const again = await reviewIn(page, LONG);
  await expect.poll(() => again.figure(8, 'total')).toBe('+9.00');
  await again.detail.getByRole('heading', { name: 'Turn 200' }).waitFor();
});
