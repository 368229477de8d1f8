/** A file name that is being typed behind an `@`: where the `@` stands, and what has been typed so far. */
export interface Mention {
  readonly at: number;
  readonly query: string;
}

const MENTION = /(?:^|[\s([{"'`,;])@([^\s@]{0,200})$/u;

/** The name that stands in front of the cursor; null where none is being typed. An address (`me@host`) is none. */
export function mentionAt(text: string, cursor: number): Mention | null {
  const query = MENTION.exec(text.slice(0, cursor))?.[1];
  return query === undefined ? null : { at: cursor - query.length - 1, query };
}

/** The words with the file's own name in the place of what was typed, and where the cursor goes. */
export function withMention(
  text: string,
  { at, query }: Mention,
  path: string,
): { readonly text: string; readonly cursor: number } {
  const name = path.split('/').at(-1) ?? path;
  const rest = text.slice(at + 1 + query.length);
  const blank = /^\s/.test(rest) ? '' : ' ';
  return { text: text.slice(0, at) + name + blank + rest, cursor: at + name.length + 1 };
}
