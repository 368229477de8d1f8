/** A text behind an encoding: what it says, and where each of its UTF-16 units stands in the encoded one. */
export interface Decoded {
  readonly text: string;
  /** `starts[i]` is where unit i begins; one more entry for the end. */
  readonly starts: readonly number[];
}

/** A run of base64 and the text in it. */
export interface Base64Run {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What a text says once `%41` is read as `A`; null where it holds nothing of the kind. */
export function percentDecoded(text: string): Decoded | null {
  if (!/%[0-9a-f]{2}/i.test(text)) return null;
  return decoded(text, /(?:%[0-9a-f]{2})+/gi, (run) => {
    const bytes = Uint8Array.from(run.match(/[0-9a-f]{2}/gi) ?? [], (digits) => Number.parseInt(digits, 16));
    // A run that is no UTF-8 is read byte by byte: one bad byte must not hide the others.
    return printable(bytes) ?? String.fromCharCode(...bytes);
  });
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

/** What a text says once JSON's escapes are read; null where it holds none. */
export function unescaped(text: string): Decoded | null {
  if (!text.includes('\\')) return null;
  return decoded(text, /\\(?:u[0-9a-f]{4}|["\\/bfnrt])/gi, (escape) => {
    const letter = escape.slice(1, 2);
    if (escape.length > 2) return String.fromCharCode(Number.parseInt(escape.slice(2), 16));
    return ESCAPES[letter] ?? letter;
  });
}

/** The runs of base64 (either alphabet) that hold text. */
export function base64Runs(text: string): Base64Run[] {
  const runs: Base64Run[] = [];
  for (const { 0: run, index } of text.matchAll(/[A-Za-z0-9+/_-]{12,}={0,2}/g)) {
    for (const [from, to] of partsOf(run)) {
      const said = base64Text(run.slice(from, to).replace(/=+$/, '').replaceAll('-', '+').replaceAll('_', '/'));
      if (said !== null) runs.push({ start: index + from, end: index + to, text: said });
    }
  }
  return runs;
}

/** A slash is a digit of base64 and the edge of a name in a path: the whole run, what follows its first slashes, its names. */
function partsOf(run: string): (readonly [from: number, to: number])[] {
  const slashes = [...run.matchAll(/\//g)].slice(0, 4).map(({ index }) => index);
  const names = slashes.map((slash, k) => [slash + 1, slashes[k + 1] ?? run.length] as const);
  return [[0, run.length] as const, ...slashes.map((slash) => [slash + 1, run.length] as const), ...names].filter(
    ([from, to], at, all) => to - from >= 12 && all.findIndex(([a, b]) => a === from && b === to) === at,
  );
}

function base64Text(run: string): string | null {
  // One digit over is no byte.
  const whole = run.length % 4 === 1 ? run.slice(0, -1) : run;
  // Text starts with text: most runs are words, and end here.
  const opening = bytesOf(whole.slice(0, 16));
  if (opening === null || opening.some((byte) => byte < 9 || (byte > 13 && byte < 32))) return null;
  const bytes = bytesOf(whole);
  return bytes === null ? null : printable(bytes);
}

function bytesOf(base64: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

/** UTF-8 without control characters, else null. */
function printable(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return /[^\P{Cc}\t\n\r]/u.test(text) ? null : text;
  } catch {
    return null;
  }
}

function decoded(text: string, pattern: RegExp, read: (run: string) => string): Decoded | null {
  let out = '';
  const starts: number[] = [];
  let at = 0;
  const plain = (until: number): void => {
    for (; at < until; at += 1) starts.push(at);
  };
  let last = 0;
  for (const { 0: run, index } of text.matchAll(pattern)) {
    out += text.slice(last, index);
    plain(index);
    const said = read(run);
    // Units of one run are spread over it: that a find may cover more of it than it must does no harm.
    for (let unit = 0; unit < said.length; unit += 1)
      starts.push(index + Math.floor((unit * run.length) / said.length));
    out += said;
    last = index + run.length;
    at = last;
  }
  if (last === 0) return null;
  out += text.slice(last);
  plain(text.length);
  starts.push(text.length);
  return { text: out, starts };
}
