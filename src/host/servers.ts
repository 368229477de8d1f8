import * as vscode from 'vscode';
import type { ChatServer } from '../app/chat-ports.ts';
import { scorerName } from '../app/scorer-name.ts';
import { SharedEngine } from '../app/shared-engine.ts';
import type { Backend, ChatBackend } from '../core/backend.ts';
import { errorText, TurnwiseError } from '../core/error.ts';
import type { ServerProbe } from '../core/server-probe.ts';
import { ENGINE_PROFILE, findProfile, isLoopback, type Profile, type Settings } from '../core/settings.ts';
import { cannotScore } from './profiles.ts';
import type { ServerKeys } from './server-keys.ts';
import type { SettingsReader } from './settings.ts';
import { TokenizerConsent, type TokenizerFetch } from './tokenizer-consent.ts';

/** How the root opens servers: processes and wires are not this zone's business. */
export interface Connectors {
  openChat(server: {
    readonly url: string;
    readonly apiKey: string | null;
    readonly model: string | null;
    readonly name: string;
  }): Promise<ChatBackend>;
  /** Finds out what answers at an address. */
  detect(server: { readonly url: string; readonly apiKey: string | null }, signal: AbortSignal): Promise<ServerProbe>;
  /** Why a server gives no log-probs of a text that one hands in; null: it does. */
  whyNoEcho(
    server: { readonly url: string; readonly apiKey: string | null; readonly model: string },
    signal: AbortSignal,
  ): Promise<string | null>;
  openEngineScorer(engine: { readonly url: string; readonly token: string }): Promise<Backend>;
  openScorer(server: {
    readonly kind: string;
    readonly url: string;
    readonly apiKey: string | null;
    readonly model: string;
    /** A folder, or `hf:owner/name`; null: what the server itself offers. */
    readonly tokenizer: string | null;
    /** Called before a tokenizer is fetched; nothing is, where it rejects. */
    readonly agree: (fetch: TokenizerFetch) => Promise<void>;
  }): Promise<Backend>;
}

/** How a server is, as far as this window knows. */
export type Health =
  { readonly state: 'unknown' | 'connecting' | 'ready' } | { readonly state: 'failed'; readonly message: string };

/** What goes with every output of the bundled model. */
const toyNotice = (): string => vscode.l10n.t('A toy model: it shows how Turnwise works, not what a model can do.');

/** Two of the tasks that the bundled model was made for; it can do nothing else. */
const TOY_EXAMPLES = [
  'Return the peak value. the output needs a label; round it properly.',
  'Return the word with fewest letters. capitals vary; there may be no names.',
];

/** The servers that are chosen in the settings: connected when needed, asked again after a failure. */
export class ServerPool implements vscode.Disposable {
  readonly #settings: SettingsReader;
  readonly #keys: ServerKeys;
  readonly #connectors: Connectors;
  readonly #engineHome: string;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #engines = new Map<string, SharedEngine>();
  readonly #scorers = new Map<string, Backend>();
  readonly #chats = new Map<string, Promise<ChatBackend>>();
  readonly #consent = new TokenizerConsent();
  #health: Health = { state: 'unknown' };
  /** What was wrong with the scorer when it was last looked at, and which one that was. */
  #scorerTrouble: { readonly of: string; readonly message: string } | null = null;
  /** The profile that the health is of. */
  #healthOf: string | null = null;

  /** Health or choice changed. */
  readonly onDidChange = this.#changed.event;

  constructor(settings: SettingsReader, keys: ServerKeys, connectors: Connectors, engineHome: string) {
    this.#settings = settings;
    this.#keys = keys;
    this.#connectors = connectors;
    this.#engineHome = engineHome;
  }

  get health(): Health {
    return this.#health;
  }

  /** The chosen chat server in words, without connecting. */
  describeChat(): {
    readonly name: string;
    readonly remote: boolean;
    readonly notice: string | null;
    readonly examples: readonly string[];
  } {
    const settings = this.#settings.current;
    const profile = findProfile(settings, settings['chat.server']);
    if (profile === null) return { name: settings['chat.server'], remote: false, notice: null, examples: [] };
    return {
      name: nameOf(profile),
      remote: isRemote(profile),
      notice: isToy(profile, settings) ? toyNotice() : null,
      examples: isToy(profile, settings) ? TOY_EXAMPLES : [],
    };
  }

  /** Whether the model expects the agent's instructions in front of a conversation; the bundled toy was trained without. */
  takesAgentPrompt(): boolean {
    const settings = this.#settings.current;
    const profile = findProfile(settings, settings['chat.server']);
    return profile === null || !isToy(profile, settings);
  }

