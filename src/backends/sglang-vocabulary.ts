import { TurnwiseError } from '../core/error.ts';

/**
 * Knows which token ids a server has. SGLang tells nobody the size of its vocabulary, and an id beyond it kills the whole
 * server, so an id goes out only once the server's own tokenizer has shown what it stands for.
 */
export interface Vocabulary {
  /** Ids that the server itself gave. */
  learn(ids: readonly number[]): void;
  /** Throws `backend`/`bad_token` where one of them is not in the vocabulary. */
  check(ids: Iterable<number>, signal?: AbortSignal): Promise<void>;
  /** Whether an id is the last of the vocabulary. */
  isLast(id: number, signal?: AbortSignal): Promise<boolean>;
}

/** `show` gives the text of each list of ids; ids that do not exist leave no trace in it. `anchor` is an id that exists. */
export function openVocabulary(
  name: string,
  anchor: number,
  show: (lists: readonly (readonly number[])[], signal?: AbortSignal) => Promise<string[]>,
): Vocabulary {
  const known = new Set([anchor]);
  const unknown = new Set<number>();

  async function look(ids: readonly number[], signal?: AbortSignal): Promise<void> {
    if (ids.length === 0) return;
    // Behind another token, since some tokenizers drop what stands at the very beginning.
    const [alone = '', ...texts] = await show([[anchor], ...ids.map((id) => [anchor, id])], signal);
    ids.forEach((id, at) => (texts[at] === undefined || texts[at] === alone ? unknown : known).add(id));
  }

  return {
    learn(ids) {
      for (const id of ids) known.add(id);
    },
    async check(ids, signal) {
      const distinct = [...new Set(ids)];
      const impossible = distinct.find((id) => !Number.isInteger(id) || id < 0 || id > 0x7fffffff);
      if (impossible !== undefined) throw badToken(name, impossible);
      await look(
        distinct.filter((id) => !known.has(id) && !unknown.has(id)),
        signal,
      );
      const wrong = distinct.find((id) => !known.has(id));
      if (wrong !== undefined) throw badToken(name, wrong);
    },
    async isLast(id, signal) {
      const next = id + 1;
      if (!known.has(next) && !unknown.has(next)) await look([next], signal);
      return unknown.has(next);
    },
  };
}

function badToken(name: string, id: number): TurnwiseError {
  return new TurnwiseError(
    'backend',
    'bad_token',
    `Token id ${id} is not in the vocabulary of ${name}; check that the tokenizer is that of the model it serves.`,
  );
}
