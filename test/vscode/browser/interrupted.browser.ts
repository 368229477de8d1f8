import { kill } from 'node:process';
import { expect, test } from 'vitest';
import { openChat } from './chat.ts';
import { withEditor } from './editor.ts';
import { isAlive } from './engines.ts';
import { chatSettings, startModelServer } from './model-server.ts';

test('the host is killed between accept and answer: the message is there, marked interrupted, and Continue works', async () => {
  const server = await startModelServer((chat) =>
    chat === 1 ? { begin: 'Which roun' } : { say: 'Which rounding do you want?' },
  );
  try {
    await withEditor({ settings: chatSettings(server) }, async ({ page, look, shoot }) => {
      const chat = await openChat(page);
      await chat.say('Round a price.');
      await chat.frame.getByText('Which roun').waitFor();

      const host = await look(() => process.pid);
      kill(host, 'SIGKILL');
      await expect.poll(() => isAlive(host)).toBe(false);
      await page.reload();
      await page.locator('.monaco-workbench').waitFor();

      const again = await openChat(page);
      await again.frame.getByText('Round a price.').waitFor();
      const goOn = again.frame.getByRole('button', { name: 'Continue' });
      await goOn.waitFor();
      await again.frame.getByText(/interrupted/i).waitFor();
      await shoot('interrupted');
      await goOn.click();
      expect(await again.settled(1)).toBe('question');
      await again.turn(1).getByText('Which rounding do you want?').waitFor();
    });
  } finally {
    await server.close();
  }
});
