import type { ChatBackend, Sampling } from '../core/backend.ts';
import type { ChatSurroundings } from '../core/chat-view.ts';
import type { EpisodeState } from '../core/episode-state.ts';
import type { ChatView, EditView } from '../core/webview-protocol.ts';
import type { Journal } from '../store/journal.ts';
import type { Toolbox } from './tools/toolbox.ts';

/** A chat server that answers, and what it says about its model. */
export interface ChatServer {
  readonly backend: ChatBackend;
  /** Sentence to show with every output of a toy model, else null. */
  readonly notice: string | null;
}

/** What a person set, read anew for every step. */
export interface ChatOptions {
  readonly marker: string;
  readonly maxTurns: number;
  readonly skipSentence: string;
  readonly sampling: Sampling;
  /** Whether the agent's instructions go in front of a new conversation; a toy was trained without. */
  readonly takesAgentPrompt: boolean;
}

/** Words that are written and not sent yet, by conversation (null: a new one). They outlive the window. */
export interface Drafts {
  get(episode: string | null): string;
  set(episode: string | null, text: string): void;
  /** The edit of words that are there already; an ordinary draft waits behind it. */
  edit(episode: string | null): EditView | null;
  setEdit(episode: string | null, edit: EditView | null): void;
}

/** What a chat works with. Callbacks must not throw. */
export interface ChatPorts {
  readonly journal: Journal;
  /** The chat server that is chosen now; asked before every action, so that a server may come back or be changed. */
  readonly connect: (signal?: AbortSignal) => Promise<ChatServer>;
  readonly options: () => ChatOptions;
  readonly surroundings: () => Omit<ChatSurroundings, 'streaming' | 'draft' | 'shown' | 'edit' | 'versions'>;
  readonly drafts: Drafts;
  /** What the agent may look into now; null or left out: nothing. */
  readonly tools?: (() => Toolbox | null) | undefined;
  /** The chat looks different now. */
  readonly onView: (view: ChatView) => void;
  /** The running action went on with this text; `onView` does not say so. */
  readonly onDelta: (turn: number, text: string) => void;
  /** Something became durable. */
  readonly onState: (state: EpisodeState) => void;
}

/** A chat server that is connected when it is needed: a server that cannot be had is a failed action, in words. */
export function lazyChat(connect: ChatPorts['connect']): ChatBackend {
  return {
    name: 'The chat server',
    stream: async function* (messages, options) {
      const { backend } = await connect(options.signal);
      yield* backend.stream(messages, options);
    },
  };
}
