import type * as vscode from 'vscode';
import type { TurnWords } from '../core/review-detail.ts';
import { turnDetail } from '../core/review-detail.ts';
import { errorText } from '../core/error.ts';
import {
  reviewPageMessageSchema,
  type CompareView,
  type GroupView,
  type Part,
  type ReviewHostMessage,
  type ReviewPageMessage,
  type ReviewView,
  type Tab,
  type TrendsView,
} from '../core/review-protocol.ts';
import { reviewUpdate } from '../core/review-update.ts';
import type { ReviewSources } from '../core/review-view.ts';
import { webviewPage } from './webview-page.ts';

/** Where a panel's numbers come from, and who does what its reader wants. Everything throws `TurnwiseError`. */
export interface ReviewSource {
  sources(episode: string): ReviewSources;
  view(sources: ReviewSources): ReviewView;
  words(sources: ReviewSources, turn: number): Promise<TurnWords>;
  compare(sources: ReviewSources, chosen: { readonly a: string; readonly b: string } | null): CompareView;
  group(sources: ReviewSources): GroupView | null;
  trends(): TrendsView;
  /** Labels, notes, and what is done elsewhere. */
  act(episode: string | null, message: ReviewAct): Promise<void> | void;
}

export type ReviewAct = Extract<
  ReviewPageMessage,
  { type: 'label' | 'note' | 'exclude' | 'reviewed' | 'undo' | 'open_episode' | 'open_chat' | 'score' }
>;

/** Where a panel opens. */
export interface Place {
  readonly tab: Tab;
  readonly turn: number | null;
}

type Unnumbered = ReviewHostMessage extends infer M ? (M extends { seq: number } ? Omit<M, 'seq'> : never) : never;

const WAIT: TurnWords = { next: null, mask: null, why: 'Asking the scorer what these tokens say…' };

/** One review beside the code: a snapshot when its page is ready or lost count, then numbered differences. */
export class ReviewPanel {
  readonly episode: string | null;
  readonly #panel: vscode.WebviewPanel;
  readonly #source: ReviewSource;
  readonly #log: vscode.LogOutputChannel;
  /** What the page shows and the number of its last message; null before it is ready. */
  #shown: { view: ReviewView | null; seq: number } | null = null;
  #selected: number | null = null;
  readonly #whole = new Map<number, Set<Part>>();
  readonly #words = new Map<number, { readonly key: string; readonly words: TurnWords }>();
  /** What was last sent of each kind, so that nothing is sent twice. */
  readonly #sent = new Map<string, string>();
  #tab: Tab = 'turns';
  #compared: { readonly a: string; readonly b: string } | null = null;
  #place: Place | null;
  readonly #onPlace: (place: Place) => void;

  constructor(
    panel: vscode.WebviewPanel,
    assets: vscode.Uri,
    wiring: {
      readonly episode: string | null;
      readonly place: Place | null;
      readonly source: ReviewSource;
      readonly log: vscode.LogOutputChannel;
      /** The reader is at another place now. */
      readonly onPlace: (place: Place) => void;
      readonly onClosed: () => void;
    },
  ) {
    this.episode = wiring.episode;
    this.#panel = panel;
    this.#source = wiring.source;
    this.#log = wiring.log;
    this.#place = wiring.place;
    this.#tab = wiring.place?.tab ?? 'turns';
    this.#selected = wiring.place?.turn ?? null;
    this.#onPlace = wiring.onPlace;
    this.#tell();
    const { webview } = panel;
    webview.options = { enableScripts: true, localResourceRoots: [assets] };
    const listening = webview.onDidReceiveMessage((message: unknown) => {
      void this.#receive(message);
    });
    panel.onDidDispose(() => {
      listening.dispose();
      wiring.onClosed();
    });
    webview.html = webviewPage(webview, assets, 'review');
  }

  /** Where it stands among the editor's columns; undefined while it is hidden. */
  get column(): vscode.ViewColumn | undefined {
    return this.#panel.viewColumn;
  }

  /** Brings the panel to the front, at a place. */
  reveal(place: Place): void {
    this.#place = place;
    this.#panel.reveal(undefined, false);
    this.#go();
  }

  dispose(): void {
    this.#panel.dispose();
  }

