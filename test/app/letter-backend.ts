import type { Backend, ScoreResult, ScorerFacts, ScoreSequence } from '../../src/core/backend.ts';
import { sha256Ids } from '../../src/core/sha.ts';

const SPECIAL = ['<|im_start|>', '<|im_end|>'];
const FIRST_SPECIAL = 0x110000;

/** Facts of a scorer whose tokens are letters: ChatML, and a context of 4,000 tokens. */
export const letterFacts: ScorerFacts = {
  identity: { id: 'letters', revision: null, tokenizer_sha: 't', template_sha: 'c', backend: 'letters', version: null },
  template: {
    source:
      "{%- for m in messages -%}{{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>' + '\\n' -}}{%- endfor -%}{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}",
    endOfTurn: ['<|im_end|>'],
    bosToken: null,
    eosToken: '<|im_end|>',
  },
  contextSize: 4000,
  notice: null,
  placebo: null,
  takesAgentPrompt: true,
  capabilities: { reusesPrefix: false, deterministic: true, countsTokens: true, concurrency: 1 },
  advice: [],
  render: null,
};

/**
 * Not a model: a `Backend` for tests of planning and of faults. A token is a letter (or one of two special tokens), and its
 * log-prob is a hash of everything before it, so that two histories differ exactly where they should.
 */
export function letterBackend(overrides: Partial<Backend> = {}): Backend & { readonly scored: ScoreSequence[][] } {
  const scored: ScoreSequence[][] = [];
  return {
    name: 'letters',
    scored,
    facts: () => Promise.resolve(letterFacts),
    tokenize: (texts) => Promise.resolve(texts.map(letters)),
    detokenize: (ids) =>
      Promise.resolve(ids.map((id) => SPECIAL[id - FIRST_SPECIAL] ?? String.fromCodePoint(id)).join('')),
    score: (sequences) => {
      scored.push([...sequences]);
      return Promise.resolve(scoreLetters(sequences));
    },
    close: () => Promise.resolve(),
    ...overrides,
  };
}

export function letters(text: string): number[] {
  return text
    .split(/(<\|im_start\|>|<\|im_end\|>)/)
    .flatMap((part) =>
      SPECIAL.includes(part)
        ? [FIRST_SPECIAL + SPECIAL.indexOf(part)]
        : Array.from(part, (letter) => letter.codePointAt(0) ?? 0),
    );
}

export function scoreLetters(sequences: readonly ScoreSequence[]): ScoreResult {
  const logprobs = sequences.map(({ ids, from, to }) =>
    Array.from({ length: to - from }, (_, k) => {
      const hash = Number.parseInt(sha256Ids(ids.slice(0, from + k + 1)).slice(0, 6), 16);
      return -(hash / 0xffffff) * 5;
    }),
  );
  return {
    logprobs,
    tokensEvaluated: sequences.reduce((sum, { ids }) => sum + ids.length - 1, 0),
    tokensReused: 0,
  };
}
