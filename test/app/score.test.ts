import { describe, expect, test } from 'vitest';
import { DEFAULT_SCORE_OPTIONS, planTranscripts, scoreTranscripts } from '../../src/app/score.ts';
import type { Backend } from '../../src/core/backend.ts';
import { TurnwiseError } from '../../src/core/error.ts';
import { scoredEpisodeSchema, type ScoredEpisode, type ScoreOptions } from '../../src/core/scored-episode.ts';
import { transcriptSchema, type Transcript } from '../../src/core/transcript.ts';
import { letterBackend, letterFacts, letters, scoreLetters } from './letter-backend.ts';

const talk = (id: string, replies: string[], extra: Partial<Transcript> = {}): Transcript =>
  transcriptSchema.parse({
    episode_id: id,
    messages: [
      { role: 'user', content: `Average a list, ${id}.` },
      ...replies.flatMap((reply, k) => [
        { role: 'assistant', content: `Question ${k}?` },
        { role: 'user', content: reply },
      ]),
      { role: 'assistant', content: 'Done.' },
    ],
    ...extra,
  });

async function score(
  transcripts: Transcript[],
  { backend = letterBackend(), ...options }: Partial<ScoreOptions> & { backend?: Backend } = {},
): Promise<ScoredEpisode[]> {
  const run = { backend, options: { ...DEFAULT_SCORE_OPTIONS, ...options } };
  const scored: ScoredEpisode[] = [];
  for await (const episode of scoreTranscripts(transcripts, run)) scored.push(episode);
  return scored;
}

