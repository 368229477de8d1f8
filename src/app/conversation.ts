import { v7 as uuidv7 } from 'uuid';
import { DEFAULT_ANSWER_MARKER, DEFAULT_MAX_TURNS, SKIP_SENTENCE } from '../core/agent-protocol.ts';
import type { ChatBackend, Sampling, ToolOffer } from '../core/backend.ts';
import type { EpisodeState } from '../core/episode-state.ts';
import { TurnwiseError } from '../core/error.ts';
import { EVENT_VERSION, type ConsentScope, type EventBody, type Fork, type StoredEvent } from '../core/event.ts';
import { isAnswered, spentTurns } from '../core/exchange.ts';
import { fork, type ForkPoint } from '../core/fork.ts';
import { initialState, reduce, step } from '../core/reduce.ts';
import { refusal } from '../core/refusal.ts';
import type { Journal } from '../store/journal.ts';
import { actOnce, type AgentEvent } from './agent.ts';
import { patiently } from './patiently.ts';
import { refusalError } from './refusal-error.ts';

/** What a conversation works with. */
export interface ConversationPorts {
  readonly journal: Journal;
  readonly chat: ChatBackend;
  /** Sampling of every action, or a rule that gives each action its own (a seed per turn, say). */
  readonly sampling: Sampling | ((state: EpisodeState) => Sampling);
  /** What an action is told of; left out: no tools. */
  readonly tools?: ((state: EpisodeState) => ToolOffer | undefined) | undefined;
  /** Called once an event is on the disk, with the state it leads to; must not throw. */
  readonly onEvent?: ((event: StoredEvent, state: EpisodeState) => void) | undefined;
  /** How long a move waits for other writers, ms; default: `patiently`'s. */
  readonly patienceMs?: number | undefined;
}

export interface StartOptions {
  /** `real_developer` or `simulated`. */
  readonly source: string;
  /** Episodes of one task are one group. */
  readonly taskId?: string | null | undefined;
  /** System message in front of the conversation, where the model takes one. */
  readonly agentPrompt?: string | null | undefined;
  readonly maxTurns?: number | undefined;
  readonly marker?: string | undefined;
  /** Default: a new UUIDv7. */
  readonly episodeId?: string | undefined;
  /** The developer's first words, on the disk together with the start, or neither is; left out: `request` says them later. */
  readonly request?: string | undefined;
}

export interface Reply {
  readonly text: string;
  /** Default `typed`. */
  readonly kind?: 'typed' | 'option' | 'edited_option' | 'skipped' | undefined;
  /** The option that was clicked, without its letter; default: the text, for kind `option`. */
  readonly option?: string | null | undefined;
  /** Default: the options of the last action. */
  readonly optionsShown?: readonly string[] | undefined;
  /** From the question's end to the reply, ms. */
  readonly latencyMs?: number | null | undefined;
  /** The turn that it answers, as its writer sees it; refused where somebody else has answered that meanwhile. */
  readonly turn?: number | undefined;
}

const SAY_SOMETHING = 'Say what you need, then send it.';
/** How often a move is checked anew because somebody else went on with the conversation. */
const MOST_CONFLICTS = 5;

/**
 * One conversation between a developer and a model, durable step by step: what the developer said is on the disk before the
 * model sees it, and an action's end before anybody is told. A move that is not possible now throws `TurnwiseError` (`usage`,
 * one of `Refusal`) and records nothing.
 */
export class Conversation {
  readonly id: string;
  readonly #ports: ConversationPorts;
  #state: EpisodeState;

  private constructor(ports: ConversationPorts, state: EpisodeState) {
    this.id = state.id;
    this.#ports = ports;
    this.#state = state;
  }

  static async start(ports: ConversationPorts, options: StartOptions): Promise<Conversation> {
    const { request } = options;
    if (request === undefined) return Conversation.#begin(ports, options, null);
    refuseBlank(request, SAY_SOMETHING);
    return Conversation.#begin(ports, options, null, [{ type: 'request_accepted', text: request }]);
  }

  /** Goes on with an episode of the journal. Throws `no_such_episode`. */
  static open(ports: ConversationPorts, episodeId: string): Conversation {
    const state = reduce(ports.journal.read(episodeId));
    if (state.phase !== 'absent') return new Conversation(ports, state);
    throw new TurnwiseError(
      'usage',
      'no_such_episode',
      `There is no conversation ${episodeId} in this store; check its id.`,
    );
  }

  /**
   * A new episode in the parent's group that shares its beginning; then call `request`, `act` or `reply`, as the fork says.
   * `source` says who goes on: a developer who branches off a simulated conversation is a real one. What it opens with (words
   * that are written anew, consent) is on the disk together with its start, or neither is.
   */
  static async branch(
    ports: ConversationPorts,
    parent: EpisodeState,
    point: ForkPoint,
    source: string,
    opening: readonly EventBody[] = [],
  ): Promise<Conversation> {
    refuseNewer(parent);
    const from = fork(parent, point);
    if (from === null) throw refusalError('no_such_turn');
    const { taskId, agentPrompt, maxTurns, answerMarker: marker } = parent;
    return Conversation.#begin(ports, { source, taskId, agentPrompt, maxTurns, marker }, from, opening);
  }

