import { readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { TurnwiseError } from '../../core/error.ts';
import { ClosedFiles, type Closed } from './closed-files.ts';

/** An error or warning that the editor shows; lines from 1. */
export interface Problem {
  readonly path: string;
  readonly line: number;
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

/** What the tools may see: the folders of the workspace, and what only the editor knows of them. */
export interface ToolWorkspace {
  /** Absolute paths. */
  readonly folders: readonly { readonly name: string; readonly path: string }[];
  /** Globs that the settings exclude in this folder. */
  readonly excludedIn: (folder: string) => readonly string[];
  /** Text of a file that is changed and not saved; null: what is on the disk holds. */
  readonly unsaved: (path: string) => string | null;
  readonly problems: () => readonly Problem[];
}

/** A place in the workspace that is open to a model. */
export interface Place {
  /** With links followed. */
  readonly absolute: string;
  /** As the model names it, with `/`. */
  readonly name: string;
  readonly folder: string;
  readonly closed: ClosedFiles;
}

/** Largest file that is read, bytes. */
const LARGEST_BYTES = 2_000_000;

/**
 * The place that a model names. Throws `TurnwiseError` (`usage`) for what is outside the workspace, also by way of a link, for
 * what is closed (secret, ignored, excluded) and for what is not there.
 */
export async function placeOf({ folders, excludedIn }: ToolWorkspace, path: string): Promise<Place> {
  const several = folders.length > 1;
  const [first = '', ...others] = path.replaceAll('\\', '/').replace(/^\.\//, '').split('/');
  const folder = several ? folders.find(({ name }) => name === first) : folders[0];
  const inside = several ? others.join('/') : path.replaceAll('\\', '/');
  if (folder === undefined || path.includes('\0') || isAbsolute(path) || /^[A-Za-z]:/.test(path)) throw outside(path);
  const target = resolve(folder.path, inside);
  if (!isBelow(folder.path, target)) throw outside(path);
  const [root, absolute] = await Promise.all([realpath(folder.path), realpath(target).catch(() => null)]);
  const closed = new ClosedFiles(
    (file) => readFile(join(root, file), 'utf8').catch(() => null),
    excludedIn(folder.path),
  );
  // Asked by its name first: whether a secret file exists is nobody's business.
  await refuseClosed(closed, path, slashed(relative(folder.path, target)));
  if (absolute === null)
    throw new TurnwiseError(
      'usage',
      'no_such_file',
      `There is no ${path} in the workspace; list the files to see what there is.`,
    );
  if (!isBelow(root, absolute)) throw outside(path);
  const name = slashed(relative(root, absolute));
  await refuseClosed(closed, path, name);
  return { absolute, name: several ? `${folder.name}/${name}`.replace(/\/$/, '') : name, folder: root, closed };
}

/** The text of a file, unsaved changes included. Throws `TurnwiseError` for what is no text, or too large. */
export async function textOf(
  { unsaved }: Pick<ToolWorkspace, 'unsaved'>,
  { absolute, name }: Pick<Place, 'absolute' | 'name'>,
): Promise<string> {
  const changed = unsaved(absolute);
  if (changed !== null) return changed;
  const facts = await stat(absolute);
  if (!facts.isFile())
    throw new TurnwiseError('usage', 'no_file', `${name === '' ? 'This' : name} is no file; list it instead.`);
  if (facts.size > LARGEST_BYTES) {
    throw new TurnwiseError(
      'usage',
      'too_large',
      `${name} has ${facts.size} bytes, which is more than can be read; search in it instead.`,
    );
  }
  const text = decode(await readFile(absolute));
  if (text === null)
    throw new TurnwiseError('usage', 'not_text', `${name} is binary and cannot be read; ask the developer about it.`);
  return text;
}

/** UTF-8, UTF-16 by its mark, else Latin-1, which any bytes are; null for what has a zero byte and so is no text. */
function decode(bytes: Uint8Array): string | null {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('latin1').decode(bytes);
  }
}

async function refuseClosed(closed: ClosedFiles, path: string, inside: string): Promise<void> {
  if (inside === '') return;
  const why = await closed.why(inside);
  if (why !== null)
    throw new TurnwiseError(
      'usage',
      `closed_${why}`,
      `${path} is closed to you, since it ${CLOSED[why]}; go on without it.`,
    );
}

const CLOSED: Readonly<Record<Closed, string>> = {
  secret: 'may hold secrets',
  excluded: 'is excluded by the settings',
  ignored: 'is ignored by a .gitignore',
};

function outside(path: string): TurnwiseError {
  return new TurnwiseError(
    'usage',
    'outside_workspace',
    `${path} is not in the workspace; name a path in it, such as src/main.py.`,
  );
}

function isBelow(root: string, path: string): boolean {
  const rest = relative(root, path);
  return rest === '' || (rest !== '..' && !rest.startsWith(`..${sep}`) && !isAbsolute(rest));
}

function slashed(path: string): string {
  return path.split(sep).join('/');
}
