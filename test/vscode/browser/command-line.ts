import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../host/cache.mjs';

const execute = promisify(execFile);

/** Runs the command line of the build under test and returns what it printed on stdout; throws when it fails. */
export async function turnwise(...args: readonly string[]): Promise<string> {
  const { stdout } = await execute(process.execPath, [join(root, 'dist/cli.js'), ...args], { maxBuffer: 1 << 26 });
  return stdout;
}