describe('what is scored', () => {
  test('the two histories differ in the reply alone, and end with the next action', async () => {
    const backend = letterBackend();
    const [episode] = await score([talk('a', ['skip them please'])], { backend });
    const [factual, masked] = backend.scored[0] ?? [];
    const turn = episode?.turns[0];
    if (!factual || !masked || !turn?.obs_end || !turn.obs_start) throw new Error('not scored');
    const reply = factual.ids.slice(turn.obs_start, turn.obs_end);
    expect(await backend.detokenize(reply)).toBe('skip them please');
    expect(await backend.detokenize(masked.ids.slice(turn.obs_start, turn.obs_end))).toBe('No information f');
    expect(masked.ids.slice(0, turn.obs_start)).toEqual(factual.ids.slice(0, turn.obs_start));
    expect(masked.ids.slice(turn.obs_end)).toEqual(factual.ids.slice(turn.obs_end));
    expect(factual.ids.slice(factual.from, factual.to)).toEqual(letters('Done.<|im_end|>'));
    expect(turn).toMatchObject({ mask_truncated: true, next_from: factual.from, null_reason: null, tokens: 12 });
  });

  test('gains follow from the log-probs in the row', async () => {
    const [episode] = await score([talk('a', ['one', 'two'])]);
    for (const turn of episode?.turns.slice(0, 2) ?? []) {
      const shifts = turn.logp_factual?.map((value, j) => value - (turn.logp_masked?.[j] ?? 0)) ?? [];
      const sum = shifts.reduce((a, b) => a + b, 0);
      expect(turn.gain_sum).toBeCloseTo(sum, 12);
      expect(turn.gain).toBeCloseTo(sum / shifts.length, 12);
      expect(turn.gain).not.toBe(0);
    }
  });

  test('rows keep to the published format', async () => {
    for (const row of await score([talk('a', ['one', 'two']), talk('b', [])])) {
      expect(scoredEpisodeSchema.parse(JSON.parse(JSON.stringify(row)))).toEqual(row);
    }
  });

  test('an append-only template needs one context, and every action stands in it', async () => {
    const [episode] = await score([talk('a', ['one', 'two', 'three'])]);
    expect(episode?.contexts).toHaveLength(1);
    for (const turn of episode?.turns ?? []) {
      expect(episode?.contexts?.[0]?.slice(turn.action_start ?? 0, turn.action_end ?? 0)).toEqual(turn.action_ids);
    }
  });

  test('a template that rewrites history yields a context for each rewriting, and true spans', async () => {
    // Shows only the newest assistant message in full, as reasoning templates do.
    const source =
      "{%- for m in messages -%}{{- '<|im_start|>' + m.role + '\\n' + (m.content if m.role != 'assistant' or loop.index0 > messages|length - 3 else '...') + '<|im_end|>' + '\\n' -}}{%- endfor -%}{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}";
    const facts = { ...letterFacts, template: { ...letterFacts.template, source } };
    const [episode] = await score([talk('a', ['one', 'two', 'three'])], {
      backend: letterBackend({ facts: () => Promise.resolve(facts) }),
    });
    expect(episode?.contexts?.length).toBeGreaterThan(1);
    for (const turn of episode?.turns ?? []) {
      const own = episode?.contexts?.[turn.context ?? 0];
      expect(own?.slice(turn.action_start ?? 0, turn.action_end ?? 0)).toEqual(turn.action_ids);
      if (turn.obs_start == null || turn.obs_end == null || turn.obs_context == null) continue;
      const seen = episode?.contexts?.[turn.obs_context]?.slice(turn.obs_start, turn.obs_end);
      expect(seen).toEqual(letters(['one', 'two', 'three'][turn.index] ?? ''));
    }
  });

  test("the policy's own ids are scored where they spell the same text", async () => {
    const own = [letters('Question 0?<|im_end|>'), letters('Done.<|im_end|>')];
    const other = [[1, 2, 3], letters('Gone.<|im_end|>')];
    const [a, b] = await score([talk('a', ['one'], { action_ids: own }), talk('b', ['one'], { action_ids: other })]);
    expect(a?.turns.map((turn) => turn.token_source)).toEqual(['policy', 'policy']);
    expect(b?.turns.map((turn) => turn.token_source)).toEqual(['scorer', 'scorer']);
    expect(b?.turns[1]?.action_ids).toEqual(letters('Done.<|im_end|>'));
  });

  test('a stopped action has no end-of-turn token, no loss tokens, and flags the turn before', async () => {
    const [episode] = await score([talk('a', ['one'], { action_states: ['sampled', 'stopped'] })]);
    expect(episode?.turns[1]).toMatchObject({ tokens: 0, action_ids: letters('Done.') });
    expect(episode?.turns[0]?.flags).toEqual(['next_action_stopped']);
    expect(episode?.turns[0]?.gain).not.toBeNull();
  });

  test('noise is the largest difference between repetitions', async () => {
    let call = 0;
    const backend = letterBackend({
      score: (sequences) => {
        call += 1;
        const { logprobs, ...rest } = scoreLetters(sequences);
        const shift = [0, 0.25, -0.5][call - 1] ?? 0;
        // Moving the factual row alone moves the gain by as much.
        return Promise.resolve({
          ...rest,
          logprobs: logprobs.map((row, k) => row.map((x) => x - 1 + (k % 2 ? 0 : shift))),
        });
      },
    });
    const [episode] = await score([talk('a', ['one'])], { backend, noise: 2 });
    expect(episode?.turns[0]?.noise).toBeCloseTo(0.5, 12);
  });
});

