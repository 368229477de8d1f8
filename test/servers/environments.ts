import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { RECIPES, type Recipe, type ServerName } from './recipes.ts';

const run = promisify(execFile);

const UV_VERSION = '0.13.8';
/** Written last: an installation without it was interrupted, and is made anew. */
const MARKER = '.complete';
const INSTALL_TIMEOUT_MS = 600_000;

/** A Python in which a server can be imported, or why there is none, in one sentence. */
export type Environment = { readonly python: string } | { readonly missing: string };

/** Outside the tree, kept between runs. */
export function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'turnwise', 'servers');
}

/** The server's Python environment, installed from PyPI the first time (minutes, gigabytes). Never throws for what a machine lacks. */
export async function ensureEnvironment(name: ServerName, say: (line: string) => void): Promise<Environment> {
  const recipe = RECIPES[name];
  const folder = join(cacheFolder(), `${name}-${recipe.version}`);
  try {
    if (process.platform !== 'linux' || process.arch !== 'x64') {
      return { missing: `It is tried on Linux on x86-64 alone, and this is ${process.platform} on ${process.arch}.` };
    }
    const wanted = await fingerprint(recipe);
    const python = join(folder, 'bin/python');
    if (await isComplete(folder, wanted)) return { python };
    await mkdir(cacheFolder(), { recursive: true });
    return await withLock(join(cacheFolder(), `${name}.lock`), say, async () => {
      if (await isComplete(folder, wanted)) return { python };
      await rm(folder, { recursive: true, force: true });
      const lack = await lackOfDisk(recipe);
      if (lack !== null) return { missing: lack };
      say(`${recipe.title} ${recipe.version}: installing into ${folder}`);
      await install(recipe, folder);
      await writeFile(join(folder, MARKER), wanted);
      return { python };
    });
  } catch (thrown) {
    return { missing: lastLine(thrown) };
  }
}

/** Changes with what is installed and with the Python that runs it. */
async function fingerprint({ lock }: Recipe): Promise<string> {
  return createHash('sha256')
    .update(await readFile(lock))
    .digest('hex');
}

async function isComplete(folder: string, wanted: string): Promise<boolean> {
  // A venv points at the Python it was made of; that one may have been removed since.
  if (!existsSync(join(folder, 'bin/python'))) return false;
  const found = await readFile(join(folder, MARKER), 'utf8').catch(() => null);
  return found === wanted;
}

async function lackOfDisk({ diskGb }: Recipe): Promise<string | null> {
  const { bavail, bsize } = await statfs(cacheFolder());
  const free = (bavail * bsize) / 1e9;
  if (free >= diskGb) return null;
  return `It needs ${diskGb} GB of free disk at ${cacheFolder()}, and there are ${free.toFixed(1)}; make room, or point XDG_CACHE_HOME elsewhere.`;
}

async function install(recipe: Recipe, folder: string): Promise<void> {
  await checkPython(recipe);
  const uv = await ensureUv();
  await run(uv, ['venv', '--quiet', '--python', systemPython(), folder], { timeout: INSTALL_TIMEOUT_MS });
  // The lock names everything: nothing is resolved here.
  const args = ['pip', 'install', '--quiet', '--no-deps', '--python', join(folder, 'bin/python'), '-r', recipe.lock];
  await run(uv, args, { timeout: INSTALL_TIMEOUT_MS });
}

function systemPython(): string {
  return process.env['PYTHON'] || 'python3';
}

async function checkPython({ python: { from, below } }: Recipe): Promise<void> {
  const script = 'import sys; print(*sys.version_info[:2])';
  const { stdout } = await run(systemPython(), ['-c', script]).catch((thrown: unknown) => {
    throw new Error(`There is no ${systemPython()}; install Python ${from.join('.')} or newer (${lastLine(thrown)}).`);
  });
  const [major = 0, minor = 0] = stdout.trim().split(' ').map(Number);
  const at = (version: readonly [number, number]): number => version[0] * 1000 + version[1];
  const own = at([major, minor]);
  if (own >= at(from) && own < at(below)) return;
  const wanted = `${from.join('.')} or newer, older than ${below.join('.')}`;
  throw new Error(`It needs Python ${wanted}, and ${systemPython()} is ${major}.${minor}; name another one in PYTHON.`);
}

/** The installer, in a small environment of its own; its cache of downloads is the user's. */
async function ensureUv(): Promise<string> {
  const folder = join(cacheFolder(), `uv-${UV_VERSION}`);
  const uv = join(folder, 'bin/uv');
  return withLock(`${folder}.lock`, undefined, async () => {
    if (existsSync(join(folder, MARKER)) && existsSync(uv)) return uv;
    await rm(folder, { recursive: true, force: true });
    await run(systemPython(), ['-m', 'venv', folder]).catch((thrown: unknown) => {
      throw new Error(`${systemPython()} -m venv does not work; install python3-venv (${lastLine(thrown)}).`);
    });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `uv==${UV_VERSION}`];
    await run(join(folder, 'bin/python'), pip, { timeout: INSTALL_TIMEOUT_MS });
    await writeFile(join(folder, MARKER), '');
    return uv;
  });
}

/** One process at a time: the lock is a file that names its owner, and a dead owner's lock is taken. */
export async function withLock<T>(
  file: string,
  say: ((line: string) => void) | undefined,
  work: () => Promise<T>,
): Promise<T> {
  for (let told = false; !(await take(file)); told = true) {
    const owner = Number(await readFile(file, 'utf8').catch(() => ''));
    if (owner > 0 && !isAlive(owner)) {
      await rm(file, { force: true });
      continue;
    }
    if (!told) say?.(`waiting for process ${owner}, which holds ${file}`);
    await sleep(500);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function take(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST') return false;
    throw thrown;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** What a failed program said last, which is where programs say why. */
export function lastLine(thrown: unknown): string {
  const said = thrown instanceof Error && 'stderr' in thrown ? String(thrown.stderr) : '';
  const text = said.trim() || (thrown instanceof Error ? thrown.message : String(thrown));
  return text.trim().split('\n').at(-1)?.trim() ?? 'unknown';
}
