/**
 * Text in which nothing acts unseen: characters that turn the reading direction, hide, or steer a terminal stand there as a
 * sign of their own (ESC as ␛, U+202E as ‹U+202E›). For drawing alone: what is copied, applied or scored is the text itself.
 * The direction marks are those of Unicode's UAX 9; with them go invisible spaces and the tag characters, which carry hidden words.
 */
export function visibleControls(text: string): string {
  return text.replace(UNSEEN, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    if (code === 0x7f) return '\u2421';
    return `‹U+${code.toString(16).toUpperCase().padStart(4, '0')}›`;
  });
}

// Left alone: tab, line feed, carriage return; the joiners U+200C and U+200D, which scripts and emoji need.
const UNSEEN =
  /(?![\t\n\r])\p{Cc}|[\u061c\u180e\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
