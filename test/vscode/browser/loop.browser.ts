import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { openChat, type Chat } from './chat.ts';
import { turnwise } from './command-line.ts';
import { modal, takeProposedPath, toast } from './dialogs.ts';
import { withEditor, type Editor } from './editor.ts';
import { episodesIn, gainIn } from './episodes.ts';

/** Requests of the toy model's family that leave two details open, so that it has two questions to ask. */
const REQUESTS = [
  'Return the peak value. the output needs a label; round it properly.',
  'Return the word with fewest letters. capitals vary; there may be no names.',
  'Average a list of numbers. some entries are None; round it properly; the output needs a label.',
];

/** What to answer to what the agent may ask; anything else is skipped. */
const ANSWERS: readonly (readonly [RegExp, string])[] = [
  [/round|digit|decimal|precis/i, 'keep 1 decimals'],
  [/label|word|unit|call it|end with/i, 'label it points'],
  [/none|missing|gap/i, 'just ignore missing values'],
  [/empty|nothing|no data|no values|blank/i, 'minus one'],
  [/capital|case|letter/i, 'title case'],
];

const scoreSchema = z.object({
  episode_id: z.string(),
  turns: z.array(z.object({ gain: z.number().nullable(), gain_sum: z.number().nullable() })),
});
const rowSchema = z.object({
  episode_id: z.string(),
  messages: z.array(z.object({ role: z.string(), content: z.string() })),
  input_ids: z.array(z.number()),
  turns: z.array(
    z.object({
      info_gain: z.number().nullable(),
      action_start: z.number().nullable(),
      action_end: z.number().nullable(),
    }),
  ),
});

test('a person asks, answers, reads the first gain while the talk goes on, accepts the code and exports the dataset', async () => {
  await withEditor({ settings: { 'turnwise.chat.temperature': 0 } }, async (editor) => {
    const { page, folder, look, shoot } = editor;
    await page.getByRole('treeitem', { name: 'prices.py' }).dblclick();
    await page.getByRole('tab', { name: 'prices.py' }).waitFor();
    const chat = await openChat(page);
    const { gain, mean } = await talkUntilTwoQuestions(editor, chat);
    expect(Math.sign(gain)).toBe(Math.sign(mean));

    const answered = await answerUntilCode(chat);
    const proposal = chat.turn(answered).getByRole('region', { name: 'Proposed code' });
    const code = (await proposal.locator('code').textContent()) ?? '';
    expect(code).toContain('def ');

    // Accept it in the editor's own diff; it is one step to undo.
    const before = await readFile(join(folder, 'prices.py'), 'utf8');
    await proposal.getByRole('button', { name: 'Apply…' }).click();
    await page.locator('.monaco-diff-editor').waitFor();
    await shoot('diff');
    await page.getByRole('button', { name: 'Accept Proposal' }).first().click();
    await proposal.getByText('Accepted').waitFor();
    const text = () => look((vscode) => vscode.window.activeTextEditor?.document.getText() ?? null);
    await expect.poll(text).toContain(code.trim());
    await page.locator('.monaco-editor .view-lines').first().click();
    await page.keyboard.press('Control+z');
    await expect.poll(text).toBe(before);
    await page.keyboard.press('Control+Shift+z');
    await expect.poll(text).toContain(code.trim());

    // Export, with the consent that it takes.
    await episodesIn(page).press('Export Dataset…');
    await modal(page)
      .getByRole('button', { name: /^Allow and Export All/ })
      .click();
    const out = await takeProposedPath(page);
    expect(out).toBe(join(folder, 'turnwise-dataset'));
    await toast(page, /Exported \d+ conversation/).waitFor();
    await shoot('exported');

    const verdict: unknown = JSON.parse(await turnwise('verify', out, '--json'));
    expect(verdict).toMatchObject({ ok: true });
    const row = await episodeWith(out, gain, mean);
    await sameAsCommandLine(folder, row, mean);
  });
});

/** Asks until the agent has asked twice, and reads the gain of the first reply while the second question still waits. */
async function talkUntilTwoQuestions(editor: Editor, chat: Chat): Promise<{ gain: number; mean: number }> {
  const episodes = episodesIn(editor.page);
  for (const request of REQUESTS) {
    await chat.say(request);
    if ((await chat.settled(1)) === 'question') {
      await answer(chat, 1);
      if ((await chat.settled(2)) === 'question') {
        await episodes.turn(1).filter({ hasText: 'nats' }).waitFor();
        const gain = gainIn((await episodes.turn(1).textContent()) ?? '');
        const mean = gainIn(
          (await episodes
            .fact(/^mean /)
            .first()
            .textContent()) ?? '',
        );
        await editor.shoot('gain-before-answer');
        if (gain === null || mean === null) throw new Error('The tree shows no gain for turn 1.');
        return { gain, mean };
      }
    }
    await editor.page.getByRole('button', { name: 'New Conversation' }).first().click();
    await expect.poll(() => chat.turn(1).count()).toBe(0);
  }
  throw new Error('The agent asked twice about none of the requests.');
}

/** Replies to the question of this turn as a person would: a click where an option fits, else in own words. */
async function answer(chat: Chat, turn: number): Promise<void> {
  const question = (await chat.turn(turn).textContent()) ?? '';
  const words = ANSWERS.find(([about]) => about.test(question))?.[1];
  const options = chat.turn(turn).locator('button.choice');
  if (words !== undefined) await chat.say(words);
  else if ((await options.count()) > 0) await options.first().click();
  else await chat.frame.getByRole('button', { name: 'Skip, use your judgement' }).click();
}

/** Goes on answering until the agent proposes code; returns the number of that turn. */
async function answerUntilCode(chat: Chat): Promise<number> {
  for (let turn = 2; turn <= 10; turn += 1) {
    if ((await chat.settled(turn)) === 'answer') return turn;
    await answer(chat, turn);
  }
  throw new Error('The agent proposed no code in ten turns.');
}

/** The exported episode, read from Parquet by a reader that is not ours, whose first gain is the one that the tree showed. */
async function episodeWith(out: string, gain: number, mean: number): Promise<z.infer<typeof rowSchema>> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const result = await connection.runAndReadAll(
    `SELECT to_json(e) AS row FROM read_parquet('${out}/episodes/*.parquet') AS e`,
  );
  const rows = result.getRowObjectsJson().map(({ row }) => rowSchema.parse(JSON.parse(z.string().parse(row))));
  connection.closeSync();
  const found = rows.find(({ turns }) => Math.abs((turns[0]?.info_gain ?? Number.NaN) - mean) < 1e-6);
  if (!found) throw new Error(`No exported episode has a first gain of ${mean} (${gain} nats in all).`);
  return found;
}

/** The command line, given the exported messages and nothing else of the editor's, finds the same gain. */
async function sameAsCommandLine(folder: string, row: z.infer<typeof rowSchema>, mean: number): Promise<void> {
  const input = join(folder, 'talk.jsonl');
  const output = join(folder, 'scores.jsonl');
  const action_ids = row.turns.map(({ action_start, action_end }) =>
    row.input_ids.slice(action_start ?? 0, action_end ?? 0),
  );
  await writeFile(input, `${JSON.stringify({ episode_id: row.episode_id, messages: row.messages, action_ids })}\n`);
  await turnwise('score', '--in', input, '--out', output, '--backend', 'engine');
  const scored = scoreSchema.parse(JSON.parse(await readFile(output, 'utf8')));
  expect(Math.abs((scored.turns[0]?.gain ?? Number.NaN) - mean)).toBeLessThan(1e-6);
}
