/** Turns token ids into text as they come, and looks out for stop strings. */
export interface TextStream {
  /** Text that is final by now: never half a character, never the beginning of what may become a stop string. */
  push(id: number): string;
  /** Whether a stop string has come up; it and everything behind it is left out. */
  readonly stopped: boolean;
  /** What was held back, at the end of a generation. */
  flush(): string;
}

/** `detokenize` gets all ids so far: with byte-level vocabularies a character may be spread over several tokens. */
export function createTextStream(detokenize: (ids: readonly number[]) => string, stops: readonly string[]): TextStream {
  let pending: number[] = [];
  let held = '';
  let stopped = false;

  const release = (text: string): string => {
    held += text;
    const hit = stops.map((stop) => held.indexOf(stop)).filter((at) => at >= 0);
    if (hit.length > 0) {
      stopped = true;
      const out = held.slice(0, Math.min(...hit));
      held = '';
      return out;
    }
    const keep = Math.max(0, ...stops.map((stop) => overlap(held, stop)));
    const out = held.slice(0, held.length - keep);
    held = held.slice(held.length - keep);
    return out;
  };

  return {
    get stopped() {
      return stopped;
    },
    push(id) {
      if (stopped) return '';
      pending.push(id);
      const text = detokenize(pending);
      // A character cut in half shows as U+FFFD; a real one can be told from it by what follows.
      if (text.endsWith('\uFFFD') && pending.length < LONGEST_CHARACTER) return '';
      pending = [];
      return release(text);
    },
    flush() {
      if (stopped) return '';
      const out = release(pending.length === 0 ? '' : detokenize(pending)) + held;
      pending = [];
      held = '';
      return out;
    },
  };
}

/** Tokens that one character can be spread over, at most: four bytes. */
const LONGEST_CHARACTER = 4;

/** Length of the longest end of `text` that begins `stop`. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length -= 1) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
