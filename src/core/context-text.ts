/** Where in a file a selection stood: lines from 1, both included; columns from 1 where it began or ended inside a line. */
export interface SelectedRange {
  readonly from: number;
  readonly to: number;
  /** First column and the one behind the last, UTF-16 units; null: whole lines. */
  readonly columns: { readonly from: number; readonly to: number } | null;
}

/** Words of the workspace that go with a message: a whole file, or a part of one. */
export interface Attachment {
  /** As the workspace names it, with `/` between folders. */
  readonly path: string;
  readonly range: SelectedRange | null;
  /** Line ends are LF; the last line has none. */
  readonly text: string;
}

/**
 * The text that the model reads, and that is kept and scored: the developer's words, then each attachment as a line that names
 * it and its text in a fence. `splitContext` reads it back.
 *
 *     Attached: selection src/prices.py:3-9
 *     ```py
 *     ...
 *     ```
 */
export function withContext(words: string, attachments: readonly Attachment[]): string {
  return [words.trimEnd(), ...attachments.map(block)].join('\n\n');
}

/** What was attached to a message, and the words in front of it; a text without attachments is all words. */
export function splitContext(text: string): { readonly words: string; readonly attachments: readonly Attachment[] } {
  const none = { words: text, attachments: [] };
  if (!text.includes(HEAD)) return none;
  const lines = text.split('\n');
  // Words stand in front of what is attached to them, a blank line between.
  const heads = lines.flatMap((line, at) => (at >= 2 && lines[at - 1] === '' && line.startsWith(HEAD) ? [at] : []));
  for (const at of heads.slice(0, MOST_HEADS)) {
    const attachments = blocks(lines, at);
    if (attachments !== null) return { words: lines.slice(0, at - 1).join('\n'), attachments };
  }
  return none;
}

/** An attachment's name, as a message and a chip show it: `src/prices.py:3-9`. */
export function attachmentLabel({ path, range }: Pick<Attachment, 'path' | 'range'>): string {
  if (range === null) return path;
  const { from, to, columns } = range;
  const place = (line: number, column: number | undefined): string =>
    column === undefined ? `${line}` : `${line}:${column}`;
  return `${path}:${place(from, columns?.from)}-${place(to, columns?.to)}`;
}

/** Line ends as they stand in a message. */
export function attachedText(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/\n$/, '');
}

/** Attachments of one message; the form of more is not read back, so that no text takes long. */
export const MAX_ATTACHMENTS = 20;
/** Places at which the attachments may begin, as far as is looked. */
const MOST_HEADS = 200;
const HEAD = 'Attached: ';
const HEADER = /^Attached: (file|selection) (\S.*)$/;
const LINES = /^(.+):(\d+)-(\d+)$/;
const COLUMNS = /^(.+):(\d+):(\d+)-(\d+):(\d+)$/;
const FENCE = /^(`{3,})[\w+#.-]*$/;

function block(attachment: Attachment): string {
  const longest = Math.max(2, ...[...attachment.text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const language = /\.([A-Za-z0-9]{1,12})$/.exec(attachment.path)?.[1] ?? '';
  const kind = attachment.range === null ? 'file' : 'selection';
  return `${HEAD}${kind} ${attachmentLabel(attachment)}\n${fence}${language}\n${attachment.text}\n${fence}`;
}

/** The attachments that these lines are from `start` to their end, and nothing else; null where they are not. */
function blocks(lines: readonly string[], start: number): Attachment[] | null {
  const found: Attachment[] = [];
  for (let at = start; ; at += 2) {
    const named = header(lines[at] ?? '');
    const fence = FENCE.exec(lines[at + 1] ?? '')?.[1];
    if (named === null || fence === undefined) return null;
    const close = lines.indexOf(fence, at + 2);
    if (close < 0 || found.length === MAX_ATTACHMENTS) return null;
    found.push({ ...named, text: lines.slice(at + 2, close).join('\n') });
    if (close === lines.length - 1) return found;
    if (lines[close + 1] !== '') return null;
    at = close;
  }
}

function header(line: string): Pick<Attachment, 'path' | 'range'> | null {
  const [, kind, rest = ''] = HEADER.exec(line) ?? [];
  if (kind === 'file') return { path: rest, range: null };
  if (kind !== 'selection') return null;
  const [, inside, ...places] = COLUMNS.exec(rest) ?? [];
  if (inside !== undefined) {
    const [from = 0, first = 0, to = 0, last = 0] = places.map(Number);
    return { path: inside, range: { from, to, columns: { from: first, to: last } } };
  }
  const [, path, from, to] = LINES.exec(rest) ?? [];
  return path === undefined ? null : { path, range: { from: Number(from), to: Number(to), columns: null } };
}
