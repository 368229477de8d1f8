import { expect, test } from 'vitest';
import { DEFAULT_SCORE_OPTIONS, planTranscripts, scoreTranscripts } from '../../src/app/score.ts';
import type { Backend } from '../../src/core/backend.ts';
import { TurnwiseError } from '../../src/core/error.ts';
import type { ScoredEpisode } from '../../src/core/scored-episode.ts';
import type { Transcript } from '../../src/core/transcript.ts';
import { letterBackend, letterFacts, letters, scoreLetters } from './letter-backend.ts';

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const talk = (id: string, replies: readonly string[]): Transcript => ({
  episode_id: id,
  messages: [
    { role: 'user', content: 'Average a list.' },
    ...replies.flatMap((content, k) => [
      { role: 'assistant' as const, content: `Question ${k}?` },
      { role: 'user' as const, content },
    ]),
    { role: 'assistant', content: 'Done.' },
  ],
});

function score(
  transcripts: readonly Transcript[],
  backend: Backend = letterBackend(),
  concurrency?: number,
): Promise<ScoredEpisode[]> {
  const run = { backend, options: DEFAULT_SCORE_OPTIONS, ...(concurrency === undefined ? {} : { concurrency }) };
  return collect(scoreTranscripts(transcripts, run));
}

const reasons = (episode: ScoredEpisode | undefined): unknown[] | undefined =>
  episode?.turns.map(({ null_reason }) => null_reason);

test('two megabytes in one reply: too long from there on, with both lengths; what came before is scored', async () => {
  const [episode, next] = await score([talk('a', ['one', 'x'.repeat(2_000_000), 'three']), talk('b', ['one'])]);
  expect(reasons(episode)).toEqual([null, 'too_long', 'too_long', 'no_next_action']);
  expect(episode?.turns[1]?.null_detail).toMatch(/^2000\d{3} tokens, and the scorer takes 4000$/);
  expect(reasons(next)).toEqual([null, 'no_next_action']);
});

test.each(['', ' ', '\n\n'])(
  'a reply of %j is empty where nothing of it is printed, and else an ordinary one',
  async (reply) => {
    const [episode] = await score([talk('a', [reply, 'two'])]);
    expect(reasons(episode)).toEqual([reply === '' ? 'empty_reply' : null, null, 'no_next_action']);
  },
);

test.each(['日本語', '🙂 yes 👩‍💻🏽', '\u0301accent first', '\u{1f1e9}\u{1f1ea}42', ' \n edges \t '])(
  'a reply of %j is masked from its first letter to its last, and nothing else is',
  async (reply) => {
    const backend = letterBackend();
    const [episode] = await score([talk('a', [reply])], backend);
    const [factual, masked] = backend.scored[0] ?? [];
    const { obs_start: start, obs_end: end } = episode?.turns[0] ?? {};
    if (!factual || !masked || start == null || end == null) throw new Error('not scored');
    expect(factual.ids.slice(start, end)).toEqual(letters(reply));
    expect(masked.ids.slice(0, start)).toEqual(factual.ids.slice(0, start));
    expect(masked.ids.slice(end)).toEqual(factual.ids.slice(end));
  },
);

test('a template that fails on one conversation costs that one: its turns say why, and the run goes on', async () => {
  const source = `{%- for m in messages -%}{%- if 'boom' in m.content -%}{{ raise_exception('No booms.') }}{%- endif -%}{%- endfor -%}${letterFacts.template.source}`;
  const facts = { ...letterFacts, template: { ...letterFacts.template, source } };
  const backend = letterBackend({ facts: () => Promise.resolve(facts) });
  const transcripts = [talk('a', ['boom', '', 'x']), talk('b', ['one'])];
  const [failed, next] = await score(transcripts, backend);
  expect(reasons(failed)).toEqual(['template_mismatch', 'template_mismatch', 'template_mismatch', 'no_next_action']);
  expect(failed?.turns[0]?.null_detail).toContain('No booms.');
  expect(failed?.tokens_evaluated).toBe(0);
  expect(reasons(next)).toEqual([null, 'no_next_action']);
  const plans = await collect(planTranscripts(transcripts, { backend, options: DEFAULT_SCORE_OPTIONS }));
  expect(plans.map(({ plan }) => plan.limit > 0)).toEqual([false, true]);
});

test('a tokenizer that fails on one conversation costs that one; a server that is gone ends the run', async () => {
  const failing = (reason: string): Backend =>
    letterBackend({
      tokenize: (texts) =>
        texts.some((text) => text.includes('bad'))
          ? Promise.reject(new TurnwiseError('backend', reason, 'It broke.'))
          : Promise.resolve(texts.map(letters)),
    });
  const transcripts = [talk('a', ['bad']), talk('b', ['one'])];
  const [failed, next] = await score(transcripts, failing('server_error'));
  expect(failed?.turns[0]).toMatchObject({ null_reason: 'backend_failed', null_detail: 'It broke.' });
  expect(reasons(next)).toEqual([null, 'no_next_action']);
  await expect(score(transcripts, failing('unreachable'))).rejects.toMatchObject({ reason: 'unreachable' });
});

test.each([
  [3, undefined, 3],
  [3, 2, 2],
  [2, 9, 2],
  [1, undefined, 1],
])('a scorer that takes %i, asked for %s: %i episodes side by side', async (takes, asked, expected) => {
  let now = 0;
  let peak = 0;
  const backend = letterBackend({
    facts: () => Promise.resolve({ ...letterFacts, capabilities: { ...letterFacts.capabilities, concurrency: takes } }),
    score: async (sequences) => {
      now += 1;
      peak = Math.max(peak, now);
      await new Promise((resolve) => setTimeout(resolve, 20));
      now -= 1;
      return scoreLetters(sequences);
    },
  });
  const ids = ['a', 'b', 'c', 'd', 'e'];
  const scored = await score(
    ids.map((id) => talk(id, ['one'])),
    backend,
    asked,
  );
  expect(scored.map(({ episode_id }) => episode_id)).toEqual(ids);
  expect(peak).toBe(expected);
});

test('a prompt that the same model read otherwise is a mismatch for that turn alone; that of another model says nothing', async () => {
  const { messages } = talk('a', ['one', 'two']);
  const read = (count: number): number[] =>
    letters(
      `${messages
        .slice(0, count)
        .map(({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`)
        .join('')}<|im_start|>assistant\n`,
    );
  const prompts = [1, 3, 5].map((count) => ({ model: 'letters', ids: read(count) }));
  const other = prompts.map((prompt, k) => (k === 1 ? { ...prompt, ids: [...prompt.ids, 10] } : prompt));
  const [same, differs, foreign, unknown] = await score([
    { ...talk('a', ['one', 'two']), prompts },
    { ...talk('b', ['one', 'two']), prompts: other },
    { ...talk('c', ['one', 'two']), prompts: other.map((prompt) => ({ ...prompt, model: 'words' })) },
    { ...talk('d', ['one', 'two']), prompts: [null, null, null] },
  ]);
  expect(reasons(same)).toEqual([null, null, 'no_next_action']);
  expect(reasons(differs)).toEqual(['template_mismatch', null, 'no_next_action']);
  expect(differs?.turns[0]?.gain).toBeNull();
  expect(reasons(foreign)).toEqual(reasons(same));
  expect(reasons(unknown)).toEqual(reasons(same));
});
