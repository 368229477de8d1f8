import { resolve } from 'node:path';

/** Which scorer, as settings or flags say it. */
export interface ScorerChoice {
  /** `engine` or the kind of a server. */
  readonly kind: string;
  /** Absent: a local engine of our own. */
  readonly url?: string | undefined;
  /** A GGUF file or a served model; empty for the bundled one. */
  readonly model: string;
  /** A folder, or `hf:owner/name`; absent, null or empty: what the server itself offers. */
  readonly tokenizer?: string | null | undefined;
}

/**
 * Names a scorer in the queue, before it is connected: the same for every window and command line that would ask the same
 * server for the same model through the same tokenizer, so that none of them scores what another is scoring. Another tokenizer
 * makes other ids of the same words, hence other scores.
 */
export function scorerName({ kind, url, model, tokenizer }: ScorerChoice): string {
  const server = url === undefined ? `${kind}:${model}` : `${kind}:${url.replace(/\/+$/, '')}:${model}`;
  // Without one the name is what it was before tokenizers were part of it.
  return tokenizer ? `${server} tokenizer ${folderOrReference(tokenizer)}` : server;
}

function folderOrReference(tokenizer: string): string {
  return tokenizer.startsWith('hf:') ? tokenizer : resolve(tokenizer);
}
