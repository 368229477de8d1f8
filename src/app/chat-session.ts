import { agentPrompt } from '../core/agent-protocol.ts';
import type { ChatBackend, Sampling } from '../core/backend.ts';
import { chatView, type ChatSurroundings } from '../core/chat-view.ts';
import { errorText, TurnwiseError } from '../core/error.ts';
import type { EpisodeState } from '../core/episode-state.ts';
import type { ConsentScope } from '../core/event.ts';
import { initialState } from '../core/reduce.ts';
import type { ChatView } from '../core/webview-protocol.ts';
import type { Journal } from '../store/journal.ts';
import { Conversation, type ConversationPorts, type Reply } from './conversation.ts';

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

/** What a chat works with. Callbacks must not throw. */
export interface ChatPorts {
  readonly journal: Journal;
  /** The chat server that is chosen now; asked before every action, so that a server may come back or be changed. */
  readonly connect: (signal?: AbortSignal) => Promise<ChatServer>;
  readonly options: () => ChatOptions;
  readonly surroundings: () => Pick<ChatSurroundings, 'chatServer' | 'notice' | 'warning' | 'examples' | 'blocked'>;
  readonly drafts: { get(episode: string | null): string; set(episode: string | null, text: string): void };
  /** The chat looks different now. */
  readonly onView: (view: ChatView) => void;
  /** The running action went on with this text; `onView` does not say so. */
  readonly onDelta: (turn: number, text: string) => void;
  /** Something became durable. */
  readonly onState: (state: EpisodeState) => void;
}

/** How many of the newest turns are shown at first, and how many more each time. */
const PAGE = 40;

/** The chat of one window: which conversation is open, the action that runs in it, and what is to be seen of both. */
export class ChatSession {
  readonly #ports: ChatPorts;
  readonly #conversationPorts: ConversationPorts;
  #conversation: Conversation | null = null;
  #running: { readonly abort: AbortController; readonly ended: Promise<void>; text: string } | null = null;
  /** Words are on their way to the disk; the action behind them is as good as begun. */
  #sending = false;
  /** When the agent last stopped speaking in this window, ms since 1970. */
  #spokeAt: number | null = null;
  #shown = PAGE;
  /** The last thing that went wrong outside of an action; gone with the next step. */
  #problem: string | null = null;

