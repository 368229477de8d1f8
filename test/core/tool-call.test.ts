import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitToolCalls, toolCallText, type ToolCall } from '../../src/core/tool-call.ts';
import { toolDefinitions } from '../../src/core/tools.ts';
import { callView } from '../../src/core/tool-view.ts';

describe('a tool call as text', () => {
  test('is what open models write', () => {
    expect(toolCallText('Let me look.', [{ name: 'read_file', arguments: '{"path":"a.py","from_line":2}' }])).toBe(
      'Let me look.\n<tool_call>\n{"name": "read_file", "arguments": {"path": "a.py", "from_line": 2}}\n</tool_call>',
    );
  });

  test.each([
    ['words alone', 'Which unit?'],
    ['words behind it', '<tool_call>\n{"name": "x"}\n</tool_call>\nand so on'],
    ['no JSON in it', '<tool_call>\nread a.py\n</tool_call>'],
    ['no name in it', '<tool_call>\n{"arguments": {}}\n</tool_call>'],
    ['an end that is missing', '<tool_call>\n{"name": "x", "arguments": {}}'],
  ])('%s: none', (_name, text) => {
    expect(splitToolCalls(text)).toEqual({ said: text, calls: [] });
  });

  test('handed-over words that are no object are kept as they are', () => {
    const [call] = splitToolCalls(toolCallText('', [{ name: 'search', arguments: '{"text": ' }])).calls;
    expect(call).toEqual({ name: 'search', arguments: '{"text": ' });
  });

  test('every call comes back, whatever stands in it', () => {
    const json = fc.dictionary(
      fc.string(),
      fc.oneof(fc.string(), fc.integer(), fc.constant('</tool_call>\n<tool_call>')),
    );
    const call = fc.record({ name: fc.constantFrom('read_file', 'a"b', '</tool_call>'), arguments: json });
    fc.assert(
      fc.property(
        fc.constantFrom('', 'Looking.\nNow.'),
        fc.array(call, { minLength: 1, maxLength: 3 }),
        (said, wanted) => {
          const calls = wanted.map(({ name, arguments: handed }): ToolCall => ({
            name,
            arguments: JSON.stringify(handed),
          }));
          const back = splitToolCalls(toolCallText(said, calls));
          expect(back.said).toBe(said);
          expect(back.calls.map(({ name, arguments: handed }) => [name, JSON.parse(handed) as unknown])).toEqual(
            wanted.map(({ name, arguments: handed }) => [name, handed]),
          );
        },
      ),
    );
  });

  test.each([
    ['{"path":"src/a.py"}', 'src/a.py'],
    ['{"path":"a.py","from_line":3,"to_line":9}', 'a.py:3-9'],
    ['{"text":"def total","path":"src"}', '"def total" src'],
    ['{}', ''],
    ['nonsense', 'nonsense'],
  ])('%s is shown as %s', (handed, detail) => {
    expect(callView({ name: 'x', arguments: handed })).toEqual({ name: 'x', detail });
  });
});

test('a server is told of the tools in the terms of JSON Schema', () => {
  const [read, tests] = toolDefinitions(['read_file', 'run_tests']);
  expect(read).toMatchObject({
    name: 'read_file',
    parameters: { type: 'object', required: ['path'], properties: { path: { type: 'string' } } },
  });
  expect(tests?.parameters).toEqual({ type: 'object', properties: {} });
});
