import { readFileSync } from 'node:fs';
import { readGgufHeader } from '../../src/engine/gguf.ts';

/** The tokenizer that a GGUF file of the Qwen2 kind carries, written the way Hugging Face writes it. */
export interface TokenizerFiles {
  readonly 'tokenizer.json': string;
  readonly 'tokenizer_config.json': string;
  readonly 'chat_template.jinja': string;
}

/** llama.cpp's number for a token that is no text. */
const CONTROL = 3;

/** How Qwen2 cuts text before it merges bytes; a GGUF names this by `qwen2` alone. */
const QWEN2 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** Reads vocabulary, merges and template out of a GGUF, so that both tokenizers under test have one source. */
export function tokenizerFilesOf(path: string): TokenizerFiles {
  const { metadata } = readGgufHeader(readFileSync(path));
  const tokens = stringsOf(metadata, 'tokenizer.ggml.tokens');
  const kinds = metadata.get('tokenizer.ggml.token_type');
  const eos = tokens[Number(metadata.get('tokenizer.ggml.eos_token_id'))] ?? '';
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const special = tokens.flatMap((content, id) =>
    Array.isArray(kinds) && kinds[id] === CONTROL ? [{ id, content, ...flags }] : [],
  );
  const split = { type: 'Split', pattern: { Regex: QWEN2 }, behavior: 'Isolated', invert: false };
  const tokenizer = {
    version: '1.0',
    added_tokens: special,
    // Qwen2 composes accents first, which llama.cpp leaves out: the two agree on composed text.
    normalizer: { type: 'NFC' },
    pre_tokenizer: { type: 'Sequence', pretokenizers: [split, byteLevel] },
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: stringsOf(metadata, 'tokenizer.ggml.merges').map((pair) => pair.split(' ')),
    },
  };
  return {
    'tokenizer.json': JSON.stringify(tokenizer),
    'tokenizer_config.json': JSON.stringify({ tokenizer_class: 'Qwen2Tokenizer', bos_token: null, eos_token: eos }),
    'chat_template.jinja': String(metadata.get('tokenizer.chat_template')),
  };
}

function stringsOf(metadata: ReadonlyMap<string, unknown>, key: string): string[] {
  const value = metadata.get(key);
  if (!Array.isArray(value)) throw new Error(`${key} is missing`);
  return value.map(String);
}
