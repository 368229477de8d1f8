/** Closer to the end than this, px, the reader follows what is new. */
const NEAR_END = 48;
/** Less than the lowest turn. */
const STEP_PX = 20;
/** Frames until what comes in above has its height: it is counted, comes near, and is drawn. */
const FRAMES_TO_SETTLE = 4;

/**
 * Keeps a scroller at its end while its reader is there, and where its reader is otherwise: what is new then only counts as
 * news. What comes in above (earlier turns) moves nothing that is being read.
 */
export class FollowEnd {
  readonly #onChange: () => void;
  readonly #growth = new ResizeObserver(() => {
    this.#stay();
  });
  #scroller: HTMLElement | null = null;
  #content: Element | null = null;
  #following = true;
  /** Where the reader was last seen, px from the top. */
  #lastTop = 0;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Whether the reader is at the end and goes along with it. */
  get following(): boolean {
    return this.#following;
  }

  /** Call it with what is drawn now; drawing the same again changes nothing. */
  watch(scroller: HTMLElement, content: Element): void {
    if (scroller !== this.#scroller) {
      this.#scroller?.removeEventListener('scroll', this.#onScroll);
      scroller.addEventListener('scroll', this.#onScroll, { passive: true });
      this.#scroller = scroller;
    }
    if (content !== this.#content) {
      this.#growth.disconnect();
      // What is drawn later (a font, a turn that comes into sight) grows too, and so does the window.
      this.#growth.observe(content);
      this.#growth.observe(scroller);
      this.#content = content;
    }
    this.#stay();
  }

  /** To the newest, and along with it from now on. */
  toEnd(): void {
    this.#set(true);
    this.#stay();
  }

  /** Stays where the reader is from now on. */
  leave(): void {
    this.#set(false);
  }

  /**
   * Call it before content is put in above what is read, and the result when that is done. A browser anchors the rest of the
   * page by itself, but not at the very top, nor against what turns out taller than it was counted with once it is near.
   */
  hold(): () => void {
    const scroller = this.#scroller;
    if (scroller === null || this.#following) return () => undefined;
    const read = firstTurnIn(scroller);
    if (read === null) return () => undefined;
    const place = read.getBoundingClientRect().top;
    return () => {
      let stood = scroller.scrollTop;
      const restore = (frames: number): void => {
        // Whoever scrolls meanwhile goes where they want to.
        if (scroller.scrollTop === stood) scroller.scrollTop += read.getBoundingClientRect().top - place;
        stood = scroller.scrollTop;
        if (frames > 0) {
          requestAnimationFrame(() => {
            restore(frames - 1);
          });
        }
      };
      restore(FRAMES_TO_SETTLE);
    };
  }

  #stay(): void {
    const scroller = this.#scroller;
    if (scroller === null || !this.#following) return;
    // An introduction is read from its beginning.
    if (scroller.querySelector('.welcome') !== null) return;
    scroller.scrollTop = scroller.scrollHeight;
    this.#lastTop = scroller.scrollTop;
  }

  readonly #onScroll = (): void => {
    const scroller = this.#scroller;
    if (scroller === null) return;
    const { scrollHeight, scrollTop, clientHeight } = scroller;
    const near = scrollHeight - scrollTop - clientHeight < NEAR_END;
    // Content that grew below scrolls nobody away: only a reader who went up has left the end.
    if (near) this.#set(true);
    else if (scrollTop < this.#lastTop) this.#set(false);
    this.#lastTop = scrollTop;
  };

  #set(following: boolean): void {
    if (following === this.#following) return;
    this.#following = following;
    this.#onChange();
  }
}

/** The uppermost turn that the reader sees. Looked for on the screen: asking thousands of turns where they are would lay out all of them. */
function firstTurnIn(scroller: HTMLElement): Element | null {
  const { left, top, width, bottom } = scroller.getBoundingClientRect();
  for (let y = top + 1; y < bottom; y += STEP_PX) {
    const turn = document.elementFromPoint(left + width / 2, y)?.closest('tw-turn');
    if (turn) return turn;
  }
  return null;
}
