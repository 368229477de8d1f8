import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type TestContext } from 'vitest';
import { root } from '../../host/cache.mjs';

const LOOPBACK_UP = 'ip link set lo up';

/** Runs Node where loopback is all the network there is; `tried` is how often something wanted to leave the machine there. */
function runAlone(
  context: TestContext,
  ...args: readonly string[]
): { readonly output: string; readonly tried: number } {
  const alone = (script: string, ...more: readonly string[]) => {
    const environment = Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST'));
    return spawnSync('unshare', ['--map-root-user', '--net', 'sh', '-c', script, 'sh', ...more], {
      cwd: root,
      encoding: 'utf8',
      env: Object.fromEntries(environment),
      timeout: 280_000,
    });
  };
  const able = alone(LOOPBACK_UP);
  if (able.status !== 0) {
    const why = `a network of one's own cannot be had here (${able.error?.message ?? able.stderr.trim()})`;
    console.log(`skipped, so nothing is shown about being offline: ${why}`);
    context.skip(why);
  }
  const watched = `${LOOPBACK_UP} && "$@"; ended=$?; grep ^Ip: /proc/net/snmp; exit $ended`;
  const { status, stdout, stderr } = alone(watched, process.execPath, ...args);
  expect(status, `${stdout}\n${stderr}`).toBe(0);
  const [names = [], values = []] = stdout
    .split('\n')
    .filter((line) => line.startsWith('Ip:'))
    .map((line) => line.split(' '));
  const tried = Number(values[names.indexOf('OutNoRoutes')]);
  expect(tried).not.toBeNaN();
  return { output: stdout, tried };
}

test('from the second start on no network is needed: the package, VS Code, the engine and a chat with it', (context) => {
  // The first start was this suite's own: what it fetched and packed is there.
  const smoke = ['run', '--config', 'test/vscode/browser/vitest.config.ts', '--reporter', 'default', 'smoke'];
  const { output } = runAlone(context, 'node_modules/vitest/vitest.mjs', ...smoke);
  expect(output).toMatch(/Tests .*1 passed/);
});

test('the engine and the command line do not even try to leave the machine', (context) => {
  const out = mkdtempSync(join(tmpdir(), 'turnwise-offline-'));
  try {
    const { output, tried } = runAlone(context, 'dist/cli.js', 'demo', '--episodes', '1', '--out', out, '--json');
    expect(output).toContain('"episodes"');
    expect(tried).toBe(0);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});
