import { agentPrompt } from '../core/agent-protocol.ts';
import { branchesOf, type Branches } from '../core/branches.ts';
import { chatView } from '../core/chat-view.ts';
import { splitContext } from '../core/context-text.ts';
import { errorText, TurnwiseError } from '../core/error.ts';
import type { EpisodeState } from '../core/episode-state.ts';
import { isAnswered, openCalls } from '../core/exchange.ts';
import type { ConsentScope } from '../core/event.ts';
import { initialState } from '../core/reduce.ts';
import type { ChatView, EditView } from '../core/webview-protocol.ts';
import { branchOff, type BranchWish } from './branch-off.ts';
import { lazyChat, type ChatPorts } from './chat-ports.ts';
import { answerCalls, offerOf } from './tools/answer-calls.ts';
import { Conversation, type ConversationPorts, type Reply } from './conversation.ts';

/** How many of the newest turns are shown at first, and how many more each time. */
const PAGE = 40;
/** How many more each time earlier ones are asked for. */
const EARLIER = 200;

/** The chat of one window: which conversation is open, the action that runs in it, and what is to be seen of both. */
export class ChatSession {
  readonly #ports: ChatPorts;
  readonly #conversationPorts: ConversationPorts;
  #conversation: Conversation | null = null;
  #running: { readonly abort: AbortController; readonly ended: Promise<void>; text: string } | null = null;
  /** Words are on their way to the disk; the action behind them is as good as begun. */
  #sending = false;
  /** How the store's conversations branch off each other; null: read anew when it is next asked for. */
  #branches: Branches | null = null;
  #shown = PAGE;
  /** The last thing that went wrong outside of an action; gone with the next step. */
  #problem: string | null = null;

