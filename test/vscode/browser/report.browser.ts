import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { scoreKeys } from '../../../src/app/score-store.ts';
import { reduce } from '../../../src/core/reduce.ts';
import { root } from '../../host/cache.mjs';
import { launchBrowser } from '../../host/workbench.mjs';
import { sampleStore } from '../../app/export-fixture.ts';
import type { SampleSpec } from '../../core/dataset/sample.ts';
import { temporaryFolder } from '../../store/temporary-store.ts';
import { violationsIn } from './accessible.ts';
import { turnwise } from './command-line.ts';

test('the page of turnwise report opens without a network, clean to axe-core in light and dark', async () => {
  const folder = temporaryFolder('report-page');
  fill(folder);
  await turnwise('report', '--store', join(folder, 'store.db'), '--out', join(folder, 'report'));
  const browser = await launchBrowser();
  try {
    for (const colorScheme of ['light', 'dark'] as const) {
      const context = await browser.newContext({ colorScheme, offline: true, viewport: { width: 1100, height: 900 } });
      const page = await context.newPage();
      const asked: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      const url = pathToFileURL(join(folder, 'report/index.html')).href;
      await page.goto(url);
      await page.getByRole('heading', { level: 1 }).waitFor();
      const name = `report-${colorScheme}.png`;
      await mkdir(join(root, 'test-results'), { recursive: true });
      await page.screenshot({ path: join(root, 'test-results', name), fullPage: true });
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
      expect.soft(await violationsIn(page.mainFrame(), 'var(--page)'), colorScheme).toEqual([]);
      expect(asked).toEqual([url]);
      await context.close();
    }
  } finally {
    await browser.close();
  }
});

/** Thirty conversations over some days, of which most are scored. */
function fill(folder: string): void {
  const specs = Array.from({ length: 30 }, (_, at): SampleSpec => {
    const passed = [4, 4, 0, 2, null][at % 5] ?? null;
    return { id: `talk-${at}`, questions: at % 4, passed, seed: at + 1 };
  });
  const { journal, scoredOf } = sampleStore(folder, specs, { apart: 5 * 60_000 });
  for (const { id } of specs) {
    const scored = scoredOf(reduce(journal.read(id)));
    if (scored === null) continue;
    const { scorerKey, optionsKey } = scoreKeys(scored.scorer, scored.options);
    journal.putScored(id, scorerKey, optionsKey, scored);
  }
  journal.close();
}
