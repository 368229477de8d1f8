import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, TurnwiseError } from '../../core/error.ts';

/** Says that a folder was made by a demo, and may be replaced by one. */
const MARK = 'turnwise-demo.json';
const MARK_SCHEMA = 'turnwise-demo/1';

/** Where a demo keeps what it made. */
export interface DemoFolder {
  readonly folder: string;
  readonly store: string;
  readonly dataset: string;
}

/**
 * An empty, marked folder for a demo. A folder that an earlier demo made is replaced; any other that is not empty is refused
 * (`usage`/`not_a_demo_folder`), so that nobody loses files. Throws `environment`/`unwritable_folder`.
 */
export async function prepareFolder(folder: string, seed: number): Promise<DemoFolder> {
  try {
    const names = await readdir(folder).catch((cause: unknown) => {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
      throw cause;
    });
    if (names.length > 0) {
      if (!(await isMarked(folder))) throw notOurs(folder);
      await rm(folder, { recursive: true });
    }
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, MARK), `${JSON.stringify({ schema: MARK_SCHEMA, seed })}\n`);
  } catch (cause) {
    if (cause instanceof TurnwiseError) throw cause;
    const message = `Cannot prepare the folder ${folder} (${errorText(cause)}); choose another with --out.`;
    throw new TurnwiseError('environment', 'unwritable_folder', message, { cause });
  }
  return { folder, store: join(folder, 'store.sqlite'), dataset: join(folder, 'dataset') };
}

async function isMarked(folder: string): Promise<boolean> {
  try {
    const mark: unknown = JSON.parse(await readFile(join(folder, MARK), 'utf8'));
    return typeof mark === 'object' && mark !== null && 'schema' in mark && mark.schema === MARK_SCHEMA;
  } catch {
    return false;
  }
}

function notOurs(folder: string): TurnwiseError {
  return new TurnwiseError(
    'usage',
    'not_a_demo_folder',
    `${folder} is not empty and was not made by a demo, so it is left alone; choose another folder with --out.`,
  );
}
