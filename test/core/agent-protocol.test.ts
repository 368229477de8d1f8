import fc from 'fast-check';
import { expect, test } from 'vitest';
import { agentPrompt, DEFAULT_ANSWER_MARKER, parseAction, type ParsedAction } from '../../src/core/agent-protocol.ts';

const M = DEFAULT_ANSWER_MARKER;
const question = (text: string, options: string[] = [], recommended: number | null = null): ParsedAction => ({
  kind: 'question',
  question: text,
  options,
  recommended,
});
const answer = (message: string, code: string): ParsedAction => ({ kind: 'answer', message, code });

test.each<[string, string, ParsedAction]>([
  ['nothing', '', question('')],
  ['blank lines only', ' \r\n\n ', question('')],
  ['no options', 'Which unit?', question('Which unit?')],
  ['one option is none', 'Which?\nA) metres', question('Which?\nA) metres')],
  ['two options', 'Which?\nA) metres\nB) feet', question('Which?', ['metres', 'feet'])],
  ['dots, and lines after', 'Which?\nA. metres\nB. feet\n\n', question('Which?', ['metres', 'feet'])],
  ['five options', 'Q\nA) 1\nB) 2\nC) 3\nD) 4\nE) 5', question('Q', ['1', '2', '3', '4', '5'])],
  [
    'six lines are no options',
    'Q\nA) 1\nB) 2\nC) 3\nD) 4\nE) 5\nA) 6',
    question('Q\nA) 1\nB) 2\nC) 3\nD) 4\nE) 5\nA) 6'),
  ],
  ['F is no letter of an option', 'Q\nE) 1\nF) 2', question('Q\nE) 1\nF) 2')],
  ['an empty option ends the run', 'Q\nA) 1\nB) \nC) 3\nD) 4', question('Q\nA) 1\nB)', ['3', '4'])],
  ['a blank line ends the run', 'Q\nA) 1\n\nB) 2\nC) 3', question('Q\nA) 1', ['2', '3'])],
  ['words after the options', 'Q\nA) 1\nB) 2\nSay which.', question('Q\nA) 1\nB) 2\nSay which.')],
  ['an indented letter', 'Q\n  A) 1\n  B) 2', question('Q\n  A) 1\n  B) 2')],
  ['a letter without a blank', 'Q\nA)1\nB)2', question('Q\nA)1\nB)2')],
  ['options alone', 'A) 1\nB) 2', question('', ['1', '2'])],
  ['an option that is recommended', 'Q\nA) 1\nB) 2 (Recommended)', question('Q', ['1', '2'], 1)],
  [
    'two that are, which is no advice',
    'Q\nA) 1 (recommended)\nB) 2 (recommended)',
    question('Q', ['1 (recommended)', '2 (recommended)']),
  ],
  ['the mark alone is an option', 'Q\nA) (recommended)\nB) 2', question('Q', ['(recommended)', '2'])],
  ['the mark inside an option', 'Q\nA) 1 (recommended) or so\nB) 2', question('Q', ['1 (recommended) or so', '2'])],
  ['CRLF', 'Which?\r\nA) metres \r\nB) feet\r\n', question('Which?', ['metres', 'feet'])],
  ['the marker alone', M, answer('', '')],
  ['the marker and blank lines', `Sure.\n${M}\n \n`, answer('Sure.', '')],
  ['code after the marker', `Sure.\n${M}\ndef f():\n    return 1\n`, answer('Sure.', 'def f():\n    return 1\n')],
  ['code on the line of the marker', `${M} x = 1\ny = 2`, answer('', 'x = 1\ny = 2\n')],
  ['indentation of the first line stays', `${M}\n\n    x = 1\n    y = 2`, answer('', '    x = 1\n    y = 2\n')],
  ['the marker inside a line', `So ${M}\nx = 1`, answer('So', 'x = 1\n')],
  ['a second marker belongs to the code', `${M}\n# ${M}\nx = 1`, answer('', `# ${M}\nx = 1\n`)],
  ['options before the marker are message', `A) 1\nB) 2\n${M}\nx`, answer('A) 1\nB) 2', 'x\n')],
  ['a fence', `${M}\n\`\`\`python\nx = 1\n\`\`\`\n`, answer('', 'x = 1\n')],
  ['a fence with CRLF', `${M}\r\n\`\`\`python\r\nx = 1\r\n\`\`\`\r\n`, answer('', 'x = 1\n')],
  ['words after the fence', `${M}\n\`\`\`\nx = 1\n\`\`\`\nThat does it.`, answer('', 'x = 1\n')],
  ['a fence that never closes', `${M}\n\`\`\`py\nx = 1`, answer('', 'x = 1\n')],
  ['an empty fence', `${M}\n\`\`\`\n\`\`\``, answer('', '')],
  ['a longer fence holds a shorter one', `${M}\n\`\`\`\`md\n\`\`\`\nx\n\`\`\`\n\`\`\`\``, answer('', '```\nx\n```\n')],
  ['backticks inside code are code', `${M}\nx = '\`\`\`'\ny = 2`, answer('', "x = '```'\ny = 2\n")],
  ['another case is no marker', 'i want to answer:\nx', question('i want to answer:\nx')],
])('%s', (_, text, expected) => {
  expect(parseAction(text)).toEqual(expected);
});

test('at the last turn the whole message is the answer, and a marker still parts it', () => {
  expect(parseAction('Which?\nA) 1\nB) 2', { lastTurn: true })).toEqual(answer('', 'Which?\nA) 1\nB) 2\n'));
  expect(parseAction('```py\nx = 1\n```', { lastTurn: true })).toEqual(answer('', 'x = 1\n'));
  expect(parseAction(`So:\n${M}\nx = 1`, { lastTurn: true })).toEqual(answer('So:', 'x = 1\n'));
  expect(parseAction('', { lastTurn: true })).toEqual(answer('', ''));
});

test('the marker is a setting', () => {
  expect(parseAction('DONE>x = 1', { marker: 'DONE>' })).toEqual(answer('', 'x = 1\n'));
  expect(parseAction(`${M}\nx`, { marker: 'DONE>' }).kind).toBe('question');
  expect(agentPrompt('DONE>')).toContain('"DONE>"');
});

test('any text is understood; a question loses no word, options are never fewer than two', () => {
  const line = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('A) one', 'B. two', 'C) ', '', '```', '```py', M, '\r'),
  );
  fc.assert(
    fc.property(fc.array(line), fc.boolean(), (lines, lastTurn) => {
      const parsed = parseAction(lines.join('\n'), { lastTurn });
      if (parsed.kind === 'answer') {
        expect(parsed.code === '' || parsed.code.endsWith('\n')).toBe(true);
        expect(lastTurn || lines.join('\n').includes(M)).toBe(true);
        return;
      }
      expect([0, 2, 3, 4, 5]).toContain(parsed.options.length);
      const words = (text: string): string => text.replaceAll(/[A-E][).]|\s/g, '');
      expect(words(parsed.question + parsed.options.join(''))).toBe(words(lines.join('\n')));
    }),
    { numRuns: 500 },
  );
});
