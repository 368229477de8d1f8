import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TurnwiseError } from '../../core/error.ts';
import type { ToolInput } from '../../core/tools.ts';
import { placeOf, textOf, type Place, type ToolWorkspace } from './tool-workspace.ts';

/** What one answer may hold: lines of a file, names of a list, places of a search. */
const LINES = 400;
const NAMES = 400;
const PLACES = 100;
/** Files that one search looks into, and longest line that it shows, UTF-16 units. */
const SEARCHED = 5000;
const LONGEST_LINE = 300;

/** The lines of a file, numbered as the editor does; a part where it is long. Throws `TurnwiseError`. */
export async function readLines(
  workspace: ToolWorkspace,
  { path, from_line: from = 1, to_line: to }: ToolInput<'read_file'>,
): Promise<string> {
  const place = await placeOf(workspace, path);
  const lines = (await textOf(workspace, place)).replace(/\r?\n$/, '').split(/\r?\n/);
  const last = Math.min(to ?? lines.length, from + LINES - 1, lines.length);
  if (from > lines.length || last < from) return `${place.name} has ${lines.length} lines.`;
  const shown = lines.slice(from - 1, last).join('\n');
  const part = from > 1 || last < lines.length ? `(lines ${from} to ${last} of ${lines.length})\n` : '';
  return shown === '' && lines.length === 1 ? `${place.name} is empty.` : part + shown;
}

/** Every file below a folder that is open to a model, folders first named by a `/`. Throws `TurnwiseError`. */
export async function listFiles(
  workspace: ToolWorkspace,
  { path }: ToolInput<'list_files'>,
  signal: AbortSignal,
): Promise<string> {
  const names: string[] = [];
  for (const start of await startsOf(workspace, path)) {
    for await (const found of walk(start, signal)) {
      if (names.length === NAMES) return `${names.join('\n')}\n(and more: name a folder to see what is in it)`;
      names.push(found.name);
    }
  }
  return names.length === 0 ? 'There are no files.' : names.join('\n');
}

/** Lines that contain a text, as `path:line: text`. Throws `TurnwiseError`. */
export async function searchText(
  workspace: ToolWorkspace,
  { text, path }: ToolInput<'search'>,
  signal: AbortSignal,
): Promise<string> {
  const wanted = text.toLowerCase();
  const places: string[] = [];
  let looked = 0;
  for (const start of await startsOf(workspace, path)) {
    for await (const file of walk(start, signal)) {
      looked += 1;
      if (looked > SEARCHED) return `${places.join('\n')}\n(only the first ${SEARCHED} files were searched)`.trim();
      const content = await textOf(workspace, file).catch(() => '');
      for (const [at, line] of content.split(/\r?\n/).entries()) {
        if (!line.toLowerCase().includes(wanted)) continue;
        if (places.length === PLACES) return `${places.join('\n')}\n(and more)`;
        places.push(`${file.name}:${at + 1}: ${line.trim().slice(0, LONGEST_LINE)}`);
      }
    }
  }
  return places.length === 0 ? `"${text}" was not found.` : places.join('\n');
}

/** What the editor complains about, as `path:line: error: message`; of files that are open to a model. Throws `TurnwiseError`. */
export async function listProblems(workspace: ToolWorkspace, { path }: ToolInput<'diagnostics'>): Promise<string> {
  const about = path === undefined ? null : await placeOf(workspace, path);
  const lines: string[] = [];
  for (const problem of workspace.problems()) {
    const place = await placeOf(workspace, problem.path).catch(() => null);
    if (place === null || (about !== null && place.absolute !== about.absolute)) continue;
    if (lines.length === PLACES) return `${lines.join('\n')}\n(and more)`;
    lines.push(`${place.name}:${problem.line}: ${problem.severity}: ${problem.message}`);
  }
  return lines.length === 0 ? 'The editor shows no errors or warnings.' : lines.join('\n');
}

/** A folder or file to begin at: what was named, or every folder of the workspace. */
async function startsOf(workspace: ToolWorkspace, path: string | undefined): Promise<Place[]> {
  if (path !== undefined && path !== '.' && path !== '') return [await placeOf(workspace, path)];
  const { folders } = workspace;
  if (folders.length === 0)
    throw new TurnwiseError('usage', 'no_folder', 'No folder is open; ask the developer for the code.');
  return Promise.all(folders.map(({ name }) => placeOf(workspace, folders.length > 1 ? name : '.')));
}

/** Every open file below a place, in the order of names. Links are not followed, so that nothing outside is reached, nor twice. */
async function* walk(start: Place, signal: AbortSignal): AsyncGenerator<Place> {
  const entries = await readdir(start.absolute, { withFileTypes: true }).catch(() => null);
  if (entries === null) {
    yield start;
    return;
  }
  const own = start.absolute.slice(start.folder.length + 1);
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    signal.throwIfAborted();
    const inside = own === '' ? entry.name : `${own.replaceAll('\\', '/')}/${entry.name}`;
    if ((await start.closed.why(inside, { folder: entry.isDirectory() })) !== null) continue;
    const place = {
      ...start,
      absolute: join(start.absolute, entry.name),
      name: start.name === '' ? entry.name : `${start.name}/${entry.name}`,
    };
    if (entry.isDirectory()) yield* walk(place, signal);
    else if (entry.isFile()) yield place;
  }
}
