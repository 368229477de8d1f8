import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { kilobytes } from '../../../scripts/loaded-parts.mjs';
import { openChat } from './chat.ts';
import { withEditor } from './editor.ts';

test('a fresh window shows Turnwise in the activity bar, and its agent answers the first request', async () => {
  await withEditor({}, async ({ page, look }) => {
    const chat = await openChat(page);
    await chat.type('hello');
    expect(await chat.field.inputValue()).toBe('hello');
    await chat.frame.getByRole('heading', { name: 'It asks first, then it codes' }).waitFor();
    const active = await look((vscode) => vscode.extensions.getExtension('turnwise.turnwise')?.isActive);
    expect(active).toBe(true);
    await chat.field.fill('Return the peak value. round it properly.');
    await chat.field.press('Enter');
    await chat.settled(1);
    // What this window has parsed of the extension by now.
    const files = await look(() => {
      const modules = process.getBuiltinModule('node:module') as unknown as { readonly _cache: object };
      return Object.keys(modules._cache);
    });
    const ours = files.filter((file) => /[\\/]dist[\\/](?:parts[\\/])?[^\\/]+\.cjs$/.test(file));
    const names = ours.map((file) => basename(file).replace(/-[A-Z0-9]{8}/, ''));
    console.log(`parsed until the first answer: ${kilobytes(ours).toFixed(0)} kB in ${ours.length} files`);
    expect(names).toEqual(expect.arrayContaining(['extension.cjs', 'product.cjs', 'chat.cjs']));
    expect(kilobytes(ours)).toBeLessThan(500);
  });
});
