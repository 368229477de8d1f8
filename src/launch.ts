import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/*
 * What `turnwise` starts: the command line needs a Node with SQLite inside, and a person's own may be older. Then the Node that
 * came with `npm ci` takes over. Nothing newer than Node 20 may be imported here.
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const main = new URL('./turnwise.js', import.meta.url);

if (major > 22 || (major === 22 && minor >= 16)) await import(main.href);
else process.exitCode = await handOver(fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url)));

/** Runs the command line under another Node, with this process's terminal; gives its exit code. */
function handOver(node: string): number | Promise<number> {
  if (!existsSync(node)) {
    process.stderr.write(
      `turnwise: Node 22.16 or newer is needed, and this is ${process.version}; run "npm ci", which brings one, or update Node.\n`,
    );
    return 1;
  }
  const child = spawn(node, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: 'inherit' });
  // Ctrl-C reaches the child by itself; this process only has to outlive it.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve) => {
    child.once('close', (code) => {
      resolve(code ?? 1);
    });
  });
}
