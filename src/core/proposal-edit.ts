import type { Attachment } from './context-text.ts';

/** What the editor knows of the document that a proposal may go into; offsets in UTF-16 units. */
export interface Target {
  readonly text: string;
  readonly selection: { readonly start: number; readonly end: number };
  readonly eol: '\n' | '\r\n';
}

/**
 * The whole text of a document once a proposal stands in it: in place of the selection, else of the definition that it
 * redefines, else of the blank line that the cursor is on, else at the end; an empty document becomes the proposal. Line ends
 * are the document's.
 */
export function withProposal({ text, selection, eol }: Target, code: string): string {
  const body = code.replace(/\r?\n/g, eol);
  if (text.trim() === '') return body;
  if (selection.end > selection.start) {
    return text.slice(0, selection.start) + fitted(text, selection, body, eol) + text.slice(selection.end);
  }
  const old = definitionLike(text, code);
  if (old !== null) return text.slice(0, old.start) + body + text.slice(old.end);
  const line = lineAt(text, selection.start);
  // The cursor of a file that was only opened stands at its very beginning, and means nothing.
  if (selection.start > 0 && text.slice(line.start, line.end).trim() === '') {
    return text.slice(0, line.start) + body + text.slice(line.end).replace(/^\r?\n/, '');
  }
  const blank = eol.repeat(DEFINITION.test(code) ? 3 : 2);
  return `${text.trimEnd()}${blank}${body}`;
}

/** The line around an offset, without its line break. */
function lineAt(text: string, offset: number): Target['selection'] {
  const end = text.indexOf('\n', offset);
  return { start: offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1, end: end < 0 ? text.length : end };
}

/** Code in the place of a selection: as deep as the lines that it replaces, and with a line break at its end where they had one. */
function fitted(text: string, { start, end }: Target['selection'], body: string, eol: string): string {
  const old = text.slice(lineAt(text, start).start, end);
  // Only lines from their beginning say how deep they stand.
  const depth = text.slice(lineAt(text, start).start, start).trim() === '' ? indentOf(old) : '';
  const lines = body.split(eol);
  const deep = indentOf(body) === '' ? lines.map((line) => (line.trim() === '' ? line : depth + line)) : lines;
  const whole = deep.join(eol).slice(start - lineAt(text, start).start > 0 && depth !== '' ? depth.length : 0);
  return !text.slice(start, end).endsWith('\n') && whole.endsWith(eol) ? whole.slice(0, -eol.length) : whole;
}

/** The white space that all lines with words begin with. */
function indentOf(text: string): string {
  const indents = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [/^[ \t]*/.exec(line)?.[0] ?? '']));
  return indents.reduce((least, indent) => (indent.length < least.length ? indent : least), indents[0] ?? '');
}

/**
 * Where the text that went with a message as a selection stands in its document now: where it was, else at the one place
 * that reads the same. Null where it is gone, or stands there more than once.
 */
export function selectionIn(text: string, { range, text: selected }: Attachment): Target['selection'] | null {
  if (range === null || selected === '') return null;
  const plain = text.replaceAll('\r\n', '\n');
  const lines = plain.split('\n');
  const before = lines.slice(0, range.from - 1).reduce((sum, line) => sum + line.length + 1, 0);
  const then = before + (range.columns === null ? 0 : range.columns.from - 1);
  const first = plain.startsWith(selected, then) ? then : plain.indexOf(selected);
  if (first < 0 || (first !== then && plain.includes(selected, first + 1))) return null;
  // Each line break of a CRLF document is one longer.
  const extra = (at: number): number => (plain === text ? 0 : plain.slice(0, at).split('\n').length - 1);
  const last = first + selected.length;
  return { start: first + extra(first), end: last + extra(last) };
}

/** The one place in which two texts differ: what stands at [start, end) of `before` becomes `text`. No character is cut. */
export function changedPart(
  before: string,
  after: string,
): { readonly start: number; readonly end: number; readonly text: string } {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start += 1;
  while (start > 0 && isInside(before, start)) start -= 1;
  let tail = 0;
  while (tail < most - start && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  while (tail > 0 && isInside(before, before.length - tail)) tail -= 1;
  return { start, end: before.length - tail, text: after.slice(start, after.length - tail) };
}

/** Whether a cut here would part a CRLF, or the two halves of a character. */
function isInside(text: string, at: number): boolean {
  const [left = '', right = ''] = [text[at - 1], text[at]];
  return (left === '\r' && right === '\n') || (/[\ud800-\udbff]/.test(left) && /[\udc00-\udfff]/.test(right));
}

const DEFINITION = /^(?:async def|def|class) +(\w+)/;

/** Where the one top-level Python definition of the same name stands, with its body; null: there is none, or more than one. */
function definitionLike(text: string, code: string): Target['selection'] | null {
  const names = code.split('\n').flatMap((line) => DEFINITION.exec(line)?.[1] ?? []);
  const [name] = names;
  if (name === undefined || names.length !== 1) return null;
  const lines = text.split(/(?<=\n)/);
  const starts = lines.flatMap((line, at) => (DEFINITION.exec(line)?.[1] === name ? [at] : []));
  const [start] = starts;
  if (start === undefined || starts.length !== 1) return null;
  let end = start + 1;
  while (end < lines.length && /^(?:\s|$|[)\]}])/.test(lines[end] ?? '')) end += 1;
  // Blank lines behind the body belong to what follows.
  while (end > start + 1 && (lines[end - 1] ?? '').trim() === '') end -= 1;
  const offset = (line: number): number => lines.slice(0, line).join('').length;
  return { start: offset(start), end: offset(end) };
}
