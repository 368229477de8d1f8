import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { expect, test } from 'vitest';
import { scoreKeys } from '../../../src/app/score-store.ts';
import { reduce } from '../../../src/core/reduce.ts';
import { openJournal } from '../../../src/store/journal.ts';
import { sampleStore } from '../../app/export-fixture.ts';
import type { SampleSpec } from '../../core/dataset/sample.ts';
import { temporaryFolder } from '../../store/temporary-store.ts';
import { openChat } from './chat.ts';
import { pick, runCommand } from './dialogs.ts';
import { sharedEditor } from './editor.ts';
import { episodesIn } from './episodes.ts';

const specs: readonly SampleSpec[] = [
  { id: 'learnt-and-failed', questions: 2, passed: 0 },
  { id: 'plain-success', questions: 2, passed: 4, seed: 2 },
  { id: 'answered-at-once', questions: 0, passed: 0, seed: 3 },
  { id: 'never-scored', questions: 1, passed: null, seed: 4 },
];
const folder = temporaryFolder('review');
fill();

const editor = sharedEditor(() => ({
  settings: { 'turnwise.store.path': join(folder, 'store.db'), 'turnwise.scoring.enabled': false },
  viewport: { width: 1360, height: 900 },
}));

/** A store with four conversations, of which one learnt much and failed, and one has no score. */
function fill(): void {
  const { journal, scoredOf } = sampleStore(folder, specs);
  for (const { id } of specs.slice(0, 3)) {
    const scored = scoredOf(reduce(journal.read(id)));
    if (scored === null) continue;
    const { scorerKey, optionsKey } = scoreKeys(scored.scorer, scored.options);
    const totals = id === 'learnt-and-failed' ? [1.4, 0.05] : [0.9, -1.1];
    const turns = scored.turns.map((turn, at) => {
      const total = totals[at];
      return turn.gain === null || total === undefined ? turn : { ...turn, gain: total / 4, gain_sum: total };
    });
    journal.putScored(id, scorerKey, optionsKey, { ...scored, turns });
  }
  journal.close();
}

const stateOf = (id: string) => {
  const journal = openJournal(join(folder, 'store.db'), { readOnly: true });
  try {
    return reduce(journal.read(id));
  } finally {
    journal.close();
  }
};
const episode = (rows: Locator, id: string): Locator => rows.filter({ hasText: `please write function ${id}` });

test('the list says where scores stand and what is left to review; filters combine, say what they hide, and are cleared', async () => {
  const { page, shoot } = editor();
  const { rows, press } = episodesIn(page);
  // A chat that is shown for the first time takes the focus when it is ready, away from what is open by then.
  await openChat(page);
  await episode(rows, 'learnt-and-failed').filter({ hasText: 'nats' }).waitFor();
  expect(await rows.filter({ hasText: 'please write function' }).count()).toBe(4);
  const pane = page.locator('.pane', { has: page.getByRole('button', { name: /^Episodes/ }) });
  await pane.locator('.pane-header').filter({ hasText: '0 of 4 reviewed' }).waitFor();
  await page.locator('.activitybar .badge-content', { hasText: '4' }).waitFor();
  await episode(rows, 'learnt-and-failed').click();
  await page.keyboard.press('ArrowRight');
  await shoot('review-list');

  await press('Filter the Conversations…');
  await pick(page, 'honourable failure');
  await pick(page, 'not reviewed');
  await shoot('review-filter');
  await page.locator('.quick-input-widget').getByRole('button', { name: 'OK' }).click();
  await pane.locator('.pane-header').filter({ hasText: 'honourable failure, not reviewed' }).waitFor();
  await expect.poll(() => rows.filter({ hasText: 'please write function' }).count()).toBe(1);
  await shoot('review-filtered');
  await press('Clear the Filter');
  await expect.poll(() => rows.filter({ hasText: 'please write function' }).count()).toBe(4);
});

test('a review from the keyboard: labels, exclusion, undo, reviewed; the badge counts down, the journal has it', async () => {
  const { page, shoot } = editor();
  const { rows } = episodesIn(page);
  const first = episode(rows, 'learnt-and-failed');
  await first.click();
  const pane = page.locator('.pane', { has: page.getByRole('button', { name: /^Episodes/ }) });
  const turn = pane.getByRole('treeitem', { name: /^Turn 1, .*which bound 0/ }).first();
  if (!(await turn.isVisible())) await page.keyboard.press('ArrowRight');
  await turn.filter({ hasText: 'honourable failure' }).waitFor();
  await turn.click();
  await page.keyboard.press('4');
  await turn.filter({ hasText: 'useful' }).waitFor();
  await page.keyboard.press('x');
  await turn.filter({ hasText: 'left out' }).waitFor();
  await shoot('review-labelled');
  await page.keyboard.press('u');
  await expect.poll(() => turn.filter({ hasText: 'left out' }).count()).toBe(0);
  expect(stateOf('learnt-and-failed').turns[0]?.override).toMatchObject({ label: 'useful', excluded: false });

  await first.click();
  await page.keyboard.press('r');
  await first.filter({ hasText: 'reviewed' }).waitFor();
  await page.locator('.activitybar .badge-content', { hasText: '3' }).waitFor();
  await pane.locator('.pane-header').filter({ hasText: '1 of 4 reviewed' }).waitFor();
  expect(stateOf('learnt-and-failed').override.reviewed).toBe(true);
  // Two changes were taken as they were made, one was taken back, none is gone.
  expect(stateOf('learnt-and-failed').overrides.map(({ change, takenBack }) => [change.field, takenBack])).toEqual([
    ['label', false],
    ['excluded', true],
    ['reviewed', false],
  ]);

  // j and k go through the rows.
  const focused = pane.locator('.monaco-list-row.focused');
  const before = await focused.getAttribute('aria-label');
  await page.keyboard.press('j');
  await expect.poll(() => focused.getAttribute('aria-label')).not.toBe(before);
  await page.keyboard.press('k');
  await expect.poll(() => focused.getAttribute('aria-label')).toBe(before);
  await shoot('review-reviewed');

  await runCommand(page, 'Review the Next Conversation');
  await page.getByRole('tab', { name: /please write function/ }).waitFor();
  await shoot('review-next');
});
