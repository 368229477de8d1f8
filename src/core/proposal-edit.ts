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
  if (selection.end > selection.start)
    return text.slice(0, selection.start) + fitted(text, selection, body, eol) + text.slice(selection.end);
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

/** A selection inside a line takes no line break of its own. */
function fitted(text: string, { end }: Target['selection'], body: string, eol: string): string {
  const followedByBreak = text.startsWith(eol, end);
  return followedByBreak && body.endsWith(eol) ? body.slice(0, -eol.length) : body;
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
