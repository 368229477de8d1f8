/** Which scorer, as settings or flags say it. */
export interface ScorerChoice {
  /** `engine` or the kind of a server. */
  readonly kind: string;
  /** Absent: a local engine of our own. */
  readonly url?: string | undefined;
  /** A GGUF file or a served model; empty for the bundled one. */
  readonly model: string;
}

/**
 * Names a scorer in the queue, before it is connected: the same for every window and command line that would ask the same
 * server for the same model, so that none of them scores what another is scoring.
 */
export function scorerName({ kind, url, model }: ScorerChoice): string {
  return url === undefined ? `${kind}:${model}` : `${kind}:${url.replace(/\/+$/, '')}:${model}`;
}