  static async #begin(
    ports: ConversationPorts,
    options: StartOptions,
    parent: Fork | null,
    opening: readonly EventBody[] = [],
  ): Promise<Conversation> {
    const conversation = new Conversation(ports, initialState(options.episodeId ?? uuidv7()));
    const started: EventBody = {
      type: 'episode_started',
      source: options.source,
      task_id: options.taskId ?? null,
      parent,
      agent_prompt: options.agentPrompt ?? null,
      answer_marker: options.marker ?? DEFAULT_ANSWER_MARKER,
      max_turns: options.maxTurns ?? DEFAULT_MAX_TURNS,
    };
    await conversation.#commitAll(() => [started, ...opening]);
    return conversation;
  }

  get state(): EpisodeState {
    return this.#state;
  }

  /** The developer's first words. */
  async request(text: string): Promise<StoredEvent> {
    refuseBlank(text, SAY_SOMETHING);
    return this.#commit(() => ({ type: 'request_accepted', text }));
  }

  /** The developer's answer to the last action. Throws `answered_elsewhere`. */
  async reply({ text, kind = 'typed', option, optionsShown, latencyMs = null, turn }: Reply): Promise<StoredEvent> {
    refuseBlank(text, 'Type an answer, or choose Skip.');
    return this.#commit((state) => {
      if (turn !== undefined) refuseAnswered(state, turn);
      return {
        type: 'observed',
        turn: lastTurn(state),
        kind,
        text,
        options_shown: [...(optionsShown ?? state.turns.at(-1)?.options ?? [])],
        option: option ?? (kind === 'option' ? text : null),
        latency_ms: latencyMs,
      };
    });
  }

  /** The developer leaves it to the agent; scored like any reply. */
  async skip(text: string = SKIP_SENTENCE, latencyMs: number | null = null): Promise<StoredEvent> {
    return this.reply({ text, kind: 'skipped', latencyMs });
  }

  /** What a tool, a test run, the developer's edit or a rejection told the agent; the text may be empty. */
  async observe(
    kind: 'rejected' | 'edit' | 'tool' | 'test',
    text: string,
    latencyMs: number | null = null,
  ): Promise<StoredEvent> {
    return this.#commit((state) => ({
      type: 'observed',
      turn: lastTurn(state),
      kind,
      text,
      options_shown: [],
      option: null,
      latency_ms: latencyMs,
    }));
  }

  /** Accepts or rejects a proposal, by default the last one; the latest decision counts. */
  async decide(decision: 'accepted' | 'rejected', turn?: number): Promise<StoredEvent> {
    return this.#commit((state) => ({ type: 'proposal_decided', turn: turn ?? lastProposal(state), decision }));
  }

  /** At the first save after an accept: the share of the proposal's lines still standing, null where it added none. */
  async recordSurvival(survival: number | null, turn?: number): Promise<StoredEvent> {
    return this.#commit((state) => ({ type: 'proposal_saved', turn: turn ?? lastProposal(state), survival }));
  }

  /** Tests that were run on a proposal, by default the last one. */
  async recordTests(passed: number, total: number, turn?: number): Promise<StoredEvent> {
    return this.#commit((state) => ({ type: 'tests_run', turn: turn ?? lastProposal(state), passed, total }));
  }

  /** A thumb and a note on a turn, or (turn null) on the whole episode; thumb null takes it back. */
  async rate(turn: number | null, thumb: 0 | 1 | null, note: string | null = null): Promise<StoredEvent> {
    return this.#commit(() => ({ type: 'rated', turn, thumb, note }));
  }

  /** What the developer calls it; null: by its request again. Nothing is recorded where it is called so already. */
  async setTitle(title: string | null): Promise<void> {
    if (title !== this.state.title) await this.#commit(() => ({ type: 'titled', title }));
  }

  async setConsent(scope: ConsentScope): Promise<StoredEvent> {
    return this.#commit(() => ({ type: 'consent_set', scope }));
  }

  async close(): Promise<StoredEvent> {
    return this.#commit(() => ({ type: 'episode_closed' }));
  }

  /**
   * One action of the agent; after a failed or interrupted one, the same call is Continue. The start is on the disk before
   * the server is asked, the end before it is yielded. Aborting the signal ends in `stopped`; a caller that leaves the loop
   * early leaves an interrupted action. Throws only for what is not the model's failure: a move that is not possible now
   * (`turn_limit`, `not_the_agents_turn`, ...) or a store that cannot be written.
   */
  async *act(signal?: AbortSignal): AsyncGenerator<AgentEvent, void, void> {
    await this.#commit((state) => ({ type: 'action_started', turn: state.turns.length, pid: process.pid }));
    const { messages, turns, maxTurns, answerMarker: marker } = this.#state;
    const turn = turns.length;
    const { chat, sampling, tools } = this.#ports;
    let ended = false;
    try {
      const options = {
        sampling: typeof sampling === 'function' ? sampling(this.#state) : sampling,
        marker,
        lastTurn: spentTurns(turns) === maxTurns - 1,
        signal,
        tools: tools?.(this.#state),
      };
      for await (const event of actOnce(chat, messages, options)) {
        if (event.type !== 'delta') {
          await this.#commit(() => endOf(turn, event));
          ended = true;
        }
        yield event;
      }
    } finally {
      if (!ended) await this.#interrupt(turn);
    }
  }

  async #interrupt(turn: number): Promise<void> {
    try {
      await this.#commit(() => ({ type: 'action_interrupted', turn }));
    } catch (thrown) {
      // The caller already has the first error; what could not be written now, `recover` writes at the next start.
      if (!(thrown instanceof TurnwiseError)) throw thrown;
    }
  }

  async #commit(move: (state: EpisodeState) => EventBody): Promise<StoredEvent> {
    const [event] = await this.#commitAll((state) => [move(state)]);
    if (event === undefined) throw new Error('The journal returned no event for one body.');
    return event;
  }

  /** Waits for other writers without blocking the process; where they went on with this conversation, the moves are checked anew. */
  async #commitAll(moves: (state: EpisodeState) => readonly EventBody[]): Promise<StoredEvent[]> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await patiently(() => this.#append(moves), this.#ports.patienceMs);
      } catch (thrown) {
        const conflict = thrown instanceof TurnwiseError && thrown.reason === 'conflict';
        if (!conflict || attempt === MOST_CONFLICTS) throw thrown;
        this.#state = reduce(this.#ports.journal.read(this.id));
      }
    }
  }

  /** Checks the moves against the state, appends them, and moves on. */
  #append(moves: (state: EpisodeState) => readonly EventBody[]): StoredEvent[] {
    refuseNewer(this.#state);
    const bodies = moves(this.#state);
    bodies.reduce(afterMove, this.#state);
    const { journal, onEvent } = this.#ports;
    const events = journal.append(this.id, bodies, { expectedSeq: this.#state.lastSeq + 1 });
    for (const event of events) {
      this.#state = step(this.#state, event);
      onEvent?.(event, this.#state);
    }
    return events;
  }
}

/** The state that a move would lead to; throws where it is not possible. */
function afterMove(state: EpisodeState, body: EventBody): EpisodeState {
  const why = refusal(state, body);
  if (why !== null) throw refusalError(why);
  return step(state, { id: '', episode_id: state.id, seq: state.lastSeq + 1, at: 0, version: EVENT_VERSION, body });
}

function endOf(turn: number, event: Exclude<AgentEvent, { type: 'delta' }>): EventBody {
  switch (event.type) {
    case 'asked':
      return {
        type: 'action_asked',
        turn,
        question: event.question,
        options: event.options,
        generation: event.generation,
      };
    case 'answered':
      return { type: 'action_answered', turn, message: event.message, code: event.code, generation: event.generation };
    case 'called':
      return { type: 'action_called', turn, generation: event.generation };
    case 'stopped':
      return { type: 'action_stopped', turn, generation: event.generation };
    case 'failed':
      return { type: 'action_failed', turn, reason: event.reason, message: event.message, partial: event.partial };
    default:
      return event satisfies never;
  }
}

function lastTurn(state: EpisodeState): number {
  return Math.max(state.turns.length - 1, 0);
}

function lastProposal(state: EpisodeState): number {
  const proposal = state.turns.findLast((turn) => turn.kind === 'answer');
  if (proposal === undefined) throw refusalError('not_a_proposal');
  return proposal.index;
}

/** Two windows may answer one question; the journal keeps the first answer, and the other writer keeps their words. */
function refuseAnswered({ turns }: EpisodeState, turn: number): void {
  const last = turns.at(-1);
  if (last?.index === turn && !isAnswered(last)) return;
  throw new TurnwiseError(
    'usage',
    'answered_elsewhere',
    'Another window has answered this already; look at the newest message, then send again what still holds.',
  );
}

function refuseBlank(text: string, sentence: string): void {
  if (text.trim() === '') throw new TurnwiseError('usage', 'empty_text', sentence);
}

/** What a newer version recorded may change what is possible now, so this one only reads. */
function refuseNewer(state: EpisodeState): void {
  if (state.skippedEvents === 0) return;
  throw new TurnwiseError(
    'unsupported',
    'newer_events',
    'A newer Turnwise went on with this conversation; update Turnwise, or start a new one.',
  );
}