describe('unknown is null with a reason', () => {
  const reasonsOf = async (transcript: Transcript, options: Parameters<typeof score>[1] = {}) =>
    (await score([transcript], options))[0]?.turns.map((turn) => turn.null_reason);

  test('the last turn has no next action', async () => {
    expect(await reasonsOf(talk('a', ['one']))).toEqual([null, 'no_next_action']);
  });

  test('a reply without a word is empty', async () => {
    expect(await reasonsOf(talk('a', ['']))).toEqual(['empty_reply', 'no_next_action']);
  });

  test('a reply equal to the placeholder says nothing', async () => {
    expect(await reasonsOf(talk('a', ['No information found.']))).toEqual(['mask_equals_reply', 'no_next_action']);
  });

  test('a context too small', async () => {
    const backend = letterBackend({ facts: () => Promise.resolve({ ...letterFacts, contextSize: 60 }) });
    expect(await reasonsOf(talk('a', ['one']), { backend })).toEqual(['too_long', 'no_next_action']);
  });

  test('a token that crosses the edge of the reply', async () => {
    // Joins "\n" and a following "s" into one token.
    const join = (text: string): number[] => letters(text.replaceAll('\ns', '\u{10FFFF}'));
    const backend = letterBackend({ tokenize: (texts) => Promise.resolve(texts.map(join)) });
    // Only the turn whose own reply is crossed is lost: for the next one it is settled context.
    const talked = talk('a', ['skip them', 'zero']);
    expect(await reasonsOf(talked, { backend })).toEqual(['straddle', null, 'no_next_action']);
  });

  test('one of several observations is crossed: none of them can be told from the others, and each says so', async () => {
    const join = (text: string): number[] => letters(text.replaceAll('\ns', '\u{10FFFF}'));
    const backend = letterBackend({ tokenize: (texts) => Promise.resolve(texts.map(join)) });
    const { messages } = talk('a', ['zero']);
    const several = { episode_id: 'a', messages: messages.toSpliced(3, 0, { role: 'tool', content: 'skip' }) };
    const [episode] = await score([several], { backend });
    expect(episode?.turns[0]).toMatchObject({
      null_reason: 'straddle',
      obs_gains: [{ null_reason: 'straddle' }, { null_reason: 'straddle' }],
    });
  });

  test('no other task to borrow a reply from', async () => {
    expect(await reasonsOf(talk('a', ['one']), { placeholder: 'random_reply' })).toEqual([
      'no_donor',
      'no_next_action',
    ]);
  });

  test('a failed request leaves the other episodes scored', async () => {
    const backend = letterBackend({
      score: (sequences) =>
        sequences.length > 2
          ? Promise.reject(new TurnwiseError('backend', 'http_500', 'The server failed.'))
          : Promise.resolve(scoreLetters(sequences)),
    });
    const scored = await score([talk('a', ['one', 'two']), talk('b', ['one'])], { backend });
    expect(scored.map((episode) => episode.turns[0]?.null_reason)).toEqual(['backend_failed', null]);
    expect(scored[0]?.turns[0]?.null_detail).toBe('The server failed.');
    expect(scored[0]?.tokens_evaluated).toBeNull();
  });

  test.each([
    ['unsupported', 'no_logprobs'],
    ['backend', 'connection_lost'],
    ['backend', 'unauthorized'],
  ] as const)('a server that cannot score, is gone or lets nobody in ends the run (%s, %s)', async (fault, reason) => {
    const refuse = () => Promise.reject(new TurnwiseError(fault, reason, 'This server cannot score.'));
    await expect(score([talk('a', ['one'])], { backend: letterBackend({ score: refuse }) })).rejects.toThrow(
      'cannot score',
    );
  });
});

describe('random_reply', () => {
  const episodes = [
    talk('a', ['one'], { group_id: 'g' }),
    talk('b', ['two'], { group_id: 'g' }),
    talk('c', ['three!']),
  ];

  test('borrows from another task, the same one every time, and records it', async () => {
    const [first, again] = [
      await score(episodes, { placeholder: 'random_reply' }),
      await score(episodes, { placeholder: 'random_reply' }),
    ];
    expect(first).toEqual(again);
    expect(first.map((episode) => episode.turns[0]?.mask_donor)).toEqual([
      'c/0',
      'c/0',
      expect.stringMatching(/^[ab]\/0$/),
    ]);
    expect(first[0]?.turns[0]?.mask_ids).toEqual(letters('thr'));
  });
});

test('a plan asks for no score', async () => {
  const backend = letterBackend();
  const plans = [];
  for await (const { plan } of planTranscripts([talk('a', ['one', 'two'])], {
    backend,
    options: DEFAULT_SCORE_OPTIONS,
  })) {
    plans.push(plan);
  }
  expect(backend.scored).toEqual([]);
  expect(plans[0]?.turns.map((turn) => turn.nullReason)).toEqual([null, null, 'no_next_action']);
  expect(plans[0]?.limit).toBeLessThan(plans[0]?.tokens ?? 0);
});
