import type { Branches } from '../core/branches.ts';
import { attachmentLabel, MAX_ATTACHMENTS, splitContext, withContext } from '../core/context-text.ts';
import { TurnwiseError } from '../core/error.ts';
import type { EpisodeState } from '../core/episode-state.ts';
import type { EventBody } from '../core/event.ts';
import type { ForkPoint } from '../core/fork.ts';
import { Conversation, type ConversationPorts } from './conversation.ts';

/** What a developer wants to be otherwise: other words, or (without words) another action of the agent. */
export type BranchWish =
  | { readonly at: 'request'; readonly text: string }
  | { readonly at: 'reply'; readonly turn: number; readonly text: string }
  | { readonly at: 'action'; readonly turn: number };

/**
 * Starts the branch in which the conversation goes on otherwise; the agent is due in it. It leaves the episode whose own words
 * it replaces, which stays as it is. Throws `no_such_turn`, `empty_text`, `not_editable`, and what an append throws.
 */
export async function branchOff(
  ports: ConversationPorts,
  shown: EpisodeState,
  branches: Branches,
  wish: BranchWish,
): Promise<Conversation> {
  const point: ForkPoint = wish.at === 'request' ? { at: 'request' } : { at: wish.at, turn: wish.turn };
  const owner = branches.owner(shown.id, point);
  const parent = owner === shown.id ? shown : Conversation.open(ports, owner).state;
  const opening = [...words(parent, wish), ...consent(shown)];
  return Conversation.branch(ports, parent, point, 'real_developer', opening);
}

function words(parent: EpisodeState, wish: BranchWish): EventBody[] {
  if (wish.at === 'action') return [];
  if (wish.text.trim() === '') {
    throw new TurnwiseError('usage', 'empty_text', 'Write what you want to say instead, then send it.');
  }
  if (wish.at === 'reply') return [reply(parent, wish)];
  return [{ type: 'request_accepted', text: withAttached(wish.text, parent.request ?? '') }];
}

/** What was attached to the words before goes with the new ones, unless the same place is attached anew. */
function withAttached(text: string, before: string): string {
  const { words: said, attachments: anew } = splitContext(text);
  const labels = new Set(anew.map(attachmentLabel));
  const kept = splitContext(before).attachments.filter((one) => !labels.has(attachmentLabel(one)));
  const attachments = [...anew, ...kept].slice(0, MAX_ATTACHMENTS);
  return attachments.length === 0 ? text : withContext(said, attachments);
}

/** Given as the reply in its place was given: what was an option is an edited one now, a rejection stays one. */
function reply(parent: EpisodeState, { turn, text }: Extract<BranchWish, { at: 'reply' }>): EventBody {
  const before = parent.turns[turn]?.observations.at(-1);
  if (before === undefined || before.kind === 'tool' || before.kind === 'test' || before.kind === 'edit') {
    throw new TurnwiseError(
      'usage',
      'not_editable',
      'There is no reply of yours to edit here; look at the chat again.',
    );
  }
  const shared = {
    type: 'observed',
    turn,
    text: withAttached(text, before.text),
    options_shown: before.optionsShown,
  } as const;
  // How long the question was thought about is not known: it was read before.
  const latency_ms = null;
  if (before.kind === 'rejected') return { ...shared, kind: 'rejected', option: null, latency_ms };
  if (before.option === null) return { ...shared, kind: 'typed', option: null, latency_ms };
  return { ...shared, kind: text === before.option ? 'option' : 'edited_option', option: before.option, latency_ms };
}

/** What may never leave does not leave in a branch either; what may leave is asked for anew. */
function consent({ consent: { scope } }: EpisodeState): EventBody[] {
  return scope === 'excluded' ? [{ type: 'consent_set', scope }] : [];
}
