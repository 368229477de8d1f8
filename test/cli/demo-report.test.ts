import { describe, expect, test } from 'vitest';
import type { DemoResult } from '../../src/app/demo/demo.ts';
import { summarise } from '../../src/app/demo/summary.ts';
import { demoReport } from '../../src/cli/demo-report.ts';
import { DEFAULT_SCORE_OPTIONS } from '../../src/app/score.ts';
import { creditBatch } from '../../src/core/credit/credit.ts';
import { resolveCreditOptions } from '../../src/core/credit/options.ts';
import { exportedCredit } from '../../src/core/dataset/export-episode.ts';
import type { EpisodeState } from '../../src/core/episode-state.ts';
import type { EventBody } from '../../src/core/event.ts';
import { initialState, step } from '../../src/core/reduce.ts';
import type { ScoredEpisode } from '../../src/core/scored-episode.ts';

const generation = {
  finish: 'stop' as const,
  prompt_ids: null,
  ids: null,
  logprobs: null,
  logprobs_mode: null,
  sampling: { temperature: 1, top_p: 1, top_k: null, seed: 1, max_tokens: null },
  model: 'toy',
  model_revision: null,
  server: 'test',
  server_version: null,
  template_sha: null,
  tokenizer_sha: null,
  latency_ms: 1,
  first_token_ms: null,
};

function episode(id: string, question: string, passed: number): EpisodeState {
  const bodies: EventBody[] = [
    {
      type: 'episode_started',
      source: 'simulated',
      task_id: 'task',
      parent: null,
      agent_prompt: null,
      answer_marker: 'ANSWER:',
      max_turns: 10,
    },
    {
      type: 'request_accepted',
      text: 'Sum the list, and mind everything that a careful developer minds when lists are long and odd.',
    },
    { type: 'action_started', turn: 0, pid: null },
    { type: 'action_asked', turn: 0, question, options: [], generation: { ...generation, text: question } },
    { type: 'observed', turn: 0, kind: 'typed', text: 'skip them', options_shown: [], option: null, latency_ms: null },
    { type: 'action_started', turn: 1, pid: null },
    { type: 'action_answered', turn: 1, message: '', code: 'x', generation: { ...generation, text: 'x' } },
    { type: 'tests_run', turn: 1, passed, total: 4 },
    { type: 'episode_closed' },
  ];
  return bodies.reduce(
    (state, body, seq) => step(state, { id: `${id}-${seq}`, episode_id: id, seq, at: 1, version: 1, body }),
    initialState(id),
  );
}

function scores(state: EpisodeState, gain: number): ScoredEpisode {
  const turn = {
    tokens: 3,
    gain: null,
    gain_sum: null,
    null_reason: 'no_next_action' as const,
    action_ids: [1, 2, 3],
    next_from: null,
    mask_ids: null,
    mask_truncated: false,
    factual_ids_sha: null,
    masked_ids_sha: null,
    logp_factual: null,
    logp_masked: null,
  };
  return {
    schema: 'turnwise-score/1',
    episode_id: state.id,
    group_id: state.groupId,
    outcome: null,
    scorer: { id: 'toy', revision: null, tokenizer_sha: null, template_sha: null, backend: 'test', version: null },
    placebo: null,
    options: DEFAULT_SCORE_OPTIONS,
    tokens_evaluated: 1234,
    tokens_limit: 1234,
    turns: [
      { ...turn, index: 0, gain, gain_sum: gain * 12, null_reason: null },
      { ...turn, index: 1 },
    ],
  };
}

function result(questions: readonly string[], gains: readonly number[], passed: readonly number[]): DemoResult {
  const states = questions.map((question, at) => episode(`e${at}`, question, passed[at] ?? 0));
  const scored = states.map((state, at) => scores(state, gains[at] ?? 0));
  const batch = states.map((state, at) => exportedCredit(state, scored[at] ?? scores(state, 0)));
  return {
    facts: {
      identity: { id: 'toy', revision: null, tokenizer_sha: null, template_sha: null, backend: 'test', version: null },
      template: { source: '', endOfTurn: [], bosToken: null, eosToken: null },
      contextSize: 512,
      notice: 'A toy.',
      placebo: null,
      capabilities: { reusesPrefix: true, deterministic: true, countsTokens: true, concurrency: 1 },
      advice: [],
      render: null,
      takesAgentPrompt: false,
    },
    states,
    scored,
    ledgers: creditBatch(batch, resolveCreditOptions()),
    exported: {
      out: 'out/dataset',
      rows: states.length,
      turns: 2 * states.length,
      unscored: 0,
      redacted: 0,
      batch_id: null,
      batch_n: states.length,
      refused: [],
      manifest: {
        schema: 'turnwise-dataset/1',
        row_schema: 'infopo-fused/3',
        made_by: 'test',
        files: [],
        splits: [],
        unscored: 0,
        refused: [],
        credit_options: null,
        score_options: null,
        scorer: null,
      },
    },
    verified: { ok: true, rows: states.length, batches: 1, violations: [] },
  };
}

function report(demo: DemoResult, width = 80): string[] {
  const places = { dataset: 'out/dataset', store: 'out/store.sqlite' };
  const look = { width, style: (_: string, text: string) => text, command: 'turnwise' };
  return demoReport(7, demo, summarise(demo), places, look);
}

const many = result(
  [
    'What about gaps?',
    'Noted: everything that was said until now, at length. And what about the gaps?',
    'What about gaps?',
  ],
  [0.5, -0.25, 0],
  [4, 2, 0],
);

describe('the report', () => {
  test.each([72, 80, 104, 105, 120])('fits %i columns, with the figures aligned at the right', (width) => {
    const lines = report(many, width);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    const rows = lines.filter((line) => /^ ?\d* {2,}\d {2}/.test(line));
    expect(rows).toHaveLength(6);
    expect(new Set(rows.map((row) => row.length)).size).toBe(1);
  });

  test('shows the gain in nats, total and per token, and a dot for what nobody can know', () => {
    const text = report(many).join('\n');
    expect(text).toMatch(/What about gaps\? +\+6\.00 +\+0\.500 +[+−]\d/);
    expect(text).toMatch(/… And what about the gaps\? +−3\.00 +−0\.250/);
    expect(text).toMatch(/What about gaps\? +0\.00 +0\.000/);
    expect(text).toMatch(/code: 4 of 4 calls pass +· +· +[+−]\d/);
    expect(text).not.toMatch(/null|NaN|undefined/);
  });

  test('counts questions, passes, gains and tokens', () => {
    const text = report(many).join('\n');
    expect(text).toMatch(/Questions +2 distinct of 3/);
    expect(text).toMatch(/Gains defined +3 of 6 turns \(50 %\)/);
    expect(text).toMatch(/Passed +1 of 3 conversations \(33 %\), 6 of 12 hidden calls/);
    expect(text).toMatch(/Tokens evaluated +3,702, causal limit 3,702 \(1\.00\)/);
    expect(text).toContain('toy');
  });

  test('says what an advantage needs where there is none', () => {
    const alone = result(['What about gaps?'], [0.5], [4]);
    const text = report(alone).join('\n');
    expect(text).toContain('needs more conversations');
    expect(text).toMatch(/\+6\.00 +\+0\.500/);
  });

  test('a replies column where there is room', () => {
    expect(report(many, 80).join('\n')).not.toContain('skip them');
    expect(report(many, 120).join('\n')).toContain('skip them');
  });
});
