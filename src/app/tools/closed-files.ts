import ignore, { type Ignore } from 'ignore';
import picomatch from 'picomatch';
import { holdsSecrets } from './secret-files.ts';

/** Why a file of the workspace is closed to a model. */
export type Closed = 'secret' | 'excluded' | 'ignored';

/**
 * Which paths of one folder are closed to a model: what holds secrets, what the editor's settings exclude (`globs`), what a
 * `.gitignore` on the way to it ignores. Paths are relative to the folder, with `/`.
 */
export class ClosedFiles {
  readonly #read: (path: string) => Promise<string | null>;
  readonly #excluded: (path: string) => boolean;
  readonly #rules = new Map<string, Promise<Ignore | null>>();

  /** `read` gives the text of a `.gitignore`, null where there is none. */
  constructor(read: (path: string) => Promise<string | null>, globs: readonly string[]) {
    this.#read = read;
    this.#excluded = globs.length === 0 ? () => false : picomatch([...globs], { dot: true });
  }

  /** Null: open. A folder that is closed closes all below it. */
  async why(path: string, { folder = false }: { readonly folder?: boolean } = {}): Promise<Closed | null> {
    if (holdsSecrets(path)) return 'secret';
    const parts = path.split('/');
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const prefix = parts.slice(0, depth).join('/');
      if (this.#excluded(prefix)) return 'excluded';
      if (await this.#ignored(parts.slice(0, depth), folder || depth < parts.length)) return 'ignored';
    }
    return null;
  }

  /** The rule that stands nearest to the file decides. */
  async #ignored(parts: readonly string[], folder: boolean): Promise<boolean> {
    for (let depth = parts.length - 1; depth >= 0; depth -= 1) {
      const rules = await this.#rulesIn(parts.slice(0, depth).join('/'));
      const verdict = rules?.test(parts.slice(depth).join('/') + (folder ? '/' : ''));
      if (verdict?.ignored) return true;
      if (verdict?.unignored) return false;
    }
    return false;
  }

  #rulesIn(folder: string): Promise<Ignore | null> {
    const known = this.#rules.get(folder);
    if (known) return known;
    const rules = this.#read(folder === '' ? '.gitignore' : `${folder}/.gitignore`).then((text) =>
      text === null ? null : ignore().add(text),
    );
    this.#rules.set(folder, rules);
    return rules;
  }
}
