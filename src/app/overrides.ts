import type { EpisodeState } from '../core/episode-state.ts';
import { TurnwiseError } from '../core/error.ts';
import type { EventBody } from '../core/event.ts';
import { isHeld, newestChange, NO_OVERRIDE, NOTE_LIMIT, type OverrideChange } from '../core/override.ts';
import { reduce, step } from '../core/reduce.ts';
import { refusal } from '../core/refusal.ts';
import type { Journal } from '../store/journal.ts';
import { patiently } from './patiently.ts';
import { refusalError } from './refusal-error.ts';

/** A change that an undo took back, and the state that holds now. */
export interface TakenBack {
  readonly turn: number | null;
  readonly change: OverrideChange;
  readonly state: EpisodeState;
}

/** Changes of this window that an undo can walk back through. */
const HISTORY = 200;

/**
 * What a reviewer lays over conversations, as events: never over a score. A change is one field of one turn, appended behind
 * whatever others wrote meanwhile, so that two windows lose nothing; what holds already is not written again.
 */
export class Overrides {
  readonly #journal: Journal;
  readonly #onChange: (state: EpisodeState) => void;
  /** This window's own changes, newest last: an undo takes those back first, not what somebody else did in between. */
  readonly #mine: { readonly episodeId: string; readonly seq: number }[] = [];

  /** `onChange` is called with the state that a change led to, once it is on the disk. */
  constructor(journal: Journal, onChange: (state: EpisodeState) => void = () => undefined) {
    this.#journal = journal;
    this.#onChange = onChange;
  }

  /** Changes one field of a turn, or (turn null) of the episode. Throws `no_such_turn`, `inherited_turn`, `long_note`, and what the store throws. */
  async set(episodeId: string, turn: number | null, change: OverrideChange): Promise<EpisodeState> {
    const wanted = cleaned(change);
    const state = reduce(this.#journal.read(episodeId));
    const held = turn === null ? state.override : (state.turns[turn]?.override ?? NO_OVERRIDE);
    const body: EventBody = { type: 'override_set', turn, change: wanted };
    const why = refusal(state, body);
    if (why !== null) throw refusalError(why);
    if (isHeld(held, wanted)) return state;
    const changed = await this.#append(state, body);
    this.#mine.push({ episodeId, seq: changed.lastSeq });
    if (this.#mine.length > HISTORY) this.#mine.shift();
    return changed;
  }

  /**
   * Takes back this window's newest change to the episode, or (null) to any; without one of its own the episode's newest. Null:
   * there is nothing to take back.
   */
  async undo(episodeId: string | null): Promise<TakenBack | null> {
    for (;;) {
      const at = this.#mine.findLastIndex((own) => episodeId === null || own.episodeId === episodeId);
      const [own] = at < 0 ? [] : this.#mine.splice(at, 1);
      const id = own?.episodeId ?? episodeId;
      if (id === null) return null;
      const state = reduce(this.#journal.read(id));
      const record =
        own === undefined
          ? newestChange(state.overrides)
          : state.overrides.find(({ seq, takenBack }) => seq === own.seq && !takenBack);
      if (record == null) {
        // Somebody else took it back already: go on to the one before.
        if (own !== undefined) continue;
        return null;
      }
      const changed = await this.#append(state, { type: 'override_undone', seq: record.seq });
      return { turn: record.turn, change: record.change, state: changed };
    }
  }

  async #append(state: EpisodeState, body: EventBody): Promise<EpisodeState> {
    const event = await patiently(() => this.#journal.append(state.id, [body])[0]);
    if (event === undefined) throw new Error('The journal returned no event for one body.');
    // Others may have written in between; turns only ever come to be, so the change still fits.
    const inOrder = event.seq === state.lastSeq + 1;
    const changed = inOrder ? step(state, event) : reduce(this.#journal.read(state.id));
    this.#onChange(changed);
    return changed;
  }
}

/** A note without blanks around it; an empty one takes the note away. */
function cleaned(change: OverrideChange): OverrideChange {
  if (change.field !== 'note' || change.value === null) return change;
  const text = change.value.trim();
  if (text.length <= NOTE_LIMIT) return { field: 'note', value: text === '' ? null : text };
  throw new TurnwiseError(
    'usage',
    'long_note',
    `A note may have ${NOTE_LIMIT} characters, this one has ${text.length}; shorten it.`,
  );
}
