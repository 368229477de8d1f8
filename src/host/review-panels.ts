import * as vscode from 'vscode';
import { errorText } from '../core/error.ts';
import type { ReviewPageState } from '../core/review-protocol.ts';
import { ReviewPanel, type Place, type ReviewSource } from './review-panel.ts';
import type { ReviewPlaces } from './review-places.ts';

export const REVIEW_PANEL = 'turnwise.review';
/** From a change to a look at it, ms: changes come in bursts. */
const LOOK_MS = 60;
/** From a step of the reader to its being kept, ms: a key that is held down makes many. */
const KEEP_MS = 300;

/** The reviews that are open, one for each episode; the one of no episode shows the trends. */
export class ReviewPanels implements vscode.Disposable {
  readonly #assets: vscode.Uri;
  readonly #source: ReviewSource;
  readonly #log: vscode.LogOutputChannel;
  readonly #places: ReviewPlaces;
  readonly #open = new Set<ReviewPanel>();
  #waiting: NodeJS.Timeout | null = null;
  readonly #unkept = new Map<string, ReviewPageState>();
  #keeping: NodeJS.Timeout | null = null;

  constructor(extensionUri: vscode.Uri, source: ReviewSource, places: ReviewPlaces, log: vscode.LogOutputChannel) {
    this.#assets = vscode.Uri.joinPath(extensionUri, 'dist', 'webview');
    this.#source = source;
    this.#places = places;
    this.#log = log;
  }

  /** Shows an episode's review beside the code, or (null) the trends; one that is open comes to the front. */
  show(episode: string | null, title: string, place: Place): void {
    const known = [...this.#open].find((panel) => panel.episode === episode);
    if (known !== undefined) {
      known.reveal(place);
      return;
    }
    // One column for all of them: the code keeps its place.
    const column = [...this.#open].find((one) => one.column !== undefined)?.column ?? vscode.ViewColumn.Beside;
    const panel = vscode.window.createWebviewPanel(REVIEW_PANEL, title, column, {});
    this.#adopt(panel, episode, place);
  }

  /** Draws a panel again that was there before the window was reloaded; `state` is what its page kept, if the editor wrote it down. */
  restore(panel: vscode.WebviewPanel, state: unknown): void {
    const known = this.#places.find(panel.title, state);
    const { episode, tab, turn } = known ?? { episode: null, tab: 'trends' as const, turn: null };
    this.#adopt(panel, episode, { tab, turn });
  }

  /** What any open review shows may have changed. */
  refresh(): void {
    if (this.#open.size === 0) return;
    this.#waiting ??= setTimeout(() => {
      this.#waiting = null;
      for (const panel of this.#open) panel.refresh();
    }, LOOK_MS);
  }

  dispose(): void {
    if (this.#waiting !== null) clearTimeout(this.#waiting);
    if (this.#keeping !== null) this.#keep();
    this.#open.clear();
  }

  #remember(title: string, place: ReviewPageState): void {
    this.#unkept.set(title, place);
    this.#keeping ??= setTimeout(() => {
      this.#keep();
    }, KEEP_MS);
  }

  #keep(): void {
    if (this.#keeping !== null) clearTimeout(this.#keeping);
    this.#keeping = null;
    try {
      for (const [title, place] of this.#unkept) this.#places.keep(title, place);
    } catch (thrown) {
      // A store that cannot be written, or is busy: the page keeps it too.
      this.#log.warn(`Where a review stands is not kept: ${errorText(thrown)}`);
    }
    this.#unkept.clear();
  }

  #adopt(panel: vscode.WebviewPanel, episode: string | null, place: Place): void {
    const shown = new ReviewPanel(panel, this.#assets, {
      episode,
      place,
      source: this.#source,
      log: this.#log,
      onPlace: (at) => {
        this.#remember(panel.title, { episode, ...at });
      },
      onClosed: () => {
        this.#open.delete(shown);
      },
    });
    this.#open.add(shown);
    // One that was hidden heard of nothing.
    panel.onDidChangeViewState(() => {
      shown.refresh();
    });
  }
}