  constructor(ports: ChatPorts) {
    this.#ports = ports;
    this.#conversationPorts = {
      journal: ports.journal,
      chat: lazyChat(ports.connect),
      sampling: () => ports.options().sampling,
      tools: (state) => offerOf(ports.tools?.() ?? null, state),
      onEvent: ({ body }, state) => {
        if (body.type === 'episode_started') this.#branches = null;
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
      edit: this.#ports.drafts.edit(this.episode),
      versions: (point) => (this.episode === null ? null : this.#family().versions(this.episode, point)),
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
  async open(episode: string | null, shown = PAGE): Promise<void> {
    if (episode !== null && episode === this.episode) return;
    await this.stop();
    this.#shown = shown;
    this.#problem = null;
    this.#branches = null;
    this.#conversation = episode === null ? null : Conversation.open(this.#conversationPorts, episode);
    this.publish();
  }

  /** Reads the open conversation again when another window wrote to it. */
  refresh(): void {
    this.#branches = null;
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
    if (last?.decision === 'rejected' && !isAnswered(last)) {
      const conversation = this.#conversation;
      await this.#say(() => conversation.observe('rejected', text, this.#latency()));
    } else if (chosen === undefined) {
      await this.#reply({ text, kind: 'typed' });
    } else {
      await this.#reply({ text, kind: text === chosen ? 'option' : 'edited_option', option: chosen });
    }
    if (option === null) this.setDraft(this.episode, '');
    else this.setEdit(this.episode, null);
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

  /**
   * Goes on otherwise from an earlier point: in a branch, which is what the chat shows from then on. Resolves when its words are
   * on the disk. The action that runs is stopped first; what it said stays in the conversation that is left.
   */
  async branch(wish: BranchWish): Promise<void> {
    const from = this.#required();
    await this.stop();
    await this.#say(async () => {
      const branch = await branchOff(this.#conversationPorts, from.state, this.#family(), wish);
      this.setEdit(from.id, null);
      this.#conversation = branch;
      this.#shown = Math.max(this.#shown, branch.state.turns.length + 1);
    });
  }

  /** Shows another version of a place, which is an episode of the same family. */
  async showVersion(episode: string): Promise<void> {
    const family = this.#family();
    if (this.episode === null || family.root(episode) !== family.root(this.episode)) throw gone();
    await this.open(episode, this.#shown);
  }

  /** A thumb or a note on a turn, or (turn null) on the whole conversation; what is not named stays, null takes it back. */
  async rate(
    episode: string,
    turn: number | null,
    rating: { readonly thumb?: 0 | 1 | null; readonly note?: string | null },
  ): Promise<void> {
    const conversation = this.#of(episode);
    const { state } = conversation;
    const about = turn === null ? { thumb: state.episodeThumb, note: state.episodeNote } : state.turns[turn];
    const { thumb = about?.thumb ?? null, note = about?.note ?? null } = rating;
    await conversation.rate(turn, thumb, note);
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

  /** Records what the developer changed in a proposal while accepting it; once the agent has gone on, the share that survived says it. */
  async recordEdit(episode: string, turn: number, text: string): Promise<void> {
    const conversation = this.#of(episode);
    if (mayAdd(conversation.state, turn)) await conversation.observe('edit', text);
  }

  async setTitle(episode: string, title: string | null): Promise<void> {
    await this.#of(episode).setTitle(title);
  }

  /** Records a run of the tests on a proposal (`count` null: it had no end), and what it printed for the agent to read. */
  async recordTests(
    episode: string,
    turn: number,
    count: { readonly passed: number; readonly total: number } | null,
    text: string,
  ): Promise<void> {
    const conversation = this.#of(episode);
    if (count !== null) await conversation.recordTests(count.passed, count.total, turn);
    if (mayAdd(conversation.state, turn)) await conversation.observe('test', text);
  }

  async setConsent(episode: string, scope: ConsentScope): Promise<void> {
    await this.#of(episode).setConsent(scope);
  }

  setDraft(episode: string | null, text: string): void {
    this.#ports.drafts.set(episode, text);
  }

  setEdit(episode: string | null, edit: EditView | null): void {
    this.#ports.drafts.setEdit(episode, edit);
  }

  showEarlier(): void {
    this.#shown += EARLIER;
    this.publish();
  }

  async #request(text: string): Promise<void> {
    const begun = this.#conversation;
    try {
      await this.#say(async () => {
        if (begun === null) this.#conversation = await this.#begin(text);
        else await begun.request(text);
      });
      this.#ports.drafts.set(null, '');
      this.#ports.drafts.set(this.episode, '');
    } catch (thrown) {
      this.#ports.drafts.set(this.episode, splitContext(text).words);
      throw thrown;
    }
  }

  #begin(request: string): Promise<Conversation> {
    const { marker, maxTurns, takesAgentPrompt } = this.#ports.options();
    return Conversation.start(this.#conversationPorts, {
      source: 'real_developer',
      agentPrompt: takesAgentPrompt ? agentPrompt(marker) : null,
      maxTurns,
      marker,
      request,
    });
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
      const { signal } = running.abort;
      await this.#answerCalls(conversation, signal);
      for (;;) {
        running.text = '';
        for await (const event of conversation.act(signal)) {
          if (event.type !== 'delta') continue;
          running.text += event.text;
          this.#ports.onDelta(conversation.state.turns.length, event.text);
        }
        if (openCalls(conversation.state).length === 0) break;
        running.text = '';
        await this.#answerCalls(conversation, signal);
        if (signal.aborted) break;
      }
    } catch (thrown) {
      // A move that was not possible, or a store that cannot be written: the words are kept, and the chat says why.
      this.#problem = errorText(thrown);
    } finally {
      this.#running = null;
      this.publish();
    }
  }

  #answerCalls(conversation: Conversation, signal: AbortSignal): Promise<void> {
    return answerCalls(conversation, this.#ports.tools?.() ?? null, signal);
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

  #family(): Branches {
    return (this.#branches ??= branchesOf(this.#ports.journal.branches()));
  }

  /** From the end of the agent's words, whoever watched it, until now, ms; null where that is unknown or the clock was set back. */
  #latency(): number | null {
    const endedAt = this.state.turns.at(-1)?.endedAt ?? null;
    const passed = endedAt === null ? -1 : Date.now() - endedAt;
    return passed < 0 ? null : passed;
  }
}

/** Whether something may still be said about this turn before the agent goes on. */
function mayAdd({ phase, turns }: EpisodeState, turn: number): boolean {
  return turns.length - 1 === turn && (phase === 'waiting' || phase === 'ready');
}

function gone(): TurnwiseError {
  return new TurnwiseError('usage', 'not_open', 'This is no longer open; look at the newest message of the chat.');
}
