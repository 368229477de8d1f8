import { rmSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { tokenTexts, turnWords } from '../../src/app/turn-words.ts';
import { readTokenizerFolder } from '../../src/backends/tokenizer-folder.ts';
import type { Backend } from '../../src/core/backend.ts';
import { openJournal } from '../../src/store/journal.ts';
import { writeTokenizerFolder } from '../backends/protocol/tokenizer-folder.ts';
import { scoredTalk } from '../core/review-episode.ts';
import { temporaryStore } from '../store/temporary-store.ts';

const folder = writeTokenizerFolder();
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test.each([
  'plain words',
  'größer 変数 λ 👩‍💻🏽 שלום עולם',
  '\uFFFD stays, and so does é',
  'def f(x):\n\treturn x\r\n',
  '<|im_end|>',
])(
  'of a tokenizer that cuts every character into bytes, the runs of %j are whole characters and add up',
  async (text) => {
    const tokenizer = await readTokenizerFolder(folder);
    const [ids = []] = await tokenizer.tokenize([text]);
    const runs = await tokenTexts(tokenizer, ids);
    expect(runs?.map((run) => run.text).join('')).toBe(text);
    expect(runs?.reduce((sum, { count }) => sum + count, 0)).toBe(ids.length);
    const cut = runs?.filter((run) => run.text.includes('\uFFFD')).length ?? 0;
    expect(cut).toBeLessThanOrEqual(text.startsWith('\uFFFD') ? 3 : 0);
  },
);

test('a decoder whose pieces do not add up says nothing, rather than tint the wrong words', async () => {
  const strips = { detokenize: (ids: readonly number[]) => Promise.resolve(ids.map((id) => `w${id}`).join(' ')) };
  expect(await tokenTexts(strips, [1, 2])).toBeNull();
});

test('the tokenizer that scored is asked once; another one is not, and a gone one is named', async () => {
  const tokenizer = await readTokenizerFolder(folder);
  const [ids = []] = await tokenizer.tokenize(['OK, é']);
  const row = scoredTalk('e', [[ids.map(() => -1), ids.map(() => -2)]]);
  const scored = { ...row, turns: row.turns.map((turn) => (turn.index === 1 ? { ...turn, action_ids: ids } : turn)) };
  const memory = openJournal(temporaryStore());
  let asked = 0;
  const scorer = (sha: string) => () =>
    Promise.resolve({
      facts: () => Promise.resolve({ identity: { ...scored.scorer, tokenizer_sha: sha } }),
      detokenize: (some: readonly number[]) => {
        asked += 1;
        return tokenizer.detokenize(some);
      },
    } as unknown as Backend);

  const other = await turnWords(scored, 0, { memory, scorer: scorer('another'), forbidden: null });
  expect(other).toMatchObject({ next: null });
  expect(other.why).toMatch(/known to s on b/);
  const stays = await turnWords(scored, 0, { memory, scorer: scorer('t'), forbidden: 'it stays here' });
  expect([stays.why, asked]).toEqual(['it stays here', 0]);
  const down = await turnWords(scored, 0, { memory, scorer: () => Promise.reject(new Error('no')), forbidden: null });
  expect(down.why).toMatch(/cannot be asked/);

  const known = await turnWords(scored, 0, { memory, scorer: scorer('t'), forbidden: null });
  expect(known.next?.map(({ text }) => text).join('')).toBe('OK, é');
  expect(known.next?.at(-1)).toEqual({ text: 'é', count: 2 });
  const before = asked;
  const again = await turnWords(scored, 0, {
    memory,
    scorer: () => Promise.reject(new Error('gone')),
    forbidden: 'no',
  });
  expect([again, asked]).toEqual([known, before]);
  memory.close();
});
