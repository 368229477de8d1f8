import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  fetchTokenizer,
  isFetched,
  isTokenizerReference,
  type TokenizerCache,
} from '../../src/backends/fetch-tokenizer.ts';
import { startProtocolServer } from './protocol-server.ts';

/** Not Hugging Face: files by address, as a mirror has them. */
const files: Record<string, string | ((response: ServerResponse) => void)> = {};
const asked: { readonly url: string; readonly headers: readonly string[] }[] = [];
let mirror: Awaited<ReturnType<typeof startProtocolServer>>;
beforeAll(async () => {
  mirror = await startProtocolServer((request, response) => {
    const url = request.url ?? '';
    asked.push({ url, headers: Object.keys(request.headers) });
    const file = files[url];
    if (typeof file === 'function') file(response);
    else response.writeHead(file === undefined ? 404 : 200).end(file ?? 'Entry not found');
  });
});
afterAll(() => mirror.close());

let cache: TokenizerCache;
beforeEach(() => {
  cache = { folder: join(mkdtempSync(join(tmpdir(), 'turnwise-hf-')), 'tokenizers'), baseUrl: `${mirror.url}/` };
  for (const url of Object.keys(files)) Reflect.deleteProperty(files, url);
  asked.length = 0;
});
afterEach(() => {
  rmSync(join(cache.folder, '..'), { recursive: true, force: true });
});

const publish = (content: Readonly<Record<string, string>>, revision = 'main'): void => {
  for (const [file, text] of Object.entries(content)) files[`/owner/name/resolve/${revision}/${file}`] = text;
};
const whole = { 'tokenizer.json': '{"é": 1}', 'tokenizer_config.json': '{}', 'chat_template.jinja': 'T' };

test('fetched once, byte for byte; nothing but the address is told', async () => {
  publish({ ...whole, 'model.safetensors': 'never asked for' });
  expect(isFetched('hf:owner/name', cache.folder)).toBe(false);
  const folder = await fetchTokenizer('hf:owner/name', cache);
  expect(isFetched('hf:owner/name', cache.folder)).toBe(true);
  expect(isFetched('hf:owner/name@v2', cache.folder)).toBe(false);
  expect(readdirSync(folder).sort()).toEqual(Object.keys(whole).sort());
  for (const [file, text] of Object.entries(whole)) expect(readFileSync(join(folder, file), 'utf8')).toBe(text);
  const { length } = asked;
  expect(length).toBe(3);
  for (const { headers } of asked) expect(headers).not.toEqual(expect.arrayContaining(['authorization']));
  expect(await fetchTokenizer('hf:owner/name', cache)).toBe(folder);
  expect(asked).toHaveLength(length);
});

test('a template inside the configuration is enough, and each revision is its own', async () => {
  publish({ 'tokenizer.json': '{}', 'tokenizer_config.json': '{"chat_template": "T"}' });
  publish({ 'tokenizer.json': '[]', 'tokenizer_config.json': '{}' }, 'v2');
  const first = await fetchTokenizer('hf:owner/name', cache);
  const second = await fetchTokenizer('hf:owner/name@v2', cache);
  expect(readFileSync(join(first, 'tokenizer.json'), 'utf8')).toBe('{}');
  expect(readFileSync(join(second, 'tokenizer.json'), 'utf8')).toBe('[]');
});

test('two at once end with one whole folder', async () => {
  publish(whole);
  const [a, b] = await Promise.all([fetchTokenizer('hf:owner/name', cache), fetchTokenizer('hf:owner/name', cache)]);
  expect(a).toBe(b);
  expect(readdirSync(cache.folder)).toHaveLength(1);
  expect(readdirSync(a)).toHaveLength(3);
});

test.each([
  [
    'no such model',
    (): void => {
      publish({});
    },
    'backend',
    'tokenizer_not_found',
  ],
  [
    'no configuration',
    (): void => {
      publish({ 'tokenizer.json': '{}' });
    },
    'backend',
    'tokenizer_not_found',
  ],
  [
    'a gated model',
    (): void => {
      answer((response) => response.writeHead(401).end());
    },
    'backend',
    'unauthorized',
  ],
  [
    'a server in trouble',
    (): void => {
      answer((response) => response.writeHead(503).end());
    },
    'backend',
    'server_error',
  ],
  [
    'an endless file',
    (): void => {
      answer((response) => response.end('x'.repeat(2000)));
    },
    'protocol',
    'answer_too_large',
  ],
  [
    'a cut connection',
    (): void => {
      answer((response) => response.writeHead(200, { 'content-length': '9' }).write('{', () => response.destroy()));
    },
    'backend',
    'unreachable',
  ],
])('%s: a named failure, and nothing is left behind', async (_, prepare, fault, reason) => {
  prepare();
  const fetching = fetchTokenizer('hf:owner/name', { ...cache, maxBytes: 1000 });
  await expect(fetching).rejects.toMatchObject({ fault, reason });
  expect(readdirSync(cache.folder)).toEqual([]);
  // The next one, when that is mended, is whole.
  publish(whole);
  expect(readdirSync(await fetchTokenizer('hf:owner/name', cache))).toHaveLength(3);
});

function answer(how: (response: ServerResponse) => void): void {
  files['/owner/name/resolve/main/tokenizer.json'] = how;
}

test('nobody there, an aborted wait and a cache that is a file are named too', async () => {
  const away = fetchTokenizer('hf:owner/name', { ...cache, baseUrl: 'http://127.0.0.1:1' });
  await expect(away).rejects.toMatchObject({ reason: 'unreachable' });
  const leaving = new AbortController();
  answer(() => {
    leaving.abort();
  });
  const waiting = fetchTokenizer('hf:owner/name', { ...cache, signal: leaving.signal });
  await expect(waiting).rejects.toMatchObject({ reason: 'aborted' });
  const file = join(cache.folder, 'file');
  writeFileSync(file, '');
  const full = fetchTokenizer('hf:owner/name', { ...cache, folder: file });
  await expect(full).rejects.toMatchObject({ fault: 'environment', reason: 'cache_not_writable' });
});

test.each([
  'hf:',
  'hf:name',
  'hf:a/b/c',
  'hf:../..',
  'hf:owner/..',
  'hf:owner/name@..',
  'hf:owner/name?x',
  'hf:a b/c',
  'owner/name',
])('%j is refused before anything is asked', async (reference) => {
  await expect(fetchTokenizer(reference, cache)).rejects.toMatchObject({ reason: 'bad_tokenizer_reference' });
  expect(() => isFetched(reference, cache.folder)).toThrow(`"${reference}" does not name a published tokenizer`);
  expect(asked).toEqual([]);
});

test('a path is not a reference', () => {
  expect(isTokenizerReference('hf:owner/name')).toBe(true);
  for (const path of ['./hf', '/models/hf:x', 'owner/name', 'C:\\models'])
    expect(isTokenizerReference(path)).toBe(false);
});