  /** Scores, words or remarks may have changed: what did is sent, and nothing else. */
  refresh(): void {
    if (this.#shown === null || !this.#panel.visible) return;
    const read = this.#read();
    if (read === null || this.#shown.view === null) {
      if ((read === null) !== (this.#shown.view === null)) this.#snapshot();
      else if (this.#tab === 'trends') this.#sendTab(null);
      return;
    }
    const update = reviewUpdate(this.#shown.view, read.view);
    if (update?.type === 'snapshot') {
      this.#snapshot();
      return;
    }
    if (update !== null) this.#post(update, read.view);
    this.#sendDetail(read.sources);
    this.#sendTab(read.sources);
  }

  async #receive(raw: unknown): Promise<void> {
    const parsed = reviewPageMessageSchema.safeParse(raw);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      this.#log.warn(`A message of a review was refused: ${issue?.path.join('.') ?? ''} ${issue?.code ?? 'invalid'}`);
      return;
    }
    try {
      await this.#handle(parsed.data);
    } catch (thrown) {
      this.#log.warn(`${parsed.data.type} was refused: ${errorText(thrown)}`);
      this.#post({ type: 'refused', message: errorText(thrown) });
    }
  }

  async #handle(message: ReviewPageMessage): Promise<void> {
    switch (message.type) {
      case 'ready':
        this.#snapshot();
        return;
      case 'select':
        this.#selected = message.turn;
        this.#tell();
        this.#sendDetail(this.#sources());
        return;
      case 'whole':
        this.#whole.set(message.turn, new Set([...(this.#whole.get(message.turn) ?? []), message.part]));
        this.#sendDetail(this.#sources());
        return;
      case 'tab':
        this.#tab = message.tab;
        this.#tell();
        this.#sendTab(this.#sources());
        return;
      case 'compare':
        this.#compared = { a: message.a, b: message.b };
        this.#sendTab(this.#sources());
        return;
      case 'label':
      case 'note':
      case 'exclude':
      case 'reviewed':
      case 'undo':
      case 'open_episode':
      case 'open_chat':
      case 'score':
        await this.#source.act(this.episode, message);
        this.refresh();
        return;
      default:
        message satisfies never;
    }
  }

  #snapshot(): void {
    const read = this.#read();
    this.#sent.clear();
    const words =
      this.episode === null
        ? 'Trends over all conversations. Open one from the Episodes view to see it turn by turn.'
        : 'This conversation is not in the store any more, or cannot be read. Its scores, if there are any, stay where they are.';
    this.#post({ type: 'snapshot', view: read?.view ?? null, words }, read?.view ?? null);
    this.#go();
    this.#sendDetail(read?.sources ?? null);
    this.#sendTab(read?.sources ?? null);
  }

  #tell(): void {
    this.#onPlace({ tab: this.#tab, turn: this.#selected });
  }

  #go(): void {
    if (this.#shown === null || this.#place === null) return;
    this.#post({ type: 'go', ...this.#place });
    this.#place = null;
  }

  #read(): { readonly sources: ReviewSources; readonly view: ReviewView } | null {
    const sources = this.#sources();
    return sources === null ? null : { sources, view: this.#source.view(sources) };
  }

  #sources(): ReviewSources | null {
    if (this.episode === null) return null;
    try {
      const sources = this.#source.sources(this.episode);
      return sources.state.phase === 'absent' ? null : sources;
    } catch (thrown) {
      this.#log.warn(`A conversation cannot be reviewed: ${errorText(thrown)}`);
      return null;
    }
  }

  #sendDetail(sources: ReviewSources | null): void {
    const turn = this.#selected;
    if (turn === null || sources === null || this.#shown === null) return;
    const key = wordsKey(sources, turn);
    const known = this.#words.get(turn);
    const scored = sources.scored?.turns.find(({ index }) => index === turn)?.logp_factual != null;
    const words = known?.key === key ? known.words : scored ? WAIT : { ...WAIT, why: null };
    const detail = turnDetail(sources, turn, words, this.#whole.get(turn));
    if (detail === null) return;
    this.#postOnce('detail', { type: 'detail', detail });
    if (!scored || known?.key === key) return;
    void this.#source.words(sources, turn).then((learnt) => {
      this.#words.set(turn, { key, words: learnt });
      if (this.#selected === turn) this.#sendDetail(this.#sources());
    });
  }

  #sendTab(sources: ReviewSources | null): void {
    switch (this.#tab) {
      case 'turns':
        return;
      case 'trends':
        this.#postOnce('trends', { type: 'trends', trends: this.#source.trends() });
        return;
      case 'task':
        if (sources !== null) this.#postOnce('task', { type: 'group', group: this.#source.group(sources) });
        return;
      case 'compare':
        if (sources === null) return;
        this.#postOnce('compare', { type: 'compare', compare: this.#source.compare(sources, this.#compared) });
        return;
      default:
        this.#tab satisfies never;
    }
  }

  #postOnce(kind: string, message: Unnumbered): void {
    const text = JSON.stringify(message);
    if (this.#sent.get(kind) === text) return;
    this.#sent.set(kind, text);
    this.#post(message);
  }

  #post(message: Unnumbered, view?: ReviewView | null): void {
    if (message.type === 'snapshot') {
      this.#shown = { view: view ?? null, seq: 0 };
      void this.#panel.webview.postMessage({ ...message, seq: 0 } satisfies ReviewHostMessage);
      return;
    }
    if (this.#shown === null) return;
    this.#shown = { view: view === undefined ? this.#shown.view : view, seq: this.#shown.seq + 1 };
    void this.#panel.webview.postMessage({ ...message, seq: this.#shown.seq } satisfies ReviewHostMessage);
  }
}

/** Names the score that words belong to: another one of the same turn has other tokens. */
function wordsKey({ scored }: ReviewSources, turn: number): string {
  const score = scored?.turns.find(({ index }) => index === turn);
  return `${scored?.scorer.id} ${scored?.scorer.revision} ${score?.factual_ids_sha} ${score?.masked_ids_sha}`;
}
