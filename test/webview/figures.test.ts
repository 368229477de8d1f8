import { expect, test } from 'vitest';
import { figuresDetail, figuresText } from '../../src/webview/figures.ts';

const figures = { model: 'm', promptTokens: 1412, tokens: 36, firstTokenMs: 312, latencyMs: 1234 };

test.each([
  ['all that a server tells', {}, '1,412 tokens in, 36 out · 1.2 s'],
  ['no tokens', { promptTokens: null, tokens: null }, 'tokens not told by the server · 1.2 s'],
  ['one of them', { promptTokens: null }, 'unknown tokens in, 36 out · 1.2 s'],
  ['more than a minute', { latencyMs: 65_000 }, '1,412 tokens in, 36 out · 1 min 5 s'],
  ['just below a second', { latencyMs: 999 }, '1,412 tokens in, 36 out · 1.0 s'],
  ['milliseconds', { latencyMs: 40.4 }, '1,412 tokens in, 36 out · 40 ms'],
  ['nothing written is 0, which is known', { tokens: 0 }, '1,412 tokens in, 0 out · 1.2 s'],
])('%s', (_name, told, text) => {
  expect(figuresText({ ...figures, ...told })).toBe(text);
});

test('when the first word came is said where there is room', () => {
  expect(figuresDetail(figures)).toBe('First word after 312 ms. Model: m');
  expect(figuresDetail({ ...figures, firstTokenMs: null })).toBe('First word not told. Model: m');
});
