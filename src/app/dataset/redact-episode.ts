import type { EpisodeState, TurnState } from '../../core/episode-state.ts';
import { requestGroup } from '../../core/group.ts';
import type { Override } from '../../core/override.ts';
import type { ScoredEpisode } from '../../core/scored-episode.ts';
import type { Redactor } from '../../core/secrets/redactor.ts';
import { segment } from '../../core/transcript.ts';
import { lintedSecrets } from '../secret-scan.ts';

/** An episode as it may leave, and how many places of its conversation were replaced. */
export interface RedactedEpisode {
  readonly state: EpisodeState;
  readonly replacements: number;
}

/**
 * Replaces the secrets of an episode. Where its conversation held one, the ids and log-probs that the policy's server recorded
 * are gone as well: they would decode back to it. Names (task, model, server) are replaced without touching the tokens.
 */
export async function redactEpisode(state: EpisodeState, redactor: Redactor): Promise<RedactedEpisode> {
  const texts = [
    ...state.messages.map(({ content }) => content),
    ...state.turns.map(({ note }) => note ?? ''),
    ...[state, ...state.turns].map(({ override }) => override.note ?? ''),
  ];
  const cleaned = redactor.texts(texts, await lintedSecrets(texts));
  const named = withCleanNames(state, redactor);
  const said = cleaned.slice(0, state.messages.length);
  const notes = cleaned.slice(state.messages.length, -1 - state.turns.length);
  const [ofEpisode, ...reviews] = cleaned.slice(-1 - state.turns.length);
  const turns = named.turns.map((turn, index) => ({
    ...turn,
    note: turn.note === null ? null : (notes[index] ?? null),
    override: noted(turn.override, reviews[index]),
  }));
  const override = noted(state.override, ofEpisode);
  if (said.every((text, index) => text === texts[index]))
    return { state: { ...named, override, turns }, replacements: 0 };
  const messages = state.messages.map((message, index) => ({ ...message, content: said[index] ?? '' }));
  const spans = segment(messages);
  return {
    state: {
      ...named,
      override,
      messages,
      groupId: groupAmong(named, messages),
      turns: turns.map((turn, index) => withoutTokens(turn, (k) => said[spans[index]?.observations[k] ?? -1] ?? '')),
    },
    replacements: said.reduce((sum, text) => sum + (text.match(/<redacted:[a-z-]+:\d+>/g)?.length ?? 0), 0),
  };
}

/** Who scored and how, without what its names may tell (a model's path names the person who keeps it). */
export function redactScored(scored: ScoredEpisode, redactor: Redactor): ScoredEpisode {
  const { id } = scored.scorer;
  return { ...scored, scorer: { ...scored.scorer, id: redactor.text(id) } };
}

function withCleanNames(state: EpisodeState, redactor: Redactor): EpisodeState {
  const text = (name: string): string => redactor.text(name);
  const clean = <T extends string | null>(name: T): T | string => (name === null ? name : text(name));
  return {
    ...state,
    // The name of a request's group is a hash, and not the kind of hex that a key is.
    groupId: state.groupRule === 'task' ? text(state.groupId) : state.groupId,
    taskId: clean(state.taskId),
    source: text(state.source),
    turns: state.turns.map((turn) => {
      const { generation } = turn;
      if (generation === null) return turn;
      const { model, server } = generation;
      const names = {
        model: text(model),
        server: text(server),
      };
      return { ...turn, generation: { ...generation, ...names } };
    }),
  };
}

/** An override with its note as it may leave. */
function noted(override: Override, note: string | undefined): Override {
  return { ...override, note: override.note === null ? null : (note ?? null) };
}

/** A group that came of a request is that of the request as it leaves: its readers know no other. */
function groupAmong({ groupId }: EpisodeState, messages: EpisodeState['messages']): string {
  const request = messages.find(({ role }) => role === 'user')?.content;
  if (request === undefined || !groupId.startsWith('request-sha256:')) return groupId;
  return requestGroup(request) ?? groupId;
}

function withoutTokens(turn: TurnState, observed: (index: number) => string): TurnState {
  const { generation } = turn;
  return {
    ...turn,
    ids: null,
    generation:
      generation === null
        ? null
        : { ...generation, prompt_ids: null, ids: null, logprobs: null, logprobs_mode: null, text: '' },
    observations: turn.observations.map((observation, index) => ({ ...observation, text: observed(index) })),
  };
}
