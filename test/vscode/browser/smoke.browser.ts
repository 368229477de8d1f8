import { expect, test } from 'vitest';
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
  });
});
