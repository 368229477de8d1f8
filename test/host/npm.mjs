import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Of the settings an outer npm hands down, those that say where and how to fetch. */
const PASSED_ON = /^npm_config_(registry|cache|userconfig|https?_proxy|proxy|noproxy|cafile)$/i;

/**
 * Runs a command and throws with all it said when it fails.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} cwd
 */
export async function run(command, args, cwd) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$)/i.test(name) || PASSED_ON.test(name)),
  );
  await execute(command, args, { cwd, env, maxBuffer: 1 << 26 });
}

/**
 * Fetches a package, holds it against its pinned hash and unpacks it without running anything of it.
 * @param {import('./pins.mjs').Pin} pin
 * @param {string} folder made if missing
 * @param {{ from?: string }} [options] `from`: unpack only what is inside this folder of the package
 */
export async function unpackPackage(pin, folder, { from = '' } = {}) {
  await mkdir(folder, { recursive: true });
  const download = await mkdtemp(join(folder, '.download-'));
  try {
    await run('npm', ['pack', pin.spec, '--silent', '--pack-destination', download], download);
    const [name] = await readdir(download);
    if (name === undefined) throw new Error(`npm packed nothing for ${pin.spec}: look at its output in "npm pack".`);
    const tarball = join(download, name);
    const found = await sha512(tarball);
    if (found !== pin.sha512) {
      throw new Error(
        `${pin.spec} has SHA-512 ${found}, pinned is ${pin.sha512}: do not use what this registry serves.`,
      );
    }
    const path = from === '' ? 'package' : `package/${from}`;
    const depth = path.split('/').length;
    await run('tar', ['xzf', tarball, '-C', folder, '--no-same-owner', `--strip-components=${depth}`, path], download);
  } finally {
    await rm(download, { recursive: true, force: true });
  }
}

/** @param {string} file @returns base64 */
async function sha512(file) {
  const hash = createHash('sha512');
  await pipeline(createReadStream(file), hash);
  return hash.digest('base64');
}
