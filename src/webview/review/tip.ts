/** From the pointer's rest to the words, ms; the keyboard does not wait. */
const REST_MS = 250;

/** What a tip says: a title and lines; `formula` lines are arithmetic, set in the editor's font. */
export interface TipContent {
  readonly title: string;
  readonly lines: readonly string[];
  readonly formula: readonly string[];
}

/**
 * One tip for the whole page, shown for whatever has `data-tip`: on hover, and on focus. It stays while the pointer is on it, and
 * goes with Escape (WCAG 1.4.13).
 */
export class Tip {
  readonly #box = document.createElement('div');
  readonly #contentOf: (target: HTMLElement) => TipContent | null;
  #timer: number | null = null;
  #target: HTMLElement | null = null;

  constructor(root: HTMLElement, contentOf: (target: HTMLElement) => TipContent | null) {
    this.#contentOf = contentOf;
    this.#box.className = 'tip';
    this.#box.id = 'tip';
    this.#box.setAttribute('role', 'tooltip');
    this.#box.hidden = true;
    root.append(this.#box);
    root.addEventListener('pointerover', (event) => {
      this.#over(event.target, REST_MS);
    });
    root.addEventListener('focusin', (event) => {
      if (event.target instanceof HTMLElement && event.target.matches(':focus-visible')) this.#over(event.target, 0);
    });
    root.addEventListener('focusout', () => {
      this.hide();
    });
    root.addEventListener('pointerleave', () => {
      this.hide();
    });
    root.addEventListener(
      'scroll',
      () => {
        this.hide();
      },
      { capture: true, passive: true },
    );
  }

  get shown(): boolean {
    return !this.#box.hidden;
  }

  hide(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#target?.removeAttribute('aria-describedby');
    this.#target = null;
    this.#box.hidden = true;
  }

  #over(hit: EventTarget | null, wait: number): void {
    if (!(hit instanceof Element) || this.#box.contains(hit)) return;
    const target = hit.closest<HTMLElement>('[data-tip]');
    if (target === this.#target) return;
    this.hide();
    if (target === null) return;
    this.#target = target;
    this.#timer = window.setTimeout(() => {
      this.#show(target);
    }, wait);
  }

  #show(target: HTMLElement): void {
    const content = this.#contentOf(target);
    if (content === null || !target.isConnected) return;
    const line = (text: string, kind: string): HTMLElement => {
      const element = document.createElement('p');
      element.className = kind;
      element.textContent = text;
      return element;
    };
    this.#box.replaceChildren(
      line(content.title, 'title'),
      ...content.lines.map((text) => line(text, 'line')),
      ...content.formula.map((text) => line(text, 'formula')),
    );
    this.#box.hidden = false;
    target.setAttribute('aria-describedby', 'tip');
    place(this.#box, target.getBoundingClientRect());
  }
}

const GAP = 6;

/** Below what it is about, or above where there is no room. */
function place(box: HTMLElement, about: DOMRect): void {
  const { width, height } = box.getBoundingClientRect();
  const left = Math.max(GAP, Math.min(about.left, innerWidth - width - GAP));
  const below = about.bottom + GAP;
  const top = below + height + GAP <= innerHeight ? below : Math.max(GAP, about.top - height - GAP);
  box.style.left = `${left}px`;
  box.style.top = `${top}px`;
}
