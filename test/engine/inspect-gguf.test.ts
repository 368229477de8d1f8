import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bundledModel } from '../../src/app/engine-process.ts';
import { inspectGguf } from '../../src/engine/inspect-gguf.ts';
import { textBytes, u32Bytes, u64Bytes, VALUE } from '../../src/engine/gguf.ts';
import { temporaryFolder } from '../store/temporary-store.ts';

const folder = temporaryFolder('gguf');

async function fileOf(name: string, content: Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** A header with these texts and tensors, and nothing behind it. */
function header(texts: Readonly<Record<string, string>>, tensors: readonly string[], version = 3): Buffer {
  return Buffer.concat([
    Buffer.from('GGUF'),
    u32Bytes(version),
    u64Bytes(tensors.length),
    u64Bytes(Object.keys(texts).length),
    ...Object.entries(texts).flatMap(([key, text]) => [textBytes(key), u32Bytes(VALUE.STRING), textBytes(text)]),
    ...tensors.flatMap((name) => [textBytes(name), u32Bytes(1), u64Bytes(4), u32Bytes(0), u64Bytes(0)]),
  ]);
}

const base = {
  'general.architecture': 'qwen2',
  'general.name': 'Small',
  'tokenizer.ggml.model': 'gpt2',
};
const chat = { ...base, 'tokenizer.chat_template': '{{ messages }}' };

test('the bundled model is fit, and its header is told', async () => {
  const found = await inspectGguf(bundledModel());
  expect(found.unfit).toBeNull();
  expect(found.architecture).not.toBe('');
  expect(found.context).toBeGreaterThan(0);
});

test('a header that has all it takes is fit', async () => {
  const path = await fileOf('fit.gguf', header(chat, ['token_embd.weight']));
  expect(await inspectGguf(path)).toEqual({ name: 'Small', architecture: 'qwen2', context: null, unfit: null });
});

test('what is unfit is said in a sentence that ends in what to do', async () => {
  const toy = await readFile(bundledModel());
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [Buffer.from('not a model, whatever it is called'), /is no GGUF file; choose/],
    [Buffer.alloc(0), /is no GGUF file; choose/],
    [toy.subarray(0, 5000), /middle of its header; fetch it again/],
    [header(chat, ['token_embd.weight'], 9), /GGUF version 9.*convert it anew/],
    [header({}, []), /does not say what kind of model/],
    [header({ ...chat, 'general.architecture': 'clip' }, ['v.patch']), /no language model \(clip\); choose/],
    [header(base, ['token_embd.weight']), /no chat template.*choose an instruct model/],
  ];
  for (const [content, sentence] of cases) {
    expect((await inspectGguf(await fileOf('x.gguf', content))).unfit).toMatch(sentence);
  }
  expect((await inspectGguf(join(folder, 'absent.gguf'))).unfit).toMatch(/cannot be read .* choose another file/);
  expect((await inspectGguf(folder)).unfit).toMatch(/cannot be read .* choose another file/);
});
