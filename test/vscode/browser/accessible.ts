import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Frame, Page } from 'playwright-core';
import { expect } from 'vitest';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The frame of a webview that shows this element. */
export async function frameWith(page: Page, element: string): Promise<Frame> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    for (const frame of page.frames()) {
      if (
        (await frame
          .locator(element)
          .count()
          .catch(() => 0)) > 0
      )
        return frame;
    }
    await page.waitForTimeout(100);
  }
  throw new Error(`No frame shows ${element}.`);
}

/** What axe-core finds wrong in a frame on this background, a line for each kind with the elements it is about. */
export async function violationsIn(frame: Frame, behind = 'var(--vscode-sideBar-background)'): Promise<string[]> {
  if (!(await frame.evaluate<boolean>('"axe" in globalThis'))) await frame.evaluate(axe);
  // A view itself is clear; what stands behind it is the editor's side bar.
  await frame.evaluate(`document.body.style.background = '${behind}'`);
  const { violations, passes } = await frame.evaluate<AxeResults>(
    // The page is a part of the editor's: what concerns whole pages (landmarks, a level-one heading) is the editor's.
    `axe.run(document, { rules: { 'page-has-heading-one': { enabled: false }, region: { enabled: false } } })`,
  );
  // It has looked at something.
  expect(passes.length).toBeGreaterThan(10);
  return violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 160)} (${failureSummary ?? ''})`).join(' | ')}`,
  );
}
