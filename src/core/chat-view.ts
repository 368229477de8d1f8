import { parseAction } from './agent-protocol.ts';
import type { EpisodeState, TurnState } from './episode-state.ts';
import { openCalls, spentTurns, wordsAreDue } from './exchange.ts';
import type { ForkPoint } from './fork.ts';
import { splitToolCalls } from './tool-call.ts';
import { callView } from './tool-view.ts';
import type {
  ChatView,
  EditView,
  FiguresView,
  HostMessage,
  Offer,
  StatusView,
  TurnView,
  VersionsView,
} from './webview-protocol.ts';

/** What the chat shows besides the conversation itself. */
export interface ChatSurroundings extends Pick<
  StatusView,
  'chatServer' | 'notice' | 'warning' | 'examples' | 'context' | 'approval'
> {
  /** What would test the workspace; null: nothing. */
  readonly testCommand: string | null;
  /** Nothing can be sent until this is mended; a sentence, null when all is well. */
  readonly blocked: string | null;
  /** Text so far of the action that runs, or is about to run, in this window; null: none does. */
  readonly streaming: string | null;
  readonly draft: string;
  readonly edit: EditView | null;
  /** The versions of a place, where there are several. */
  readonly versions: (point: ForkPoint) => VersionsView | null;
  /** How many of the newest turns are shown. */
  readonly shown: number;
}

/** The chat of one conversation, from its state; pure, so that a reload shows exactly what was there. */
export function chatView(state: EpisodeState, around: ChatSurroundings): ChatView {
  const turns = state.turns.slice(-around.shown);
  const { message, partial } = (around.streaming === null ? trouble(state) : null) ?? { message: null, partial: '' };
  return {
    episode: state.id === '' ? null : state.id,
    request: state.request,
    earlier: state.turns.length - turns.length,
    turns: turns.map((turn) => turnView(turn, state.answerMarker, around)),
    status: {
      offer: offer(state, around),
      running: running(state, around),
      trouble: message,
      partial,
      consent: state.consent.scope,
      chatServer: around.chatServer,
      notice: around.notice,
      // Said once: where the conversation stands still.
      warning: around.blocked ?? (around.warning === message ? null : around.warning),
      examples: around.examples,
      marker: state.answerMarker,
      mayBranch: around.blocked === null && state.request !== null && state.skippedEvents === 0,
      rating: { thumb: state.episodeThumb, note: state.episodeNote },
      requestVersions: around.versions({ at: 'request' }),
      nextVersions: around.versions({ at: 'action', turn: state.turns.length }),
      context: around.context,
      approval: around.approval,
    },
    draft: around.draft,
    edit: around.edit,
  };
}

function turnView(turn: TurnState, marker: string, around: ChatSurroundings): TurnView {
  const { said, calls } = turn.kind === 'tool_call' ? splitToolCalls(turn.text) : { said: turn.text, calls: [] };
  return {
    index: turn.index,
    kind: turn.kind,
    state: turn.state,
    prose: turn.question ?? turn.message ?? said,
    options: [...turn.options],
    recommended: recommended(turn, marker),
    code: turn.kind === 'answer' ? (turn.code ?? '') : null,
    calls: calls.map(callView),
    replies: turn.observations.map(({ kind, text, option }) => ({ kind, text, option })),
    decision: turn.decision,
    tests: turn.tests,
    testCommand: turn.decision === 'accepted' && turn.state !== 'inherited' ? around.testCommand : null,
    rating: { thumb: turn.thumb, note: turn.note },
    figures: figures(turn),
    versions: around.versions({ at: 'action', turn: turn.index }),
    replyVersions: around.versions({ at: 'reply', turn: turn.index }),
  };
}

/** Read from the words, where the mark stands; of words that were read otherwise once, nothing is said. */
function recommended({ kind, options, text }: TurnState, marker: string): number | null {
  if (kind !== 'question' || options.length === 0) return null;
  const parsed = parseAction(text, { marker });
  const same = parsed.kind === 'question' && parsed.options.join('\n') === options.join('\n');
  return same ? parsed.recommended : null;
}

function figures({ generation }: TurnState): FiguresView | null {
  if (generation === null) return null;
  const { model, prompt_ids, ids, usage, first_token_ms, latency_ms } = generation;
  return {
    model,
    promptTokens: prompt_ids?.length ?? usage?.prompt ?? null,
    tokens: ids?.length ?? usage?.completion ?? null,
    firstTokenMs: first_token_ms,
    latencyMs: latency_ms,
  };
}

