import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { root } from '../../host/cache.mjs';
import { launchBrowser } from '../../host/workbench.mjs';

/** What of each kind moves, as the page computes it. */
const movingSchema = z.array(z.object({ what: z.string(), animation: z.string(), transition: z.string() }));

/** An element of each kind, with the style of the page and with one of its own, which a rule for all has to beat. */
const BODY = `
  <style>.mover::before, .mover::after { content: 'x'; animation: away 1s infinite; transition: all 1s; } @keyframes away { to { opacity: 0; } }</style>
  <div class="thinking"><i id="thinking"></i></div>
  <p class="mover" id="mover" style="animation: away 1s infinite; transition: all 1s">x</p>`;

test.each(['chat', 'review'])('the %s page stands still for who asked for less motion', async (name) => {
  const css = await readFile(join(root, 'dist/webview', `${name}.css`), 'utf8');
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.setContent(`<!DOCTYPE html><html><head><style>${css}</style></head><body>${BODY}</body></html>`);
    // With motion they move: else nothing would be shown below.
    await page.emulateMedia({ reducedMotion: 'no-preference' });
    const before = await moving(page);
    expect(before.map(({ what }) => what)).toEqual(expect.arrayContaining(['mover', 'mover::before', 'mover::after']));

    await page.emulateMedia({ reducedMotion: 'reduce' });
    expect(await moving(page)).toEqual([]);
    expect(await page.evaluate('document.getAnimations().length')).toBe(0);

    // The editor's own setting (workbench.reduceMotion) is told by a class.
    await page.emulateMedia({ reducedMotion: 'no-preference' });
    await page.evaluate("document.body.classList.add('vscode-reduce-motion')");
    expect(await moving(page)).toEqual([]);
    expect(await page.evaluate('document.getAnimations().length')).toBe(0);

    // Nothing of the page's own outranks that.
    expect(await page.evaluate(LOUD)).toEqual([]);
  } finally {
    await browser.close();
  }
});

/** Rules that say `!important` of a motion, other than to end it. */
const LOUD = `(() => {
  const found = [];
  const look = (rules) => {
    for (const rule of rules) {
      if (rule.cssRules) look(rule.cssRules);
      for (const property of ['animation-name', 'transition-property', 'transition-duration', 'scroll-behavior']) {
        const value = rule.style?.getPropertyValue(property) ?? '';
        const ends = ['none', 'auto', '0s', 'all'].includes(value);
        if (value !== '' && !ends && rule.style.getPropertyPriority(property) === 'important') found.push(rule.cssText);
      }
    }
  };
  for (const sheet of document.styleSheets) look(sheet.cssRules);
  return found;
})()`;

async function moving(page: Page): Promise<z.infer<typeof movingSchema>> {
  return movingSchema.parse(
    await page.evaluate(`['thinking', 'mover', 'mover::before', 'mover::after'].map((what) => {
      const [id, pseudo] = what.split('::');
      const style = getComputedStyle(document.getElementById(id), pseudo ? '::' + pseudo : undefined);
      return { what, animation: style.animationName, transition: style.transitionDuration };
    }).filter(({ animation, transition }) => animation !== 'none' || transition !== '0s')`),
  );
}
