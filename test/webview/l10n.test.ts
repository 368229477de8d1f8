import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type * as l10n from '../../src/webview/l10n.ts';

const german = z
  .record(z.string(), z.string())
  .parse(JSON.parse(readFileSync(resolve(import.meta.dirname, '../../l10n/bundle.l10n.de.json'), 'utf8')));

/** The helper as a page loads it whose block of words holds this text; null: a page without one. */
async function helper(block: string | null): Promise<typeof l10n> {
  vi.stubGlobal('document', {
    getElementById: (id: string) => (id === 'l10n' && block !== null ? { textContent: block } : null),
  });
  return import('../../src/webview/l10n.ts');
}

beforeEach(() => {
  vi.resetModules();
});
afterEach(() => {
  vi.unstubAllGlobals();
});

test('a page with the German words speaks German, placeholders filled', async () => {
  const { t } = await helper(JSON.stringify(german));
  expect(t('Send (Enter)')).toBe('Senden (Enter)');
  expect(t('Show {count} earlier turns', { count: 12 })).toBe('12 frühere Züge zeigen');
});

test.each([
  ['without words', null],
  ['with an empty block', ''],
  ['with a damaged block', '{"Send (Enter)": '],
  ['with words that are none', '{"Send (Enter)": 7}'],
  ['that lacks this word', '{"Other": "Anderes"}'],
])('a page %s speaks English', async (_title, block) => {
  const { t } = await helper(block);
  expect(t('Send (Enter)')).toBe('Send (Enter)');
  expect(t('Show {count} earlier turns', { count: 2 })).toBe('Show 2 earlier turns');
});

test('a placeholder that nobody fills stays, and what fills one is not read again', async () => {
  const { t } = await helper(null);
  expect(t('Turn {turn}')).toBe('Turn {turn}');
  expect(t('Turn {turn}', { turn: '{other}', other: 'x' })).toBe('Turn {other}');
});
