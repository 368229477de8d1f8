import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import type { ChatTemplate } from '../core/backend.ts';
import { errorText, TurnwiseError } from '../core/error.ts';
import { sha256Text } from '../core/sha.ts';

/** A special token as configurations write it: its text, or an object around it. */
const specialSchema = z
  .union([z.string(), z.object({ content: z.string() }).transform(({ content }) => content)])
  .nullish()
  .transform((text) => text ?? null);
const configSchema = z.looseObject({
  bos_token: specialSchema,
  eos_token: specialSchema,
  chat_template: z
    .union([
      z.string(),
      z.array(z.object({ name: z.string(), template: z.string() })).transform((all) => {
        return (all.find(({ name }) => name === 'default') ?? all[0])?.template ?? null;
      }),
    ])
    .nullish(),
});
const tokenizerSchema = z.looseObject({
  added_tokens: z.array(z.object({ content: z.string(), special: z.boolean() })).default([]),
});

/** A model's tokenizer and template as a Hugging Face folder carries them. */
export interface FolderTokenizer {
  readonly template: ChatTemplate;
  readonly tokenizerSha: string;
  readonly templateSha: string;
  tokenize(texts: readonly string[]): Promise<number[][]>;
  detokenize(ids: readonly number[]): Promise<string>;
}

/**
 * Reads `tokenizer.json`, `tokenizer_config.json` and, where there is one, `chat_template.jinja`. Throws `usage`/`no_tokenizer`
 * for a folder without them and `input`/`bad_tokenizer` for files that are none; detokenising an unknown id is `bad_token`.
 */
export async function readTokenizerFolder(folder: string): Promise<FolderTokenizer> {
  const [tokenizerText, configText] = await Promise.all([
    read(join(folder, 'tokenizer.json')),
    read(join(folder, 'tokenizer_config.json')),
  ]);
  const templateText = await readFile(join(folder, 'chat_template.jinja'), 'utf8').catch(() => null);
  const parsed = parse(folder, tokenizerText, configText);
  const source = templateText ?? parsed.config.chat_template ?? null;
  if (source === null) {
    throw new TurnwiseError(
      'unsupported',
      'no_template',
      `${folder} has no chat template, so conversations cannot be rendered; name the folder of an instruction-tuned model.`,
    );
  }
  const { tokenizer, config, special } = parsed;
  const template: ChatTemplate = {
    source,
    endOfTurn: [...new Set([...special, ...(config.eos_token === null ? [] : [config.eos_token])])],
    bosToken: config.bos_token,
    eosToken: config.eos_token,
  };
  return {
    template,
    tokenizerSha: sha256Text(tokenizerText),
    templateSha: sha256Text(source),
    tokenize: (texts) =>
      Promise.resolve(texts.map((text) => tokenizer.encode(text, { add_special_tokens: false }).ids)),
    detokenize: (ids) => {
      if (ids.length === 0) return Promise.resolve('');
      if (ids.some((id) => tokenizer.id_to_token(id) === undefined)) {
        return Promise.reject(
          new TurnwiseError('backend', 'bad_token', `A token id is not in the vocabulary of ${folder}.`),
        );
      }
      const options = { skip_special_tokens: false, clean_up_tokenization_spaces: false };
      return Promise.resolve(tokenizer.decode([...ids], options));
    },
  };
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new TurnwiseError(
      'usage',
      'no_tokenizer',
      `${path} cannot be read (${errorText(cause)}); name the folder that holds the model's tokenizer.json and tokenizer_config.json.`,
      { cause },
    );
  }
}

function parse(
  folder: string,
  tokenizerText: string,
  configText: string,
): { readonly tokenizer: Tokenizer; readonly config: z.infer<typeof configSchema>; readonly special: string[] } {
  try {
    const json: unknown = JSON.parse(tokenizerText);
    const { added_tokens } = tokenizerSchema.parse(json);
    const config = configSchema.parse(JSON.parse(configText));
    const special = added_tokens.filter((token) => token.special).map(({ content }) => content);
    return { tokenizer: new Tokenizer(json as object, config), config, special };
  } catch (cause) {
    throw new TurnwiseError(
      'input',
      'bad_tokenizer',
      `${folder} holds no tokenizer that can be used (${errorText(cause)}); fetch the model's files again.`,
      { cause },
    );
  }
}
