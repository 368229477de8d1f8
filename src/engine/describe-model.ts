import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import type { ChatTemplate } from '../core/backend.ts';
import { cardMeasurementsSchema } from '../core/model-card.ts';
import { sha256Text } from '../core/sha.ts';
import type { LoadedModel } from './load-model.ts';
import { logLine } from './log.ts';

const cardSchema = z.looseObject({
  name: z.string().optional(),
  sha256: z.string().optional(),
  toy: z.boolean().optional(),
  agent_prompt: z.string().nullable().optional(),
  ...cardMeasurementsSchema.shape,
});

/** What a model's card says, as far as anything depends on it; null where there is none. */
export type ModelCard = Pick<z.infer<typeof cardSchema>, 'toy' | 'agent_prompt' | 'placebo' | 'fitness'>;

/** A model as `/v1/models` shows it. */
export interface ModelDescription {
  readonly id: string;
  readonly template: ChatTemplate | null;
  readonly tokenizerSha: string;
  readonly templateSha: string | null;
  readonly card: ModelCard | null;
}

/**
 * Names a model by its content. The tokenizer's hash covers every `tokenizer.*` key of the file but the chat template, which
 * has its own; both are the same for the same content on any machine.
 */
export async function describeModel(loaded: LoadedModel): Promise<ModelDescription> {
  const { model } = loaded;
  const { chat_template: source, ...tokenizer } = model.fileInfo.metadata.tokenizer;
  const card = await readCard(loaded);
  const fileName = basename(loaded.path).replace(/\.gguf$/i, '');
  return {
    id: card?.name ?? fileName,
    template:
      typeof source === 'string'
        ? { source, endOfTurn: endOfTurn(loaded), bosToken: model.tokens.bosString, eosToken: model.tokens.eosString }
        : null,
    tokenizerSha: sha256Text(canonical(tokenizer)),
    templateSha: typeof source === 'string' ? sha256Text(source) : null,
    card: card && { toy: card.toy, agent_prompt: card.agent_prompt, placebo: card.placebo, fitness: card.fitness },
  };
}

/** Texts of all tokens that end a generation. */
function endOfTurn({ model }: LoadedModel): string[] {
  return [...model.iterateAllTokens()]
    .filter((token) => model.isEogToken(token))
    .map((token) => model.detokenize([token], true));
}

/** The JSON beside a GGUF. One that describes other weights keeps its warnings and loses its measurements. */
async function readCard({ path, sha }: LoadedModel): Promise<z.infer<typeof cardSchema> | null> {
  const text = await readFile(path.replace(/(\.gguf)?$/i, '.json'), 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    const card = cardSchema.parse(JSON.parse(text));
    return card.sha256 === undefined || card.sha256 === sha ? card : { ...card, placebo: null, fitness: null };
  } catch {
    logLine(`ignoring a model card that cannot be read, beside ${path}`);
    return null;
  }
}

/** JSON with sorted keys, so that the order in a file does not matter. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
}
