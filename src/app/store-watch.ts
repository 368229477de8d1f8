import { errorText } from '../core/error.ts';
import type { EpisodeState } from '../core/episode-state.ts';
import { reduce } from '../core/reduce.ts';
import type { Journal } from '../store/journal.ts';
import { mayLeave } from './score-job.ts';
import type { ScoringWorker } from './scoring-worker.ts';

/** What a look at a store found. */
export interface Sighting {
  /** Conversations with a reply that an action followed. */
  readonly scorable: number;
  /** Of all conversations those that the scorer, being on another machine, may not have. */
  readonly forbidden: number;
  /** Conversations that cannot be read, and why. */
  readonly unreadable: readonly string[];
}

/** Keeps a queue filled with what is in a store: every look wishes for what is new since the one before. */
export class StoreWatch {
  readonly #journal: Journal;
  readonly #worker: ScoringWorker;
  readonly #remote: boolean;
  /** Events that an episode had when it was read last, and what was found then. */
  readonly #seen = new Map<string, { readonly events: number; readonly kind: 'scorable' | 'forbidden' | 'other' }>();

  constructor(journal: Journal, worker: ScoringWorker, { remote }: { readonly remote: boolean }) {
    this.#journal = journal;
    this.#worker = worker;
    this.#remote = remote;
  }

  /** Reads what has changed and wishes for it; a conversation that is damaged is said and passed over. */
  look(): Sighting {
    const unreadable: string[] = [];
    const wished: EpisodeState[] = [];
    for (const { id, events } of this.#journal.episodes()) {
      if (this.#seen.get(id)?.events === events) continue;
      try {
        const state = reduce(this.#journal.read(id));
        const kind = this.#kindOf(state);
        this.#seen.set(id, { events, kind });
        if (kind === 'scorable') wished.push(state);
      } catch (thrown) {
        this.#seen.set(id, { events, kind: 'other' });
        unreadable.push(errorText(thrown));
      }
    }
    this.#worker.wishAll(wished);
    const kinds = [...this.#seen.values()].map(({ kind }) => kind);
    return {
      scorable: kinds.filter((kind) => kind === 'scorable').length,
      forbidden: kinds.filter((kind) => kind === 'forbidden').length,
      unreadable,
    };
  }

  #kindOf(state: EpisodeState): 'scorable' | 'forbidden' | 'other' {
    if (state.turns.length < 2) return 'other';
    return this.#remote && !mayLeave(state) ? 'forbidden' : 'scorable';
  }
}
