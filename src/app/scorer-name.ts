/** Which scorer, as settings or flags say it. */
export type ScorerChoice =
  | { readonly kind: 'engine'; readonly model: string }
  | { readonly kind: string; readonly url: string; readonly model: string };

/**
 * Names a scorer in the queue, before it is connected: the same for every window and command line that would ask the same
 * server for the same model, so that none of them scores what another is scoring.
 */
export function scorerName(choice: ScorerChoice): string {
  if (!('url' in choice)) return `${choice.kind}:${choice.model}`;
  return `${choice.kind}:${choice.url.replace(/\/+$/, '')}:${choice.model}`;
}
