import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHAT_TEMPLATE, SPECIAL } from './byte-model.ts';

/** Writes the byte tokenizer as a Hugging Face folder, and gives its path; the caller deletes it. */
export function writeTokenizerFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'turnwise-bytes-'));
  const added = SPECIAL.map((content, at) => ({
    ...{ id: 256 + at, content, special: true },
    ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
  }));
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
  const tokenizer = {
    ...{ version: '1.0', truncation: null, padding: null, normalizer: null, post_processor: null },
    added_tokens: added,
    pre_tokenizer: byteLevel,
    decoder: byteLevel,
    model: {
      ...{ type: 'BPE', dropout: null, unk_token: null, fuse_unk: false, byte_fallback: false },
      ...{ continuing_subword_prefix: null, end_of_word_suffix: null },
      vocab: Object.fromEntries([
        ...byteLetters().map((letter, byte) => [letter, byte] as const),
        ...added.map(({ content, id }) => [content, id] as const),
      ]),
      merges: [],
    },
  };
  const config = {
    ...{ tokenizer_class: 'PreTrainedTokenizerFast', clean_up_tokenization_spaces: false, model_max_length: 6000 },
    ...{ bos_token: null, eos_token: '<|im_end|>', pad_token: '<|pad|>', chat_template: CHAT_TEMPLATE },
  };
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
  return folder;
}

/** GPT-2's printable letter of each byte: itself where it prints, else one from 256 on, in order. */
function byteLetters(): string[] {
  let spare = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const prints = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCodePoint(prints ? byte : spare++);
  });
}
