// Usage: supervise.mjs LOG COMMAND [ARGUMENT...]. Runs a server in a process group of its own, its output in LOG, and ends the
// whole group when stdin closes (which it does however the process that holds the other end dies), on SIGINT or SIGTERM.
// SIGUSR2 kills the first process alone, as a crash would.
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const GRACE_MS = 8000;
const POLL_MS = 50;
const [log = '', command = '', ...args] = process.argv.slice(2);
const out = openSync(log, 'a');
const child = spawn(command, args, { stdio: ['ignore', out, out], detached: true });

/** @param {NodeJS.Signals | 0} signal */
function signalGroup(signal) {
  if (child.pid === undefined) return false;
  try {
    return process.kill(-child.pid, signal);
  } catch {
    return false; // nobody is left
  }
}

async function endGroup() {
  signalGroup('SIGTERM');
  // Python's resource tracker is one of the group: killed too soon it leaves hundreds of megabytes in shared memory.
  for (const until = Date.now() + GRACE_MS; Date.now() < until && signalGroup(0);) await sleep(POLL_MS);
  signalGroup('SIGKILL');
}

child.on('error', (error) => {
  console.error(error.message);
  process.exit(127);
});
child.on('exit', (code) => {
  void endGroup().then(() => {
    process.exit(code ?? 1);
  });
});
const stop = () => void endGroup();
process.stdin.on('end', stop).on('error', stop).resume();
process.on('SIGINT', stop).on('SIGTERM', stop);
process.on('SIGUSR2', () => {
  child.kill('SIGKILL');
});
