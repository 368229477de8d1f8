import { describe, expect, test } from 'vitest';
import { chatView } from '../../src/core/chat-view.ts';
import type { EventBody } from '../../src/core/event.ts';
import { reduce } from '../../src/core/reduce.ts';
import type { ChatView } from '../../src/core/webview-protocol.ts';
import { Announcements, finishedSentences } from '../../src/webview/announcements.ts';
import { generationOf, started, stored } from '../core/event-arbitrary.ts';
import { calm } from '../core/calm.ts';

const requested: EventBody = { type: 'request_accepted', text: 'Convert it.' };
const begun: EventBody = { type: 'action_started', turn: 0, pid: 1 };
const viewOf = (bodies: readonly EventBody[], streaming: string | null = null): ChatView =>
  chatView(reduce(stored(bodies)), { ...calm, streaming });

/** What is read out while an answer comes letter by letter, and is then whole. */
function readOut(text: string, end: EventBody): string[] {
  const announcements = new Announcements();
  const heard: string[] = [];
  let before = viewOf([started, requested]);
  const views = [...Array.from(text, (_, at) => viewOf([started, requested, begun], text.slice(0, at + 1)))];
  for (const view of [...views, viewOf([started, requested, begun, end])]) {
    const words = announcements.next(before, view);
    if (words !== null) heard.push(words);
    before = view;
  }
  return heard;
}

test.each([
  ['nothing', '', ''],
  ['half a sentence', 'Which un', ''],
  ['a sentence that may be a number', 'It costs 3.', ''],
  ['a sentence and a half', 'I see. Which un', 'I see.'],
  ['a quoted end', 'He said "yes." Then', 'He said "yes."'],
  ['lines', '- one\n- tw', '- one\n'],
  ['a script without blanks', '好的。哪', '好的。'],
])('finished sentences: %s', (_name, text, finished) => {
  expect(finishedSentences(text)).toBe(finished);
});

describe('a screen reader is told', () => {
  test('each sentence once, when it is finished, and the options at the end', () => {
    const text = 'I **see**. Which unit?\nA) metres (recommended)\nB) feet';
    const end: EventBody = {
      type: 'action_asked',
      turn: 0,
      question: 'I **see**. Which unit?',
      options: ['metres', 'feet'],
      generation: generationOf(text),
    };
    expect(readOut(text, end)).toEqual(['I see.', 'Which unit?', 'A: metres. B: feet. Recommended: A.']);
  });

  test('of code only that it is there', () => {
    const text = 'Here it is.\nI WANT TO ANSWER:\nx = 1. # a sentence. in code';
    const end: EventBody = {
      type: 'action_answered',
      turn: 0,
      message: 'Here it is.',
      code: 'x = 1. # a sentence. in code\n',
      generation: generationOf(text),
    };
    expect(readOut(text, end)).toEqual(['Here it is.', 'The agent proposes code.']);
  });

  test('why the agent broke off, and nothing of a conversation that is opened', () => {
    const failed: EventBody = { type: 'action_failed', turn: 0, reason: 'x', message: 'It broke; go on.', partial: '' };
    expect(readOut('I see. Wh', failed)).toEqual(['I see.', 'It broke; go on.']);
    const announcements = new Announcements();
    const other = viewOf([started, requested, begun, failed]);
    expect(announcements.next(null, other)).toBeNull();
    expect(announcements.next({ ...other, episode: 'another' }, other)).toBeNull();
  });
});
