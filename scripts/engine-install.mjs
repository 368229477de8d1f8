// `npm run engine:install`: fetches the llama.cpp binary for this machine (about 38 MB), which the lock file leaves out on
// everything but linux-x64. `-- --variant linux-x64-cuda` takes another one, for a GPU; `-- --into DIR` puts it elsewhere.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const VARIANTS = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'linux-arm': 'linux-armv7l',
  'linux-riscv64': 'linux-riscv64',
  'darwin-arm64': 'mac-arm64-metal',
  'darwin-x64': 'mac-x64',
  'win32-x64': 'win-x64',
  'win32-arm64': 'win-arm64',
};
const root = resolve(import.meta.dirname, '..');

try {
  main();
} catch (thrown) {
  console.error(`engine:install: ${thrown.message}`);
  process.exitCode = 1;
}

function main() {
  const { values } = parseArgs({ options: { variant: { type: 'string' }, into: { type: 'string' } } });
  const machine = `${process.platform}-${process.arch}`;
  const variant = values.variant ?? VARIANTS[machine];
  if (variant === undefined) {
    throw new Error(
      `there is no binary for ${machine}. Everything but local models works without it; use another model server with --url.`,
    );
  }
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/node-llama-cpp/package.json'), 'utf8'));
  const into = values.into ? resolve(values.into) : join(root, 'node_modules/@node-llama-cpp');
  mkdirSync(into, { recursive: true });
  // Beside its place, so that the last step is a rename and an interrupted download leaves nothing half-installed.
  const work = mkdtempSync(join(into, '.install-'));
  try {
    console.log(`fetching @node-llama-cpp/${variant} ${version}`);
    const archive = fetchPackage(`@node-llama-cpp/${variant}`, version, work);
    execFileSync('tar', ['-xzf', archive], { cwd: work, stdio: 'inherit' });
    const target = join(into, variant);
    rmSync(target, { recursive: true, force: true });
    renameSync(join(work, 'package'), target);
    console.log(`installed in ${target}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  if (!values.into) tryOut();
}

/** `npm pack` checks the package's integrity; the archive's path. */
function fetchPackage(name, version, folder) {
  const npm = process.env.npm_execpath;
  const [command, first] = npm && existsSync(npm) ? [process.execPath, [npm]] : ['npm', []];
  const options = { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], shell: command === 'npm' };
  try {
    const out = execFileSync(command, [...first, 'pack', `${name}@${version}`, '--json'], options);
    return join(folder, JSON.parse(out)[0].filename);
  } catch (thrown) {
    // With --json npm tells its errors on stdout.
    const words = `${thrown.stdout ?? ''}${thrown.stderr ?? ''}` || thrown.message;
    if (!/ETARGET|E404|No matching version/.test(words)) {
      throw new Error(
        `npm could not fetch ${name}@${version} (${summaryOf(words)}); check the network and try again.`,
        {
          cause: thrown,
        },
      );
    }
    throw new Error(
      `${name} is not published in version ${version} on this registry. An older binary would not do: before 3.22 it does not report the ` +
        'total logit weight, without which a log-prob cannot be exact. Everything but local models works without it; use ' +
        'another model server with --url, or the engine on a linux-x64 machine through a forwarded port.',
      { cause: thrown },
    );
  }
}

/** Loads what was installed, in a process of its own: a binary that does not fit may take its process down. */
function tryOut() {
  const code =
    "const { getLlama } = await import('node-llama-cpp'); const llama = await getLlama({ build: 'never', skipDownload: true, logLevel: 'error' }); console.log('it loads; GPU: ' + (llama.gpu || 'none')); process.exit(0);";
  try {
    execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: root, stdio: 'inherit' });
  } catch (thrown) {
    throw new Error(
      'the binary was installed, but does not load on this machine; its C library may be too old (glibc 2.34 is needed).',
      { cause: thrown },
    );
  }
}

/** npm's own one-line summary of what went wrong. */
function summaryOf(words) {
  return /"summary": "([^"]*)"/.exec(words)?.[1] ?? words.trim().split('\n').at(-1) ?? '';
}
