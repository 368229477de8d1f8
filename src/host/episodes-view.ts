import * as vscode from 'vscode';
import type { EpisodeIndex } from '../app/episode-index.ts';
import { filterWords, isFiltered, NO_FILTER, type EpisodeFilter } from '../core/episode-filter.ts';
import { filterVocabulary } from './review-words.ts';

/** Rows that the list shows at once, and how many more a click brings. */
const PAGE = 200;
/** From one slice of digests to the next, ms: the editor's own work comes between. */
const BREATH_MS = 5;
/** Slices that one change takes at most: its events, its scores, and a look that nothing is left. */
const AT_ONCE = 3;
/** Until a store that was busy is tried again, ms, and how often. */
const RETRY_MS = 1000;
const RETRIES = 5;

/** What the list of episodes is narrowed to and how far it is shown, and what its title says of that: badge, filter, progress. */
export class EpisodesView implements vscode.Disposable {
  readonly index: EpisodeIndex;
  readonly #onChange: () => void;
  readonly #onError: (thrown: unknown) => void;
  #view: vscode.TreeView<unknown> | null = null;
  #selecting: vscode.Disposable | null = null;
  #chosen: unknown;
  #filter: EpisodeFilter = NO_FILTER;
  #shown = PAGE;
  #catchingUp: NodeJS.Timeout | null = null;
  #reading: NodeJS.Timeout | null = null;
  #begun = false;
  #failures = 0;

  /** `onChange`: the rows are others now. */
  constructor(index: EpisodeIndex, onChange: () => void, onError: (thrown: unknown) => void) {
    this.index = index;
    this.#onChange = onChange;
    this.#onError = onError;
  }

  get filter(): EpisodeFilter {
    return this.#filter;
  }

  set filter(filter: EpisodeFilter) {
    this.#filter = filter;
    this.#shown = PAGE;
    void vscode.commands.executeCommand('setContext', 'turnwise.episodesFiltered', isFiltered(filter));
    this.#onChange();
    this.dress();
  }

  /** The view that this is the title of. */
  attach(view: vscode.TreeView<unknown>): void {
    if (this.#view !== view) {
      this.#view = view;
      this.#selecting = view.onDidChangeSelection(({ selection }) => {
        this.#chosen = selection[0];
      });
    }
    this.dress();
  }

  /** The row that the reader has chosen in the list. The view's own selection is empty while its rows are being read again. */
  get chosen(): unknown {
    return this.#view?.selection[0] ?? this.#chosen;
  }

  /** The rows that are shown, and how many more there are. */
  page(): { readonly rows: ReturnType<EpisodeIndex['filtered']>; readonly more: number } {
    // Nothing changed yet in this window, and the list may lie behind.
    if (!this.#begun) this.update();
    if (isFiltered(this.#filter)) {
      const rows = this.index.filtered(this.#filter);
      return { rows: rows.slice(0, this.#shown), more: Math.max(0, rows.length - this.#shown) };
    }
    const rows = this.index.first(this.#shown);
    this.#readAhead();
    return { rows, more: Math.max(0, this.index.progress().episodes - rows.length) };
  }

  showMore(): void {
    this.#shown += PAGE;
    this.#onChange();
  }

  /** Brings the list up to date: a little at once, the rest in slices. */
  update(id: string | null = null): void {
    this.#begun = true;
    try {
      const left = this.index.update(AT_ONCE);
      this.index.refresh(id);
      this.dress();
      if (left) this.#later();
    } catch (thrown) {
      this.#failed(thrown);
    }
  }

  /** Writes badge, description and message anew. */
  dress(): void {
    if (this.#view === null) return;
    const { episodes, reviewed, total } = this.index.progress();
    const left = total - reviewed;
    const words = filterWords(this.#filter, filterVocabulary());
    this.#view.badge =
      left === 0
        ? undefined
        : { value: left, tooltip: vscode.l10n.t('{left} of {total} conversations left to review', { left, total }) };
    const progress = total === 0 ? '' : vscode.l10n.t('{reviewed} of {total} reviewed', { reviewed, total });
    this.#view.description =
      words === '' ? progress : vscode.l10n.t('{progress} · only {filter}', { progress, filter: words });
    const hidden = words !== '' && episodes > 0 && this.index.filtered(this.#filter).length === 0;
    this.#view.message = hidden
      ? vscode.l10n.t('No conversation is {filter}. The button in the title clears the filter.', { filter: words })
      : '';
  }

  dispose(): void {
    this.#selecting?.dispose();
    if (this.#catchingUp !== null) clearTimeout(this.#catchingUp);
    if (this.#reading !== null) clearTimeout(this.#reading);
  }

  /** The rest of the list is read behind what is drawn, so that a filter answers at once. */
  #readAhead(): void {
    this.#reading ??= setTimeout(() => {
      this.#reading = null;
      try {
        if (this.index.readAhead()) this.#readAhead();
      } catch (thrown) {
        // Whoever filters reads it then.
        this.#onError(thrown);
      }
    }, BREATH_MS);
  }

  #later(wait = BREATH_MS): void {
    this.#catchingUp ??= setTimeout(() => {
      this.#catchingUp = null;
      try {
        const left = this.index.update();
        this.#failures = 0;
        if (left) this.#later();
        else {
          this.#onChange();
          this.dress();
        }
      } catch (thrown) {
        this.#failed(thrown);
      }
    }, wait);
  }

  /** Another window may be writing; what lasts is said and left. */
  #failed(thrown: unknown): void {
    this.#onError(thrown);
    this.#failures += 1;
    if (this.#failures <= RETRIES) this.#later(RETRY_MS);
  }
}