  constructor(ports: ChatPorts) {
    this.#ports = ports;
    this.#conversationPorts = {
      journal: ports.journal,
      chat: lazyChat(ports.connect),
      sampling: () => ports.options().sampling,
      onEvent: (_event, state) => {
        ports.onState(state);
        if (state.id === this.episode) this.publish();
      },
    };
  }

  /** Id of the open conversation; null before the first word of a new one. */
  get episode(): string | null {
    return this.#conversation?.id ?? null;
  }

  get state(): EpisodeState {
    return this.#conversation?.state ?? initialState('');
  }

  /** Whether the agent writes in this window. */
  get acting(): boolean {
    return this.#running !== null;
  }

  view(): ChatView {
    const around = this.#ports.surroundings();
    const view = chatView(this.state, {
      ...around,
      warning: this.#problem ?? around.warning,
      streaming: this.#running?.text ?? (this.#sending ? '' : null),
      draft: this.#ports.drafts.get(this.episode),
      shown: this.#shown,
    });
    return this.#conversation === null
      ? { ...view, status: { ...view.status, marker: this.#ports.options().marker } }
      : view;
  }

  /** Tells the chat again; call it when the surroundings changed. */
  publish(): void {
    this.#ports.onView(this.view());
  }

  /** Shows a conversation of the journal, or (null) an empty one. An action that runs is stopped first; what it said stays. */
  async open(episode: string | null): Promise<void> {
    if (episode !== null && episode === this.episode) return;
    await this.stop();
    this.#shown = PAGE;
    this.#spokeAt = null;
    this.#problem = null;
    this.#conversation = episode === null ? null : Conversation.open(this.#conversationPorts, episode);
    this.publish();
  }

  /** Reads the open conversation again when another window wrote to it. */
  refresh(): void {
    if (this.#conversation === null || this.#running !== null) return;
    const { id, state } = this.#conversation;
    const fresh = this.#stillThere(id);
    if (fresh?.state.lastSeq === state.lastSeq) return;
    this.#conversation = fresh;
    this.publish();
  }

  /** Null: another window has deleted it. */
  #stillThere(id: string): Conversation | null {
    try {
      return Conversation.open(this.#conversationPorts, id);
    } catch (thrown) {
      if (thrown instanceof TurnwiseError && thrown.reason === 'no_such_episode') return null;
      throw thrown;
    }
  }

  /**
   * The developer's words: the request of a new conversation, or an answer. Resolves when they are on the disk; the agent's
   * action then runs by itself. `option`: they began as that option of the open question.
   */
  async send(text: string, option: number | null): Promise<void> {
    if (this.#conversation === null || this.state.request === null) {
      await this.#request(text);
      return;
    }
    const last = this.state.turns.at(-1);
    const chosen = option === null ? undefined : last?.options[option];
    if (last?.decision === 'rejected' && last.observations.length === 0) {
      const conversation = this.#conversation;
      await this.#say(() => conversation.observe('rejected', text, this.#latency()));
    } else if (chosen === undefined) {
      await this.#reply({ text, kind: 'typed' });
    } else {
      await this.#reply({ text, kind: text === chosen ? 'option' : 'edited_option', option: chosen });
    }
    this.#ports.drafts.set(this.episode, '');
  }

  /** The option of the open question that the developer clicked. */
  async choose(turn: number, option: number): Promise<void> {
    const text = this.#open(turn).options[option];
    if (text === undefined) throw gone();
    await this.#reply({ text, kind: 'option', option: text });
  }

  async skip(turn: number): Promise<void> {
    this.#open(turn);
    await this.#reply({ text: this.#ports.options().skipSentence, kind: 'skipped' });
  }

  /** Lets the agent speak where it is due: after a failure, an interruption, or words that were never answered. */
  continue(): void {
    if (this.#conversation === null || this.#running !== null) return;
    this.#problem = null;
    this.#start(this.#conversation);
  }

  /** Ends the running action; what was written so far stays. Resolves when that is on the disk. */
  async stop(): Promise<void> {
    const running = this.#running;
    running?.abort.abort();
    await running?.ended;
  }

  /** Resolves when no action runs in this window. */
  async spoken(): Promise<void> {
    await this.#running?.ended;
  }

  /** Records what the developer decided about a proposal, of this conversation or of one that is no longer shown. */
  async decide(episode: string, turn: number, decision: 'accepted' | 'rejected'): Promise<void> {
    await this.#of(episode).decide(decision, turn);
  }

  /** Records which share of an accepted proposal's lines was left when its file was first saved; null: it added none. */
  async recordSurvival(episode: string, turn: number, share: number | null): Promise<void> {
    await this.#of(episode).recordSurvival(share, turn);
  }

  async setConsent(episode: string, scope: ConsentScope): Promise<void> {
    await this.#of(episode).setConsent(scope);
  }

  setDraft(episode: string | null, text: string): void {
    this.#ports.drafts.set(episode, text);
  }

  showEarlier(): void {
    this.#shown += PAGE;
    this.publish();
  }

  async #request(text: string): Promise<void> {
    const { marker, maxTurns, takesAgentPrompt } = this.#ports.options();
    const conversation =
      this.#conversation ??
      (await Conversation.start(this.#conversationPorts, {
        source: 'real_developer',
        agentPrompt: takesAgentPrompt ? agentPrompt(marker) : null,
        maxTurns,
        marker,
      }));
    this.#conversation = conversation;
    try {
      await this.#say(() => conversation.request(text));
      this.#ports.drafts.set(null, '');
      this.#ports.drafts.set(conversation.id, '');
    } catch (thrown) {
      // The words wait in the conversation that has begun.
      this.#ports.drafts.set(conversation.id, text);
      throw thrown;
    }
  }

  async #reply(reply: Reply): Promise<void> {
    const conversation = this.#required();
    const turn = this.state.turns.at(-1)?.index;
    await this.#say(() => conversation.reply({ ...reply, turn, latencyMs: this.#latency() }));
  }

  /** Words first to the disk, then the agent acts. */
  async #say(durable: () => Promise<unknown>): Promise<void> {
    this.#problem = null;
    this.#sending = true;
    try {
      await durable();
      this.#start(this.#required());
    } catch (thrown) {
      this.#sending = false;
      // What stood in the way may be what another window wrote: it is shown.
      this.publish();
      throw thrown;
    } finally {
      this.#sending = false;
    }
  }

  #start(conversation: Conversation): void {
    const abort = new AbortController();
    const running = { abort, text: '', ended: Promise.resolve() };
    this.#running = running;
    this.#running = Object.assign(running, { ended: this.#act(conversation, running) });
  }

  async #act(conversation: Conversation, running: { readonly abort: AbortController; text: string }): Promise<void> {
    try {
      for await (const event of conversation.act(running.abort.signal)) {
        if (event.type !== 'delta') continue;
        running.text += event.text;
        this.#ports.onDelta(conversation.state.turns.length, event.text);
      }
      this.#spokeAt = Date.now();
    } catch (thrown) {
      // A move that was not possible, or a store that cannot be written: the words are kept, and the chat says why.
      this.#problem = errorText(thrown);
    } finally {
      this.#running = null;
      this.publish();
    }
  }

  #open(turn: number): EpisodeState['turns'][number] {
    const last = this.state.turns.at(-1);
    if (last?.index !== turn || last.observations.length > 0) throw gone();
    return last;
  }

  #of(episode: string): Conversation {
    const open = this.#conversation;
    return open?.id === episode ? open : Conversation.open(this.#conversationPorts, episode);
  }

  #required(): Conversation {
    if (this.#conversation === null) throw gone();
    return this.#conversation;
  }

  #latency(): number | null {
    return this.#spokeAt === null ? null : Date.now() - this.#spokeAt;
  }
}

function gone(): TurnwiseError {
  return new TurnwiseError('usage', 'not_open', 'This is no longer open; look at the newest message of the chat.');
}

/** A chat server that is connected when it is needed: a server that cannot be had is a failed action, in words. */
function lazyChat(connect: ChatPorts['connect']): ChatBackend {
  return {
    name: 'The chat server',
    stream: async function* (messages, options) {
      const { backend } = await connect(options.signal);
      yield* backend.stream(messages, options);
    },
  };
}
