import { expect, test } from 'vitest';
import { MAX_WORDS, safeLink, webviewMessageSchema } from '../../src/core/webview-protocol.ts';

const accepts = (message: unknown): boolean => webviewMessageSchema.safeParse(message).success;

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['text', 'ready'],
  ['an unknown type', { type: 'run', command: 'rm' }],
  ['no words', { type: 'send', episode: null, id: 'a', text: '', option: null }],
  ['too many words', { type: 'send', episode: null, id: 'a', text: 'x'.repeat(MAX_WORDS + 1), option: null }],
  ['a negative option', { type: 'choose', episode: 'e', id: 'a', turn: 0, option: -1 }],
  ['half a turn', { type: 'skip', episode: 'e', id: 'a', turn: 0.5 }],
  ['an unknown scope', { type: 'consent', episode: 'e', scope: 'public' }],
  ['no conversation named', { type: 'stop' }],
  ['an id of another type', { type: 'skip', episode: 'e', id: 7, turn: 0 }],
])('%s is refused', (_name, message) => {
  expect(accepts(message)).toBe(false);
});

test('keys that nobody knows do not get through', () => {
  expect(webviewMessageSchema.parse({ type: 'new', constructor: 1, extra: 'x' })).toEqual({ type: 'new' });
});

test.each([
  ['https://example.com/a?b#c', 'https://example.com/a?b#c'],
  ['http://localhost:1', 'http://localhost:1/'],
  ['javascript:alert(1)', null],
  [' \u0001javascript:alert(1)', null],
  ['java\nscript:alert(1)', null],
  ['command:x', null],
  ['vscode://x', null],
  ['file:///etc/passwd', null],
  ['', null],
  ['//example.com', null],
])('%j may be opened as %j', (href, expected) => {
  expect(safeLink(href)).toBe(expected);
});
