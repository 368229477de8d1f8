import { inputError, TurnwiseError } from '../core/error.ts';
import { isPlainId, type EventOf } from '../core/event.ts';
import { segment, transcriptSchema, type Transcript } from '../core/transcript.ts';
import type { Journal } from '../store/journal.ts';

/** A conversation and the 1-based line of the file it came from. */
export interface ImportRow {
  readonly line: number;
  readonly value: Transcript;
}

/** A conversation of a file, ready to be stored. */
export interface PreparedImport {
  readonly line: number;
  readonly episodeId: string;
  readonly bodies: readonly (EventOf<'episode_imported'> | EventOf<'rated'>)[];
}

/**
 * Checks conversations before any store is touched. Errors name file and line: an id used twice, one that a store cannot
 * hold, ids or states that do not fit the actions.
 */
export function prepareImport(file: string, rows: readonly ImportRow[]): PreparedImport[] {
  if (rows.length === 0) {
    throw new TurnwiseError('input', 'empty_file', `${file} holds no conversation; give one JSON object a line.`);
  }
  const lineOf = new Map<string, number>();
  return rows.map(({ line, value }) => {
    const id = value.episode_id;
    const first = lineOf.get(id);
    if (first !== undefined) {
      const what = `episode_id ${id} stands on line ${first} too; give every conversation an id of its own.`;
      throw inputError('duplicate_episode', file, line, what);
    }
    if (!isPlainId(id)) {
      const what = `episode_id ${JSON.stringify(id)} holds control characters; give it a plain one.`;
      throw inputError('unsafe_id', file, line, what);
    }
    lineOf.set(id, line);
    return { line, episodeId: id, bodies: [importedEvent(file, line, value), ...ratedEvents(file, line, value)] };
  });
}

/** Puts prepared conversations into the store, each with its ratings: all of them, or none. Throws `episode_in_store`. */
export function importInto(journal: Journal, file: string, prepared: readonly PreparedImport[]): void {
  const inStore = new Set(journal.episodes().map(({ id }) => id));
  const known = prepared.find(({ episodeId }) => inStore.has(episodeId));
  if (known !== undefined) {
    const what = `episode_id ${known.episodeId} is in the store ${journal.path} already, so nothing was imported; take the line out, or choose another store.`;
    throw inputError('episode_in_store', file, known.line, what);
  }
  journal.appendAll(prepared.map(({ episodeId, bodies }) => ({ episodeId, bodies, expectedSeq: 0 })));
}

function importedEvent(file: string, line: number, transcript: Transcript): EventOf<'episode_imported'> {
  const { messages, action_ids, action_states, turn_rewards, outcome, group_id, group_rule, source } = transcript;
  const actions = segment(messages).length;
  const listed = {
    action_ids: action_ids?.length,
    action_states: action_states?.length,
    turn_rewards: turn_rewards?.length,
  };
  for (const [key, length] of Object.entries(listed)) {
    if (length === undefined || length === actions) continue;
    const what = `${key} has ${length} entries for ${actions} assistant messages; give one for each.`;
    throw inputError('uneven_actions', file, line, what);
  }
  const known = new Set(Object.keys(transcriptSchema.shape));
  return {
    type: 'episode_imported',
    source: source ?? 'imported:messages',
    // A group that Turnwise made of the request is made anew; it is nobody's task.
    group_id: group_rule === 'request' || group_rule === 'alone' ? null : (group_id ?? null),
    outcome: outcome ?? null,
    messages,
    action_ids: action_ids ?? null,
    action_states: action_states ?? null,
    row: Object.fromEntries(
      // What the event has no field for is kept as it came, and comes back with the transcript.
      Object.entries(transcript).filter(([key]) => !known.has(key) || key === 'turn_rewards'),
    ),
  };
}

/** Thumbs and notes become the events that the chat would record; of two on one turn the later counts. */
function ratedEvents(
  file: string,
  line: number,
  { messages, action_states, ratings = [] }: Transcript,
): EventOf<'rated'>[] {
  const actions = segment(messages).length;
  return ratings.map(({ turn, thumb, note }, k) => {
    if (turn !== null && turn >= actions) {
      const what = `ratings.${k}: there is no turn ${turn}; ${actions} assistant messages are turns 0 to ${actions - 1}.`;
      throw inputError('no_such_turn', file, line, what);
    }
    if (turn !== null && action_states?.[turn] === 'inherited') {
      const what = `ratings.${k}: turn ${turn} is inherited; rate it in the conversation that it comes from.`;
      throw inputError('inherited_turn', file, line, what);
    }
    return { type: 'rated', turn, thumb, note: note ?? null };
  });
}
