import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { kill } from 'node:process';
import { expect, test } from 'vitest';
import { openJournal } from '../../../src/store/journal.ts';
import { openChat } from './chat.ts';
import { smallDisk } from './disk.ts';
import { withEditor } from './editor.ts';
import { isAlive } from './engines.ts';
import { episodesIn } from './episodes.ts';
import { chatSettings, startModelServer } from './model-server.ts';

test('on a full disk no words are lost, and on one that cannot be written the history is still there to read', async (context) => {
  const disk = await smallDisk();
  if (typeof disk === 'string') return context.skip(disk);
  const store = join(disk.path, 'turnwise.sqlite');
  const events = (): number => {
    const journal = openJournal(store, { readOnly: true });
    try {
      return [...journal.readAll()].length;
    } finally {
      journal.close();
    }
  };
  const server = await startModelServer((chat) => ({ say: chat === 1 ? 'Which rounding?' : 'Which unit?' }));
  try {
    const settings = { ...chatSettings(server), 'turnwise.store.path': store };
    await withEditor({ settings }, async ({ page, look, openWindow, shoot }) => {
      const chat = await openChat(page);
      await chat.say('Round a price.');
      await chat.settled(1);

      const empty = await disk.fill?.();
      await chat.type('half up, and this has to stay');
      const before = events();
      if (empty !== undefined) {
        await page.keyboard.press('Enter');
        await chat.frame.getByText(/disk that holds the store .* is full/).waitFor();
        await shoot('disk-full');
        expect(await chat.field.inputValue()).toBe('half up, and this has to stay');
        expect(events()).toBe(before);
        expect(await page.locator('.notifications-toasts .notification-list-item').count()).toBe(0);
        await empty();
      }
      await page.keyboard.press('Enter');
      await chat.settled(2);
      await chat.frame.getByText('half up, and this has to stay').waitFor();

      // Whoever has the store open has to go before a disk can be protected.
      const host = await look(() => process.pid);
      await page.close();
      if (isAlive(host)) kill(host, 'SIGKILL');
      await expect.poll(() => isAlive(host)).toBe(false);
      await disk.protect();
      const files = await readdir(disk.path);
      const other = await openWindow();
      const reading = await openChat(other);
      await reading.turn(2).getByText('Which unit?').waitFor();
      await reading.frame.getByText(/cannot be written; check the permissions/).waitFor();
      await episodesIn(other).rows.filter({ hasText: 'Round a price.' }).first().waitFor();
      await reading.type('euro');
      await other.keyboard.press('Enter');
      expect(await reading.frame.getByRole('button', { name: 'Send', exact: true }).isDisabled()).toBe(true);
      expect(await reading.field.inputValue()).toBe('euro');
      await shoot('read-only', other);
      expect(await reading.turn(3).count()).toBe(0);
      expect(await readdir(disk.path)).toEqual(files);
    });
  } finally {
    await server.close();
    await disk.remove();
  }
});
