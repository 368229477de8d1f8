import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import type { KnownValue } from '../core/secrets/find.ts';

/** Names that so many machines and people share that they tell nothing, and words that stand in every dataset. */
const COMMON = new Set(
  (
    'root admin administrator user users guest home node runner vscode code codespace ubuntu debian fedora docker local localhost ' +
    'host machine laptop desktop server engine model assistant system tool turnwise train test tests toy demo dev build main ' +
    'python web app work data none null true false production development staging enabled disabled default'
  ).split(' '),
);
/** An `.env` larger than this is none. */
const LARGEST_BYTES = 1 << 20;

/**
 * What must not leave this machine whatever it looks like: the values in the `.env` files of these folders, the user's and the
 * host's name, the home folder, the e-mail address that git signs with. Reads files only; what cannot be read holds nothing.
 */
export function knownValues(
  folders: readonly string[],
  { user = userNameOrEmpty(), host = hostname(), home = homedir() } = {},
): KnownValue[] {
  const values: KnownValue[] = [
    ...folders.flatMap(envFiles).flatMap((file) => envValues(textOf(file))),
    ...[...folders.map(gitConfigOf), join(home, '.gitconfig'), join(home, '.config', 'git', 'config')]
      .flatMap((file) => (file === null ? [] : emailsOf(textOf(file))))
      .map((value): KnownValue => ({ name: 'git-email', value, whole: false })),
    ...(home.length > 1 ? [{ name: 'home', value: home, whole: true }] : []),
    ...[
      { name: 'user', value: user, whole: true },
      { name: 'host', value: host, whole: true },
    ].filter(({ value }) => value.length >= 3 && !COMMON.has(value.toLowerCase())),
  ];
  // The longest first: the home folder before the user's name in it.
  return [...new Map(values.map((value) => [value.value, value])).values()].sort(
    (a, b) => b.value.length - a.value.length,
  );
}

/** The private values of an `.env` file: not the numbers, switches and words that any machine has. */
export function envValues(text: string): KnownValue[] {
  return text.split(/\r?\n/).flatMap((line): KnownValue[] => {
    const [, name = '', raw = ''] = /^\s*(?:export\s+)?([\w.-]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    const quoted = /^(["'`])(.*)\1/.exec(raw)?.[2];
    const value = (quoted ?? raw.replace(/\s#.*$/, '')).trim();
    const secret = /key|token|secret|pass|pwd|cred|auth|private/i.test(name);
    if (value.length < (secret ? 4 : 6) || COMMON.has(value.toLowerCase())) return [];
    if (!secret && /^(?:[\d.,:]+|[a-z]+|https?:\/\/localhost\S*|(?:\.{0,2}\/)[\w./-]*)$/i.test(value)) return [];
    return [{ name: 'env', value, whole: value.length < 8 }];
  });
}

function envFiles(folder: string): string[] {
  return entriesOf(folder)
    .filter((name) => /^\.env(?:\.|$)/.test(name) && !/example|sample|template|dist/.test(name))
    .map((name) => join(folder, name));
}

/** The `.git/config` that a folder belongs to. */
function gitConfigOf(folder: string): string | null {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, '.git', 'config');
    if (existsSync(file)) return file;
    if (dirname(at) === at) return null;
  }
}

function emailsOf(config: string): string[] {
  return [...config.matchAll(/^\s*email\s*=\s*"?([^\s"]+@[^\s"]+)"?\s*$/gm)].map((match) => match[1] ?? '');
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(file: string): string {
  try {
    const text = readFileSync(file, 'utf8');
    return text.length > LARGEST_BYTES ? '' : text;
  } catch {
    return '';
  }
}

/** A user without an entry in the password file has no name. */
function userNameOrEmpty(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}
