import type { Host } from './host.ts';

/** One conversation as other extensions see it. */
export interface ApiConversation {
  readonly id: string;
  /** `ready`: the agent is due; `acting`; `waiting`: the developer is due; `empty`; `closed`. */
  readonly phase: string;
  readonly request: string | null;
  readonly consent: 'local-only' | 'exportable' | 'excluded';
  /** The agent's actions in their order. */
  readonly turns: readonly { readonly kind: 'question' | 'answer' | 'tool_call'; readonly text: string }[];
  /** Why the last action failed or was interrupted, in words; null: it was not. */
  readonly trouble: string | null;
}

/**
 * What `extensions.getExtension('turnwise.turnwise').exports` offers to other extensions. Within one `version` nothing is taken
 * away. Everything rejects with an error that says what to do when the journal cannot be opened.
 */
export interface TurnwiseApi {
  readonly version: 1;
  /** The open conversation; null before the first words of a new one. */
  conversation(): Promise<ApiConversation | null>;
  /** Opens a conversation of the journal, or (null) a new one. */
  open(id: string | null): Promise<void>;
  /** Says words as the developer, as a request or as an answer, and resolves when the agent's action has ended. */
  say(text: string): Promise<ApiConversation>;
  /** The chosen chat server, and how it is as far as this window knows. */
  chatServer(): Promise<{ readonly name: string; readonly state: 'unknown' | 'connecting' | 'ready' | 'failed' }>;
}

/** `product` opens the window's parts when first called. */
export function createApi(product: () => Promise<Host>): TurnwiseApi {
  return {
    version: 1,
    conversation: async () => shown(await product()),
    open: async (id) => {
      await (await product()).openEpisode(id);
    },
    say: async (text) => {
      const host = await product();
      await host.session.send(text, null);
      await host.session.spoken();
      const conversation = shown(host);
      if (conversation === null) throw new Error('The conversation was closed while the agent spoke; open it again.');
      return conversation;
    },
    chatServer: async () => {
      const { servers } = await product();
      return { name: servers.describeChat().name, state: servers.health.state };
    },
  };
}

function shown({ session }: Host): ApiConversation | null {
  if (session.episode === null) return null;
  const { id, phase, request, consent, turns, troubles } = session.state;
  const trouble = troubles.at(-1);
  return {
    id,
    phase,
    request,
    consent: consent.scope,
    turns: turns.map(({ kind, text }) => ({ kind, text })),
    trouble: trouble !== undefined && trouble.turn >= turns.length ? trouble.message : null,
  };
}
