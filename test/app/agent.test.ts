import { expect, test } from 'vitest';
import { actOnce, type AgentEvent } from '../../src/app/agent.ts';
import { TurnwiseError } from '../../src/core/error.ts';
import { generationOf } from '../core/event-arbitrary.ts';
import { ANSWER, QUESTION, sampling, scriptedChat, type Line } from './scripted-chat.ts';

async function act(
  line: Line,
  {
    lastTurn = false,
    marker = 'I WANT TO ANSWER:',
    signal,
  }: { lastTurn?: boolean; marker?: string; signal?: AbortSignal } = {},
): Promise<AgentEvent[]> {
  const events: AgentEvent[] = [];
  const options = { sampling, marker, lastTurn, signal };
  for await (const event of actOnce(scriptedChat([line]), [{ role: 'user', content: 'Hi.' }], options))
    events.push(event);
  return events;
}

const delta = { type: 'delta', text: 'Whi' } as const;

test.each<[string, Line, string]>([
  ['ends without an end', [delta], 'cut_off'],
  ['says nothing at all', [], 'cut_off'],
  ['breaks its promise and throws', [delta, new Error('socket hang up')], 'unexpected'],
  ['throws one of our errors', [delta, new TurnwiseError('backend', 'unreachable', 'Start it.')], 'unreachable'],
  [
    'reports its failure',
    [delta, { type: 'failed', reason: 'http_500', message: 'It broke.', partial: 'Whi' }],
    'http_500',
  ],
  ['finishes with blanks', [delta, { type: 'finished', record: generationOf(' \n') }], 'empty_text'],
  [
    'reports a log-prob that is no number',
    [delta, { type: 'finished', record: generationOf('Which?', { logprobs: [Number.NaN] }) }],
    'invalid_record',
  ],
])('a server that %s: failed, with the text so far, and nothing is thrown', async (_, line, reason) => {
  const events = await act(line);
  const last = events.at(-1);
  expect(last).toMatchObject({ type: 'failed', reason, partial: events.length > 1 ? 'Whi' : '' });
  expect(events.slice(0, -1).every(({ type }) => type === 'delta')).toBe(true);
});

test('a question, its deltas first', async () => {
  const events = await act(QUESTION);
  const said = events.flatMap((event) => (event.type === 'delta' ? [event.text] : []));
  expect(said.length).toBeGreaterThan(1);
  expect(said.join('')).toBe(QUESTION);
  expect(events.slice(said.length)).toEqual([
    { type: 'asked', question: 'Which unit?', options: ['metres', 'feet'], generation: generationOf(QUESTION) },
  ]);
});

test('an answer; the marker is a setting; the last turn answers whatever it says', async () => {
  const last = async (...call: Parameters<typeof act>): Promise<AgentEvent | undefined> => (await act(...call)).at(-1);
  expect(await last(ANSWER)).toMatchObject({ type: 'answered', message: 'Metres, then.', code: 'x = 1\n' });
  expect(await last('DONE> x = 1', { marker: 'DONE>' })).toMatchObject({ type: 'answered', code: 'x = 1\n' });
  expect(await last(ANSWER, { marker: 'DONE>' })).toMatchObject({ type: 'asked', question: ANSWER });
  expect(await last('x = 1', { lastTurn: true })).toMatchObject({ type: 'answered', code: 'x = 1\n' });
});

test('an abort stops it, with what was said', async () => {
  const aborted = AbortSignal.abort();
  expect(await act(QUESTION, { signal: aborted })).toEqual([
    { type: 'stopped', generation: generationOf('Whi', { finish: 'stopped' }) },
  ]);
});
