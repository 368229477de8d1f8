/**
 * Not a language model: a true, normalised distribution over a vocabulary of bytes and four special tokens that depends on every
 * token before, so that two histories differ exactly where they should and any number can be computed twice.
 */
export const SPECIAL = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<|pad|>'] as const;
export const VOCABULARY = 256 + SPECIAL.length;
export const END_OF_TURN = 256 + SPECIAL.indexOf('<|im_end|>');
export const END_OF_TEXT = 256 + SPECIAL.indexOf('<|endoftext|>');
export const CHAT_TEMPLATE =
  "{%- for m in messages -%}{{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>' + '\\n' -}}{%- endfor -%}{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}";

/** Bytes as ids, or, for the tokenizer that a server must not have, bytes counted from the other end. */
export interface ByteTokenizer {
  encode(text: string): number[];
  decode(ids: readonly number[]): string;
}

export function byteTokenizer({ other = false } = {}): ByteTokenizer {
  const flip = (byte: number): number => (other ? 255 - byte : byte);
  const split = /(<\|endoftext\|>|<\|im_start\|>|<\|im_end\|>|<\|pad\|>)/;
  return {
    encode: (text) =>
      text.split(split).flatMap((part) => {
        const special = SPECIAL.findIndex((known) => known === part);
        return special >= 0 ? [256 + special] : Array.from(Buffer.from(part, 'utf8'), flip);
      }),
    decode: (ids) =>
      Buffer.concat(
        ids.map((id) => (id < 256 ? Buffer.of(flip(id)) : Buffer.from(SPECIAL[id - 256] ?? '', 'utf8'))),
      ).toString('utf8'),
  };
}

/** ChatML, as `CHAT_TEMPLATE` writes it; the other one greets first. */
export function renderByteChat(
  messages: readonly { readonly role: string; readonly content: string }[],
  addGenerationPrompt: boolean,
  { other = false } = {},
): string {
  const greeting = other ? '<|im_start|>system\nBe kind.<|im_end|>\n' : '';
  const said = messages.map(({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`).join('');
  return `${greeting}${said}${addGenerationPrompt ? '<|im_start|>assistant\n' : ''}`;
}

/** What the model says of one position: the log-prob (nats) and rank of the token that stands there. */
export interface ModelRow {
  readonly id: number;
  readonly logprob: number;
  readonly rank: number;
}

/** A row per position; null at 0, which nothing precedes. */
export function modelRows(ids: readonly number[]): (ModelRow | null)[] {
  let state = START;
  return ids.map((id, position) => {
    const row = position === 0 ? null : rowOf(state, id);
    state = step(state, id);
    return row;
  });
}

/** Log-probs of positions [from, to), in nats. */
export function trueLogprobs(sequence: {
  readonly ids: readonly number[];
  readonly from: number;
  readonly to: number;
}): number[] {
  return modelRows(sequence.ids)
    .slice(sequence.from, sequence.to)
    .map((row) => row?.logprob ?? Number.NaN);
}

/** The likeliest tokens after `ids`, the likeliest first. */
export function likeliestOf(ids: readonly number[], count: number): ModelRow[] {
  const state = ids.reduce(step, START);
  const all = Array.from({ length: VOCABULARY }, (_, id) => ({ id, logit: logit(state, id) }));
  const total = Math.log(all.reduce((sum, one) => sum + Math.exp(one.logit), 0));
  return all
    .sort((a, b) => b.logit - a.logit)
    .slice(0, count)
    .map((one, at) => ({ id: one.id, logprob: one.logit - total, rank: at + 1 }));
}

export function likeliest(ids: readonly number[]): ModelRow {
  return likeliestOf(ids, 1)[0] ?? rowOf(START, 0);
}

/** What to take off every log-prob of an answer, nats: nothing, or by turns as much as another model would differ by. */
export function drifting(unsteady: boolean): () => number {
  let answers = 0;
  return () => {
    answers += 1;
    return unsteady && answers % 2 === 0 ? 0.3 : 0;
  };
}

const START = 0x2545f491;

function rowOf(state: number, id: number): ModelRow {
  const own = logit(state, id);
  let sum = 0;
  let rank = 1;
  for (let other = 0; other < VOCABULARY; other += 1) {
    const value = logit(state, other);
    sum += Math.exp(value);
    if (value > own) rank += 1;
  }
  return { id, logprob: own - Math.log(sum), rank };
}

/** Between 0 and 8, so that no log-prob is far from what a trained model gives. */
function logit(state: number, id: number): number {
  return (mix(state ^ Math.imul(id + 1, 0x85ebca6b)) >>> 0) / 2 ** 29;
}

function step(state: number, id: number): number {
  return mix(Math.imul(state, 31) + id + 1);
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return mixed ^ (mixed >>> 15);
}
