import type { Language } from '../core/guess-language.ts';
import type { HighlightView, WebviewMessage } from '../core/webview-protocol.ts';

/** So many coloured pieces of code are kept, so that one that is drawn again has its colours at once. */
const MOST_KEPT = 300;

/** A piece of code asks for its colours: the event that it sends up, taken where the host can be asked. */
export class HighlightRequest extends Event {
  static readonly type = 'tw-highlight';
  readonly language: Language;
  readonly code: string;
  /** Called at once, or when the host has answered; never, where it cannot colour this. */
  readonly take: (highlight: HighlightView) => void;

  constructor(language: Language, code: string, take: (highlight: HighlightView) => void) {
    super(HighlightRequest.type, { bubbles: true });
    this.language = language;
    this.code = code;
    this.take = take;
  }
}

/** The colours of code, asked for once each and kept. */
export class Highlights {
  readonly #post: (message: WebviewMessage) => void;
  readonly #kept = new Map<string, HighlightView>();
  readonly #waiting = new Map<number, { readonly key: string; readonly takers: HighlightRequest['take'][] }>();
  #asked = 0;

  constructor(post: (message: WebviewMessage) => void) {
    this.#post = post;
  }

  ask({ language, code, take }: HighlightRequest): void {
    const key = `${language}\n${code}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      // The last one asked for is the last one to go.
      this.#keep(key, kept);
      take(kept);
      return;
    }
    const same = [...this.#waiting.values()].find((waiting) => waiting.key === key);
    if (same !== undefined) {
      same.takers.push(take);
      return;
    }
    this.#asked += 1;
    this.#waiting.set(this.#asked, { key, takers: [take] });
    this.#post({ type: 'highlight', request: this.#asked, language, code });
  }

  /** The host's answer. */
  take(request: number, highlight: HighlightView): void {
    const waiting = this.#waiting.get(request);
    if (waiting === undefined) return;
    this.#waiting.delete(request);
    this.#keep(waiting.key, highlight);
    for (const take of waiting.takers) take(highlight);
  }

  /** Other colours from now on; what is drawn keeps the old ones until it has asked again. */
  forget(): void {
    this.#kept.clear();
    this.#waiting.clear();
  }

  #keep(key: string, highlight: HighlightView): void {
    this.#kept.delete(key);
    this.#kept.set(key, highlight);
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > MOST_KEPT && oldest.done !== true) this.#kept.delete(oldest.value);
  }
}
