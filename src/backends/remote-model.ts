import { TurnwiseError } from '../core/error.ts';

/** The model to use of those that a server lists; without a name, the first. Throws `backend`/`unknown_model` with their names. */
export function chooseModel<T extends { readonly id: string }>(
  server: string,
  listed: readonly T[],
  asked: string | null,
): T {
  const found = asked === null ? listed[0] : listed.find(({ id }) => id === asked);
  if (found) return found;
  const names = listed.map(({ id }) => id).join(', ');
  throw new TurnwiseError(
    'backend',
    'unknown_model',
    `${server} serves no model "${asked ?? ''}"; ${names === '' ? 'it lists none' : `choose one of: ${names}`}.`,
  );
}

/** Refuses before anything is sent what a server would refuse, or cut, or fall over. */
export function refuseUnfit(
  server: string,
  sequences: readonly { readonly ids: readonly number[] }[],
  { contextSize, vocabulary }: { readonly contextSize: number; readonly vocabulary: number | null },
): void {
  for (const { ids } of sequences) {
    if (ids.length > contextSize) {
      throw new TurnwiseError(
        'backend',
        'too_long',
        `A sequence of ${ids.length} tokens is longer than the ${contextSize} that ${server} takes; choose a scorer with a larger context.`,
      );
    }
    const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || (vocabulary !== null && id >= vocabulary));
    if (wrong !== undefined) {
      throw new TurnwiseError(
        'backend',
        'bad_token',
        `Token id ${wrong} is not in the vocabulary of ${server}; check that the tokenizer is that of the model it serves.`,
      );
    }
  }
}
