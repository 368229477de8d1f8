import * as vscode from 'vscode';
import { viewUpdate, type Unnumbered } from '../core/chat-view.ts';
import {
  webviewMessageSchema,
  type ChatView,
  type HostMessage,
  type WebviewMessage,
} from '../core/webview-protocol.ts';
import type { ThemeKind } from '../core/theme-kind.ts';
import { Highlighter } from './highlighter.ts';
import { webviewPage } from './webview-page.ts';

/** Deltas that come closer together than this, ms, travel in one message; the first one never waits. */
const DELTA_PAUSE_MS = 24;

type HighlightRequest = Extract<WebviewMessage, { type: 'highlight' }>;

/** What the chat shows, and who hears what the developer wants. */
export interface ChatSource {
  view(): ChatView;
  handle(message: Exclude<WebviewMessage, { type: 'ready' }>): void;
}

/** The chat as a webview: one snapshot when it is ready or lost count, then numbered changes. It keeps no truth of its own. */
export class ChatWebview {
  readonly #assets: vscode.Uri;
  readonly #source: ChatSource;
  readonly #log: vscode.LogOutputChannel;
  readonly #highlighter: Highlighter;
  #view: vscode.WebviewView | null = null;
  /** What the page shows and the number of its last message; null before the page is ready. */
  #shown: { view: ChatView; seq: number } | null = null;
  #delta: { turn: number; text: string } | null = null;
  #deltaTimer: NodeJS.Timeout | null = null;
  #focusWhenReady = false;

  constructor(extensionUri: vscode.Uri, source: ChatSource, log: vscode.LogOutputChannel) {
    this.#assets = vscode.Uri.joinPath(extensionUri, 'dist', 'webview');
    this.#source = source;
    this.#log = log;
    this.#highlighter = new Highlighter(vscode.Uri.joinPath(extensionUri, 'dist', 'highlight', 'highlight.mjs').fsPath);
  }

  /** Draws the chat in this view; the editor calls it anew after the view was hidden or the window reloaded. */
  resolve(view: vscode.WebviewView): void {
    this.#view = view;
    this.#shown = null;
    const { webview } = view;
    webview.options = { enableScripts: true, localResourceRoots: [this.#assets] };
    const subscriptions = [
      webview.onDidReceiveMessage((message: unknown) => {
        this.#receive(message);
      }),
      vscode.window.onDidChangeActiveColorTheme(() => {
        this.#post({ type: 'theme' });
      }),
      view.onDidDispose(() => {
        for (const subscription of subscriptions) subscription.dispose();
        if (this.#view !== view) return;
        this.#view = null;
        this.#shown = null;
      }),
    ];
    webview.html = webviewPage(webview, this.#assets, 'chat');
  }

  /** The chat looks like this now. */
  show(view: ChatView): void {
    if (this.#shown === null) return;
    this.#sendDelta();
    const update = viewUpdate(this.#shown.view, view);
    if (update === null) return;
    this.#post(update, view);
  }

  /** The running action went on with this text. */
  delta(turn: number, text: string): void {
    if (this.#shown === null) return;
    if (this.#delta !== null) {
      this.#delta.text += text;
      return;
    }
    this.#delta = { turn, text };
    if (this.#deltaTimer === null) this.#sendDelta();
  }

  /** Colours a code of the page; what cannot be coloured stays plain. */
  async highlight({ request, code, language }: HighlightRequest): Promise<void> {
    const view = this.#view;
    const highlight = await this.#highlighter.highlight(code, language, themeKind());
    if (view === this.#view)
      this.#post({ type: 'highlighted', request, highlight: highlight ?? { colours: [], runs: [] } });
  }

  accepted(id: string): void {
    this.#post({ type: 'accepted', id });
  }

  refused(id: string, message: string): void {
    this.#post({ type: 'refused', id, message });
  }

  /** Files that fit what was typed behind an `@`. */
  files(query: string, paths: readonly string[]): void {
    this.#post({ type: 'files', query, paths: [...paths] });
  }

  dispose(): void {
    this.#highlighter.dispose();
  }

  /** Brings the chat to the front and leaves the cursor where it is. */
  async reveal(): Promise<void> {
    if (this.#view === null) await vscode.commands.executeCommand('turnwise.chat.focus', { preserveFocus: true });
    else this.#view.show(true);
  }

  /** Brings the chat to the front and the cursor into it. */
  async focus(): Promise<void> {
    this.#focusWhenReady = true;
    await vscode.commands.executeCommand('turnwise.chat.focus');
    if (this.#shown !== null) this.#focusField();
  }

  #focusField(): void {
    if (!this.#focusWhenReady) return;
    this.#focusWhenReady = false;
    this.#post({ type: 'focus' });
  }

  #receive(raw: unknown): void {
    const parsed = webviewMessageSchema.safeParse(raw);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      this.#log.warn(`A message of the chat was refused: ${issue?.path.join('.') ?? ''} ${issue?.code ?? 'invalid'}`);
      return;
    }
    const message = parsed.data;
    if (message.type !== 'ready') {
      this.#source.handle(message);
      return;
    }
    this.#delta = null;
    this.#post({ type: 'snapshot', view: this.#source.view() });
    this.#focusField();
  }

  #sendDelta(): void {
    if (this.#deltaTimer !== null) clearTimeout(this.#deltaTimer);
    this.#deltaTimer = null;
    const delta = this.#delta;
    this.#delta = null;
    if (delta === null) return;
    this.#post({ type: 'delta', ...delta });
    this.#deltaTimer = setTimeout(() => {
      this.#deltaTimer = null;
      this.#sendDelta();
    }, DELTA_PAUSE_MS);
  }

  #post(message: Unnumbered, view?: ChatView): void {
    if (this.#view === null) return;
    const numbered = this.#number(message, view);
    // A view that is going away takes no messages; the next one starts with a snapshot.
    if (numbered !== null) void this.#view.webview.postMessage(numbered);
  }

  #number(message: Unnumbered, view: ChatView | undefined): HostMessage | null {
    if (message.type === 'snapshot') {
      this.#shown = { view: message.view, seq: 0 };
      return { ...message, seq: 0 };
    }
    if (this.#shown === null) return null;
    this.#shown = { view: view ?? this.#shown.view, seq: this.#shown.seq + 1 };
    return { ...message, seq: this.#shown.seq };
  }
}

function themeKind(): ThemeKind {
  const { kind } = vscode.window.activeColorTheme;
  switch (kind) {
    case vscode.ColorThemeKind.Light:
      return 'light';
    case vscode.ColorThemeKind.Dark:
      return 'dark';
    case vscode.ColorThemeKind.HighContrast:
      return 'high-contrast';
    case vscode.ColorThemeKind.HighContrastLight:
      return 'high-contrast-light';
    default:
      return kind satisfies never;
  }
}
