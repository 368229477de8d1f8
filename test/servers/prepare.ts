import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { bundledModel } from '../../src/app/engine-process.ts';
import { widenGguf } from '../../src/engine/widen-gguf.ts';
import { cacheFolder, ensureEnvironment, lastLine, withLock, type Environment } from './environments.ts';
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
  const python = pythonWithTorch(environments);
  const gguf = widen(bundledModel());
  let folder: string | null = null;
  let noFolder: string | null = null;
  try {
    if (python === null) noFolder = 'It needs the Python environment of vLLM or SGLang, and there is neither.';
    else folder = await makeFolder(python, bundledModel());
  } catch (thrown) {
    noFolder = lastLine(thrown);
  }
  if (noFolder !== null) say(`no Hugging Face folder, hence no transformers to compare with: ${noFolder}`);
  const torch = python !== null && folder !== null ? { python, folder } : null;
  const prepared = { weights: { gguf, folder }, noFolder, torch, environments };
  writePrepared(prepared);
  await writeReference(torch, say);
  return prepared;
}

function pythonWithTorch(environments: Partial<Record<ServerName, Environment>>): string | null {
  for (const name of ['vllm', 'sglang'] as const) {
    const environment = environments[name];
    if (environment && 'python' in environment) return environment.python;
  }
  return null;
}

/**
 * The committed numbers as 32-bit floats, which is how the engine, transformers and the other servers hold them: beside 16-bit weights
 * llama.cpp rounds what flows between them, too.
 */
function widen(gguf: string): string {
  const wide = widenGguf(readFileSync(gguf));
  if (wide === null) throw new Error(`${gguf} holds tensors that cannot be widened.`);
  const file = join(RESULTS, 'turnwise-toy-f32.gguf');
  writeFileSync(file, wide);
  return file;
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
