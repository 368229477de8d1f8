import { kill } from 'node:process';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { openChat, type Chat } from './chat.ts';
import { withEditor } from './editor.ts';
import { isAlive } from './engines.ts';
import { eventsOf } from './journal-of.ts';
import { chatSettings, openTap, startModelServer, type Act } from './model-server.ts';

test('one conversation in two windows: who cannot act is told why, and of two answers at once the journal has one, which both show', async () => {
  const taps = [openTap(), openTap()];
  const acts: Act[] = [
    ...taps,
    { say: 'Which name?' },
    { say: 'Which file?' },
    { begin: 'Which lin' },
    { say: 'Which line?' },
  ];
  const model = await startModelServer((chat) => acts[chat - 1] ?? { say: 'Anything else?' });
  try {
    await withEditor({ settings: chatSettings(model) }, async ({ page, server, look, openWindow, shoot }) => {
      const answersTo = (turn: number) => eventsOf(server, 'observed').filter((event) => event.turn === turn);
      const here = await openChat(page);
      await here.say('Round a price.');
      taps[0]?.give('Which roun');
      await here.frame.getByText('Which roun').waitFor();

      // The second window shows the same conversation, and what is written there waits.
      const other = await openWindow();
      const there = await openChat(other);
      await there.frame.getByText('Round a price.').waitFor();
      await there.frame.getByText('Another window is waiting for the agent.').waitFor();
      await there.type('half up');
      await other.keyboard.press('Enter');
      expect(await there.field.inputValue()).toBe('half up');
      await shoot('other-window', other);
      taps[0]?.give('ding?');
      taps[0]?.end();
      await here.settled(1);
      await there.turn(1).getByText('Which rounding?').waitFor();
      expect(answersTo(0)).toEqual([]);
      await there.field.press('Enter');

      // The other way round: now the first window waits.
      taps[1]?.give('Which unit?\nA) euro\nB) cent');
      await here.frame.getByText('Another window is waiting for the agent.').waitFor();
      await here.frame.getByText('half up').waitFor();
      await here.type('down');
      await page.keyboard.press('Enter');
      expect(await here.field.inputValue()).toBe('down');
      taps[1]?.end();
      for (const chat of [here, there]) await chat.turn(2).getByRole('button', { name: 'cent', exact: true }).waitFor();
      expect(answersTo(0)).toMatchObject([{ text: 'half up' }]);

      // Both click at once, where they see the button: it may be gone by the time the click arrives.
      const aim = async (window: Page, chat: Chat, option: string) => {
        const button = chat.turn(2).getByRole('button', { name: option, exact: true });
        await button.hover();
        const box = await button.boundingBox();
        if (box === null) throw new Error(`No button "${option}" is shown.`);
        return () => window.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
      };
      const clicks = [await aim(page, here, 'euro'), await aim(other, there, 'cent')];
      await Promise.all(clicks.map((click) => click()));
      for (const chat of [here, there]) await chat.turn(3).getByText('Which name?').waitFor();
      const [chosen, ...more] = answersTo(1);
      expect(more).toEqual([]);
      for (const chat of [here, there]) {
        const shown = chat.turn(2).getByRole('button', { pressed: true, name: /your answer/ });
        expect(await shown.textContent()).toContain(chosen?.text);
      }

      // Both send words of their own at once; whose came too late are still there to be sent.
      await here.field.fill('total');
      await there.field.fill('price_sum');
      await Promise.all([here.field.press('Enter'), there.field.press('Enter')]);
      for (const chat of [here, there]) await chat.turn(4).getByText('Which file?').waitFor();
      const [said, ...again] = answersTo(2);
      expect(again).toEqual([]);
      const late = said?.text === 'total' ? there : here;
      expect(await late.field.inputValue()).toBe(said?.text === 'total' ? 'price_sum' : 'total');
      await shoot('both-windows', said?.text === 'total' ? other : page);
      expect(eventsOf(server, 'action_asked')).toHaveLength(4);

      // The window that the agent writes in dies: the other one need not be reloaded to go on.
      await there.field.fill('prices.py');
      await there.field.press('Enter');
      await there.frame.getByText('Which lin').waitFor();
      await here.frame.getByText('Another window is waiting for the agent.').waitFor();
      const host = await look(() => process.pid);
      await other.close();
      if (isAlive(host)) kill(host, 'SIGKILL');
      await here.frame
        .getByRole('status')
        .getByText(/The agent was interrupted/)
        .waitFor();
      await here.frame.getByRole('button', { name: 'Continue' }).click();
      await here.turn(5).getByText('Which line?').waitFor();
    });
  } finally {
    for (const tap of taps) tap.end();
    await model.close();
  }
});
