import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { bundledModel } from '../../src/app/engine-process.ts';
import { cacheFolder, ensureEnvironment, withLock, type Environment } from './environments.ts';
import { RESULTS, writePrepared, type Prepared } from './prepared.ts';
import { RECIPES, type ServerName } from './recipes.ts';
import { writeReference } from './reference.ts';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../..');
const CONVERT_TIMEOUT_MS = 300_000;

/**
 * Makes everything the suites need: the Python environments of `names`, the toy's weights as a Hugging Face folder, and the
 * numbers to compare with. What this machine cannot have is said, and stands in the result with its reason.
 */
export async function prepare(names: readonly ServerName[], say: (line: string) => void): Promise<Prepared> {
  mkdirSync(RESULTS, { recursive: true });
  const environments: Partial<Record<ServerName, Environment>> = {};
  for (const name of names) {
    const environment = await ensureEnvironment(name, say);
    environments[name] = environment;
    const { title, version } = RECIPES[name];
    say(
      'python' in environment
        ? `${title} ${version}: ${environment.python}`
        : `${title} ${version}: NOT TESTED. ${environment.missing}`,
    );
  }
  const torch = pythonWithTorch(environments);
  const gguf = bundledModel();
  const made = torch === null ? null : await makeFolder(torch, gguf).catch((thrown: unknown) => thrown as Error);
  const folder = typeof made === 'string' ? made : null;
  const noFolder =
    folder !== null
      ? null
      : made instanceof Error
        ? made.message
        : 'It needs the Python environment of vLLM or SGLang, and there is neither.';
  if (noFolder !== null) say(`no Hugging Face folder, no transformers to compare with: ${noFolder}`);
  const prepared = { weights: { gguf, folder }, noFolder, environments };
  writePrepared(prepared);
  await writeReference(torch !== null && folder !== null ? { python: torch, folder } : null, say);
  return prepared;
}

function pythonWithTorch(environments: Partial<Record<ServerName, Environment>>): string | null {
  for (const name of ['vllm', 'sglang'] as const) {
    const environment = environments[name];
    if (environment && 'python' in environment) return environment.python;
  }
  return null;
}

/** The committed GGUF, weight for weight, as the folder that vLLM, SGLang and transformers load; cached by the file's hash. */
async function makeFolder(python: string, gguf: string): Promise<string> {
  const sha = createHash('sha256').update(readFileSync(gguf)).digest('hex').slice(0, 16);
  const folder = join(cacheFolder(), `turnwise-toy-${sha}`);
  return withLock(`${folder}.lock`, undefined, async () => {
    if (existsSync(folder)) return folder;
    const unfinished = `${folder}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    const args = [join(ROOT, 'training/to_folder.py'), gguf, unfinished, '--check'];
    await run(python, args, { timeout: CONVERT_TIMEOUT_MS, env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } });
    renameSync(unfinished, folder);
    return folder;
  });
}