  /** Whether the chosen model is told of tools; the local engine's wire has none. Whether it calls any is found out by asking. */
  callsTools(): boolean {
    const settings = this.#settings.current;
    return findProfile(settings, settings['chat.server'])?.kind === 'server';
  }

  /** Connects the chosen chat server. Throws `TurnwiseError` with what to do. */
  async chat(): Promise<ChatServer> {
    const settings = this.#settings.current;
    // A server that failed is taken for failed until it has answered; what another one did says nothing of this one.
    const name = settings['chat.server'];
    const failed = this.#health.state === 'failed' && this.#healthOf === name;
    if (!failed && this.#health.state !== 'ready') this.#setHealth({ state: 'connecting' });
    this.#healthOf = name;
    try {
      const profile = required(settings, name);
      const backend = await this.#openChat(profile, settings);
      if (!failed || profile.kind === 'engine') this.#setHealth({ state: 'ready' });
      return { backend: this.#watched(backend), notice: isToy(profile, settings) ? toyNotice() : null };
    } catch (thrown) {
      this.#setHealth({ state: 'failed', message: errorText(thrown) });
      throw thrown;
    }
  }

  /** Names the chosen scorer in the queue, and says whether it is on another machine. */
  describeScorer(): { readonly key: string; readonly remote: boolean; readonly yields: boolean } {
    const settings = this.#settings.current;
    const profile = findProfile(settings, settings['scoring.server']);
    if (profile === null) return { key: settings['scoring.server'], remote: true, yields: true };
    const remote = isRemote(profile);
    const { url, model, kind, tokenizer } =
      profile.kind === 'engine'
        ? { url: undefined, model: settings['engine.model'], kind: ENGINE_PROFILE, tokenizer: null }
        : { url: profile.url, model: profile.model, kind: profile.scorer, tokenizer: profile.tokenizer };
    // Another machine has room for both, unless it is the very server that chats.
    const yields = !remote || settings['scoring.server'] === settings['chat.server'];
    return { key: scorerName({ kind, url, model, tokenizer }), remote, yields };
  }

  /** Everything the settings say of the chosen scorer, to see whether it was changed. */
  scorerSetup(): string {
    const settings = this.#settings.current;
    return JSON.stringify([findProfile(settings, settings['scoring.server']), settings['engine.model']]);
  }

  /** Connects the chosen scorer. Throws `TurnwiseError` with what to do. */
  async scorer(): Promise<Backend> {
    const settings = this.#settings.current;
    const profile = required(settings, settings['scoring.server']);
    const { id, open } = await this.#scorerOf(profile, settings);
    const known = this.#scorers.get(id);
    if (known) return known;
    const backend = await open();
    this.#scorers.set(id, backend);
    return backend;
  }

  /** Finds out what answers at an address. Throws what its client throws. */
  detect(server: { readonly url: string; readonly apiKey: string | null }, signal: AbortSignal): Promise<ServerProbe> {
    return this.#connectors.detect(server, signal);
  }

  async whyNoEcho(
    server: { readonly url: string; readonly apiKey: string | null; readonly model: string },
    signal: AbortSignal,
  ): Promise<{ readonly refusal: string | null }> {
    return { refusal: await this.#connectors.whyNoEcho(server, signal) };
  }

  /** Why nothing can be scored as things stand, in a sentence that ends in what to do; null: nothing is known against it. */
  get scorerProblem(): string | null {
    const settings = this.#settings.current;
    const name = settings['scoring.server'];
    const profile = findProfile(settings, name);
    if (!settings['scoring.enabled']) return null;
    if (profile?.kind === 'server' && profile.scorer === 'none') return cannotScore(name);
    return this.#scorerTrouble?.of === this.scorerSetup() ? this.#scorerTrouble.message : null;
  }

  /**
   * Asks a scorer that is no local engine what it can do, so that a person hears of it before the first message. A tokenizer
   * that has to be agreed to is left for the first scoring.
   */
  async lookAtScorer(): Promise<void> {
    const settings = this.#settings.current;
    const profile = findProfile(settings, settings['scoring.server']);
    if (profile?.kind !== 'server' || profile.scorer === 'none' || profile.tokenizer?.startsWith('hf:') === true)
      return;
    const of = this.scorerSetup();
    try {
      await (await this.scorer()).facts();
      this.#scorerTrouble = null;
    } catch (thrown) {
      const message = vscode.l10n.t('Scoring is not possible with {name} now. {why}', {
        name: profile.name,
        why: errorText(thrown),
      });
      this.#scorerTrouble = { of, message };
    }
    this.#changed.fire();
  }

  /** Somebody wants the scorer now: what was declined for it may be asked once more. */
  askAgain(): void {
    this.#consent.askAgain();
  }

  /** The chat of the server that scores, to compare its words with their scores. Throws `TurnwiseError` with what to do. */
  async scorerChat(): Promise<ChatBackend> {
    const settings = this.#settings.current;
    return this.#openChat(required(settings, settings['scoring.server']), settings);
  }

  /** The engine's address, for a command line that is to use the same one. */
  async engine(): Promise<{ readonly url: string; readonly token: string }> {
    return this.#engine(this.#settings.current).connect();
  }

  async restartEngine(): Promise<void> {
    await this.#engine(this.#settings.current).restart();
    await this.chat();
  }

  dispose(): void {
    this.#changed.dispose();
    for (const engine of this.#engines.values()) engine.dispose();
    for (const scorer of this.#scorers.values()) void scorer.close().catch(() => undefined);
  }

  /** The same server; how its answers end is its health. */
  #watched(backend: ChatBackend): ChatBackend {
    // Behind the same address may be another server by then.
    const forget = (): void => {
      this.#chats.clear();
    };
    const setHealth = (health: Health): void => {
      this.#setHealth(health);
    };
    return {
      name: backend.name,
      stream: async function* (messages, options) {
        for await (const event of backend.stream(messages, options)) {
          if (event.type === 'failed') {
            forget();
            setHealth({ state: 'failed', message: event.message });
          }
          if (event.type === 'delta' || event.type === 'finished') setHealth({ state: 'ready' });
          yield event;
        }
      },
    };
  }

  async #openChat(profile: Profile, settings: Settings): Promise<ChatBackend> {
    if (profile.kind === 'engine') {
      const { url, token } = await this.#engine(settings).connect();
      return this.#connectors.openChat({ url, apiKey: token, model: null, name: vscode.l10n.t('The local engine') });
    }
    const { name, url, model } = profile;
    const apiKey = await this.#keys.get(name);
    const id = JSON.stringify([name, url, model, apiKey]);
    // What a server refused to be asked is remembered as long as it answers.
    const known = this.#chats.get(id) ?? this.#connectors.openChat({ url, model, name, apiKey });
    this.#chats.set(id, known);
    return known;
  }

  /** A scorer and the name under which its connection is kept: another address or key is another connection. */
  async #scorerOf(
    profile: Profile,
    settings: Settings,
  ): Promise<{ readonly id: string; readonly open: () => Promise<Backend> }> {
    if (profile.kind === 'engine') {
      const engine = await this.#engine(settings).connect();
      return { id: `${engine.url} ${engine.token}`, open: () => this.#connectors.openEngineScorer(engine) };
    }
    const { name, url, model, scorer: kind, tokenizer = null } = profile;
    const apiKey = await this.#keys.get(name);
    return {
      id: JSON.stringify([name, url, model, kind, apiKey, tokenizer]),
      open: () =>
        this.#connectors.openScorer({
          ...{ kind, url, model, apiKey, tokenizer },
          agree: (fetch) => this.#consent.agree(fetch),
        }),
    };
  }

  #engine(settings: Settings): SharedEngine {
    const path = settings['engine.model'];
    const known = this.#engines.get(path);
    if (known) return known;
    const engine = new SharedEngine(this.#engineHome, path);
    this.#engines.set(path, engine);
    return engine;
  }

  #setHealth(health: Health): void {
    if (JSON.stringify(health) === JSON.stringify(this.#health)) return;
    this.#health = health;
    this.#changed.fire();
  }
}

function required(settings: Settings, name: string): Profile {
  const profile = findProfile(settings, name);
  if (profile !== null) return profile;
  throw new TurnwiseError(
    'usage',
    'unknown_profile',
    vscode.l10n.t(
      'There is no server called "{name}" in the setting turnwise.servers; add it, or choose another server.',
      { name },
    ),
  );
}

function nameOf(profile: Profile): string {
  return profile.kind === 'engine' ? vscode.l10n.t('Local engine') : profile.name;
}

function isRemote(profile: Profile): boolean {
  return profile.kind === 'server' && !isLoopback(profile.url);
}

function isToy(profile: Profile, settings: Settings): boolean {
  return profile.kind === 'engine' && settings['engine.model'] === '';
}
