import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEFAULT_SCORE_OPTIONS, planTranscripts, scoreTranscripts } from '../../src/app/score.ts';
import type { RunningEngine } from '../../src/app/engine-process.ts';
import { openEngineBackend } from '../../src/backends/engine.ts';
import type { Backend } from '../../src/core/backend.ts';
import type { Message } from '../../src/core/message.ts';
import { sequencesOf, type EpisodePlan } from '../../src/core/plan/plan.ts';
import type { ScoredEpisode, ScoreOptions } from '../../src/core/scored-episode.ts';
import type { Transcript } from '../../src/core/transcript.ts';
import { startToy } from './model.ts';

const APPEND_ONLY =
  "{%- for m in messages -%}{{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' -}}{%- endfor -%}{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}";

/** In the manner of Qwen3: thinking is shown behind the last user message alone, so that every reply rewrites what was said. */
const REWRITING = `
{%- set ns = namespace(last=0) -%}
{%- for m in messages -%}{%- if m.role == 'user' -%}{%- set ns.last = loop.index0 -%}{%- endif -%}{%- endfor -%}
{%- for m in messages -%}
  {%- set text = m.content -%}
  {%- if m.role == 'assistant' and loop.index0 < ns.last and '</think>' in text -%}
    {%- set text = text.split('</think>')[1].lstrip('\\n') -%}
  {%- endif -%}
  {{- '<|im_start|>' + m.role + '\\n' + text + '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}`;

const thought = (about: string, said: string): Message => ({
  role: 'assistant',
  content: `<think>\nThey did not say what to do about ${about}.\n</think>\n\n${said}`,
});
const TALK: readonly Message[] = [
  { role: 'user', content: 'Return the average of a list of prices.' },
  thought('missing prices', 'Noted. What about None?'),
  { role: 'user', content: 'skip them, and count how many there were' },
  thought('digits', 'Noted: skip them. To how many digits?'),
  { role: 'user', content: 'two digits, please, and round half up' },
  thought('an empty list', 'Noted: two digits. What if the list is empty?'),
  { role: 'user', content: 'raise a ValueError with a sentence' },
  thought('nothing else', 'I can do that.\nI WANT TO ANSWER:\ndef average(prices):\n    return 0\n'),
];
let episodes = 0;
/** Under a name of its own each time: the engine keeps its cache within an episode. */
const transcript = (messages: readonly Message[]): Transcript => ({
  episode_id: `episode ${(episodes += 1)}`,
  messages: [...messages],
});

let engine: RunningEngine;
beforeAll(async () => {
  engine = await startToy();
});
afterAll(() => engine.close());

/** The engine's own scorer, under another template. */
function scorerWith(source: string): Backend {
  const backend = openEngineBackend(engine);
  return {
    ...backend,
    facts: async (signal) => {
      const facts = await backend.facts(signal);
      return { ...facts, template: { ...facts.template, source } };
    },
  };
}

async function scoreOnce(
  backend: Backend,
  messages: readonly Message[],
  options: ScoreOptions,
): Promise<ScoredEpisode> {
  for await (const scored of scoreTranscripts([transcript(messages)], { backend, options })) return scored;
  throw new Error('Nothing was scored.');
}

async function planOnce(backend: Backend, messages: readonly Message[]): Promise<EpisodePlan> {
  const run = { backend, options: DEFAULT_SCORE_OPTIONS };
  for await (const { plan } of planTranscripts([transcript(messages)], run)) return plan;
  throw new Error('Nothing was planned.');
}

const SHAPES = [
  ['appends', APPEND_ONLY],
  ['rewrites what was said', REWRITING],
] as const;

test.each(SHAPES)('a template that %s: every token of the plan is evaluated once, and no other', async (_, source) => {
  for (const mask_mode of ['length_matched', 'natural'] as const) {
    const scored = await scoreOnce(scorerWith(source), TALK, { ...DEFAULT_SCORE_OPTIONS, mask_mode });
    expect(scored.turns.map((turn) => turn.null_reason)).toEqual([null, null, null, 'no_next_action']);
    expect(scored.tokens_evaluated).toBe(scored.tokens_limit);
  }
});

test('the template that rewrites does so: no factual history is the beginning of the next', async () => {
  const beginnings = async (source: string): Promise<boolean[]> => {
    const factual = sequencesOf((await planOnce(scorerWith(source), TALK)).turns).filter((_, at) => at % 2 === 0);
    return factual.slice(1).map(({ ids }, at) => factual[at]?.ids.every((id, k) => id === ids[k]) ?? false);
  };
  expect(await beginnings(APPEND_ONLY)).toEqual([true, true]);
  expect(await beginnings(REWRITING)).toEqual([false, false]);
});

test.each(SHAPES)(
  'a template that %s, scored live: within 1.1 of the limit over the whole conversation',
  async (how, source) => {
    const backend = scorerWith(source);
    const whole = await planOnce(backend, TALK);
    let evaluated = 0;
    const sent = new Set<string>();
    for (let said = 4; said <= TALK.length; said += 2) {
      const plan = await planOnce(backend, TALK.slice(0, said));
      // What was scored before is remembered by its content; only the newest turn is sent.
      const fresh = sequencesOf(plan.turns).filter(({ ids, from }) => !sent.has(`${from} ${ids.join()}`));
      for (const { ids, from } of fresh) sent.add(`${from} ${ids.join()}`);
      expect(fresh).toHaveLength(2);
      evaluated += (await backend.score(fresh, { session: `live ${how}` })).tokensEvaluated ?? Number.NaN;
    }
    expect(evaluated).toBeGreaterThanOrEqual(whole.limit);
    expect(evaluated).toBeLessThanOrEqual(1.1 * whole.limit);
  },
);
