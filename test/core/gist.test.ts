import { expect, test } from 'vitest';
import { withContext } from '../../src/core/context-text.ts';
import { gistOf, wordsOf } from '../../src/core/gist.ts';
import { toolCallText } from '../../src/core/tool-call.ts';

test('a request is called by its words, not by what was attached to them', () => {
  expect(wordsOf(withContext('Round it.', [{ path: 'a.py', range: null, text: 'x = 1' }]))).toBe('Round it.');
  expect(wordsOf('Round it.')).toBe('Round it.');
});

test.each([
  [
    'a question',
    { kind: 'question', question: 'Which unit?', message: null, text: 'Which unit?\nA) m\nB) ft' },
    'Which unit?',
  ],
  ['an answer', { kind: 'answer', question: null, message: 'Here.', text: 'Here. I WANT TO ANSWER: x' }, 'Here.'],
  [
    'calls',
    {
      kind: 'tool_call',
      question: null,
      message: null,
      text: toolCallText('', [
        { name: 'read_file', arguments: '{"path": "shop.py"}' },
        { name: 'run_tests', arguments: '{}' },
      ]),
    },
    'read_file shop.py, run_tests',
  ],
  [
    'words before a call',
    {
      kind: 'tool_call',
      question: null,
      message: null,
      text: toolCallText('I look.', [{ name: 'search', arguments: '{"text": "tax"}' }]),
    },
    'I look. search "tax"',
  ],
  [
    'calls that cannot be read',
    { kind: 'tool_call', question: null, message: null, text: '<tool_call>' },
    '<tool_call>',
  ],
] as const)('%s in one line', (_name, turn, gist) => {
  expect(gistOf(turn)).toBe(gist);
});
