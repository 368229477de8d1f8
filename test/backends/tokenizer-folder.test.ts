import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundledModel, type RunningEngine } from '../../src/app/engine-process.ts';
import { openEngineBackend } from '../../src/backends/engine.ts';
import { readTokenizerFolder, type FolderTokenizer } from '../../src/backends/tokenizer-folder.ts';
import type { Backend } from '../../src/core/backend.ts';
import { renderChat } from '../../src/core/render-chat.ts';
import { startToy } from '../engine/model.ts';
import { writeConversations } from '../servers/conversations.ts';
import { tokenizerFilesOf, type TokenizerFiles } from './gguf-tokenizer.ts';

const files = tokenizerFilesOf(bundledModel());
const folders: string[] = [];

function write(content: { readonly [File in keyof TokenizerFiles]?: string | undefined }): string {
  const folder = mkdtempSync(join(tmpdir(), 'turnwise-tokenizer-'));
  folders.push(folder);
  for (const [file, text] of Object.entries(content)) if (text !== undefined) writeFileSync(join(folder, file), text);
  return folder;
}

let engine: RunningEngine;
let theirs: Backend;
let ours: FolderTokenizer;
beforeAll(async () => {
  engine = await startToy();
  theirs = openEngineBackend(engine);
  ours = await readTokenizerFolder(write(files));
});
afterAll(async () => {
  await engine.close();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe("the demo model's tokenizer from a folder gives llama.cpp's ids", () => {
  test('for conversations, rendered: code, emoji, CJK, spaces at every edge', async () => {
    const { template } = await theirs.facts();
    const conversations = await writeConversations(60);
    const texts = conversations.flatMap(({ messages }) => [
      renderChat(template, messages, { addGenerationPrompt: false }),
      ...messages.map(({ content }) => content),
    ]);
    expect(texts.length).toBeGreaterThan(300);
    expect(await ours.tokenize(texts)).toEqual(await theirs.tokenize(texts));
  });

  test('for any text in the composed form, with its special tokens in odd places', async () => {
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme-composite' }),
      fc.constantFrom('<|im_end|>', '<|im_start|>', '<|endoftext|>', '<|im_', "don't", '\r\n\t ', '12345', '  \n  '),
    );
    const texts = fc.sample(fc.array(piece, { maxLength: 12 }), { numRuns: 400, seed: 20_263 });
    const composed = texts.map((pieces) => pieces.join('').normalize('NFC'));
    expect(await ours.tokenize(composed)).toEqual(await theirs.tokenize(composed));
  });

  test('and back: every id list that spells a text spells it in both', async () => {
    const text = 'größer, 変数 λ 👩‍💻🏽\r\n\tx = 1<|im_end|>\n';
    const [ids = []] = await ours.tokenize([text]);
    expect(await ours.detokenize(ids)).toBe(text);
    expect(await theirs.detokenize(ids)).toBe(text);
    expect(await ours.detokenize([])).toBe('');
  });

  test('the template and the tokens that end a turn are those of the model', async () => {
    const { template } = await theirs.facts();
    expect(ours.template.source).toBe(template.source);
    expect([...ours.template.endOfTurn].sort()).toEqual(expect.arrayContaining([...template.endOfTurn].sort()));
    expect(ours.template.eosToken).toBe(template.eosToken);
  });
});

test('the template may stand in the configuration, alone or by name', async () => {
  const { 'chat_template.jinja': template, ...others } = files;
  const config = JSON.parse(files['tokenizer_config.json']) as object;
  const named = [
    { name: 'tool_use', template: 'T' },
    { name: 'default', template },
  ];
  for (const chat_template of [template, named]) {
    const folder = write({ ...others, 'tokenizer_config.json': JSON.stringify({ ...config, chat_template }) });
    expect((await readTokenizerFolder(folder)).template.source).toBe(template);
  }
});

test.each([
  ['an empty folder', {}, 'usage', 'no_tokenizer'],
  ['no configuration', { 'tokenizer.json': files['tokenizer.json'] }, 'usage', 'no_tokenizer'],
  ['half a tokenizer', { ...files, 'tokenizer.json': files['tokenizer.json'].slice(0, 999) }, 'input', 'bad_tokenizer'],
  ['no tokenizer at all', { ...files, 'tokenizer.json': '{}' }, 'input', 'bad_tokenizer'],
  ['a pointer to a large file', { ...files, 'tokenizer.json': 'version https://git-lfs' }, 'input', 'bad_tokenizer'],
  ['a model that does not chat', { ...files, 'chat_template.jinja': undefined }, 'unsupported', 'no_template'],
] as const)('%s is refused by name', async (_title, content, fault, reason) => {
  await expect(readTokenizerFolder(write(content))).rejects.toMatchObject({ fault, reason });
});

test('an id outside the vocabulary is a bad token, not an empty text', async () => {
  await expect(ours.detokenize([5, 1_000_000])).rejects.toMatchObject({ reason: 'bad_token' });
});