function offer(state: EpisodeState, around: ChatSurroundings): Offer {
  switch (state.phase) {
    case 'acting':
      return around.streaming === null ? 'wait' : 'stop';
    case 'closed':
      return 'new';
    case 'absent':
    case 'empty':
      return around.blocked === null ? 'request' : 'blocked';
    case 'ready':
      if (around.streaming !== null) return 'stop';
      if (around.blocked !== null) return 'blocked';
      return wordsAreDue(state) ? (usedUp(state) ? 'new' : 'reply') : 'continue';
    case 'waiting':
      if (openCalls(state).length > 0) return around.streaming === null ? 'continue' : 'stop';
      if (usedUp(state)) return 'new';
      return around.blocked === null ? 'reply' : 'blocked';
    default:
      return state.phase satisfies never;
  }
}

function running(state: EpisodeState, { streaming }: ChatSurroundings): StatusView['running'] {
  if ((state.phase === 'ready' || openCalls(state).length > 0) && streaming !== null)
    return { turn: state.turns.length, text: streaming };
  return state.running === null ? null : { turn: state.running.turn, text: streaming ?? '' };
}

function usedUp(state: EpisodeState): boolean {
  return spentTurns(state.turns) >= state.maxTurns;
}

/** Why it does not go on by itself. Only while the agent is due does its last failure still say something. */
function trouble(state: EpisodeState): { readonly message: string; readonly partial: string } | null {
  const said = (message: string, partial = '') => ({ message, partial });
  if (state.phase === 'closed') return said('This conversation is closed.');
  if ((state.phase === 'waiting' || wordsAreDue(state)) && usedUp(state)) {
    return said(`This conversation has used all its ${state.maxTurns} turns.`);
  }
  if (openCalls(state).length > 0) return said('What the agent wants to see was not looked up. Continue does it now.');
  if (state.phase !== 'ready' || wordsAreDue(state)) return null;
  const last = state.troubles.at(-1);
  if (last?.turn !== state.turns.length) return null;
  return last.reason === 'interrupted'
    ? said('The agent was interrupted before it had finished. Continue lets it answer.')
    : said(last.message, last.partial);
}

/** A host message before it is numbered. */
export type Unnumbered<M = HostMessage> = M extends HostMessage ? Omit<M, 'seq'> : never;

/**
 * The message that turns one view of a conversation into the next: the turns that changed and the status, or a snapshot
 * where that cannot say it (another conversation, other turns in the window). Null where nothing changed.
 */
export function viewUpdate(before: ChatView, after: ChatView): Unnumbered | null {
  const prepended = earlierTurns(before, after);
  if (prepended !== null) return prepended;
  const grows =
    before.episode === after.episode &&
    before.earlier === after.earlier &&
    before.turns.length <= after.turns.length &&
    before.turns.every((turn, at) => turn.index === after.turns[at]?.index);
  if (!grows) return { type: 'snapshot', view: after };
  const turns = after.turns.filter((turn, at) => !same(turn, before.turns[at]));
  const still = turns.length === 0 && before.request === after.request && same(before.status, after.status);
  return still ? null : { type: 'update', request: after.request, turns, status: after.status };
}

/** Says that turns came in above and nothing else changed, or null. */
function earlierTurns(before: ChatView, after: ChatView): Unnumbered | null {
  const more = before.earlier - after.earlier;
  const still =
    before.episode !== null &&
    before.episode === after.episode &&
    more > 0 &&
    after.turns.length === before.turns.length + more &&
    before.request === after.request &&
    same(before.status, after.status) &&
    before.turns.every((turn, at) => same(turn, after.turns[at + more]));
  return still ? { type: 'earlier', earlier: after.earlier, turns: after.turns.slice(0, more) } : null;
}

/** What a message makes of the view; null for one that does not follow, after which a snapshot is due. */
export function applyToView(
  current: { readonly view: ChatView; readonly seq: number } | null,
  message: HostMessage,
): { readonly view: ChatView; readonly seq: number } | null {
  if (message.type === 'snapshot') return { view: message.view, seq: 0 };
  if (current?.seq !== message.seq - 1) return null;
  const { seq } = message;
  const { view } = current;
  switch (message.type) {
    case 'update':
      return {
        seq,
        view: {
          ...view,
          request: message.request,
          turns: merge(view.turns, message.turns),
          status: message.status,
        },
      };
    case 'delta': {
      const { running } = view.status;
      if (running?.turn !== message.turn) return null;
      const grown = { ...running, text: running.text + message.text };
      return { seq, view: { ...view, status: { ...view.status, running: grown } } };
    }
    case 'earlier':
      return { seq, view: { ...view, earlier: message.earlier, turns: [...message.turns, ...view.turns] } };
    case 'accepted':
    case 'refused':
    case 'focus':
    case 'files':
    case 'highlighted':
    case 'theme':
      return { seq, view };
    default:
      return message satisfies never;
  }
}

function merge(turns: readonly TurnView[], changed: readonly TurnView[]): TurnView[] {
  const news = new Map(changed.map((turn) => [turn.index, turn]));
  const kept = turns.map((turn) => news.get(turn.index) ?? turn);
  const last = turns.at(-1)?.index ?? -1;
  return [...kept, ...changed.filter((turn) => turn.index > last)];
}

function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
