import { fork } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openSandbox, type ExpectedCall, type Sandbox } from '../../src/app/sandbox/sandbox.ts';

// Every child that a test breaks costs the next one a start of the interpreter, on a machine that may be busy.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let sandbox: Sandbox;
let folder: string;
let server: Server;
let arrived = 0;

beforeAll(async () => {
  process.env['TURNWISE_TEST_SECRET'] = 'a-secret-of-the-parent';
  folder = await mkdtemp(join(tmpdir(), 'turnwise-sandbox-'));
  await writeFile(join(folder, 'outside.txt'), 'outside');
  server = createServer((socket) => {
    arrived += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  sandbox = openSandbox({ limitMs: 10_000 });
  await sandbox.warm();
});

afterAll(async () => {
  await sandbox.close();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
  delete process.env['TURNWISE_TEST_SECRET'];
});

/** Runs code and gives what the one call did. */
async function run(
  code: string,
  expected: ExpectedCall,
): Promise<{ ok: boolean; found: string | null; error: string | null }> {
  const { results } = await sandbox.runCalls({ code, calls: [expected] });
  return results[0] ?? { ok: false, found: null, error: 'no result' };
}

describe('code that cannot be run passes nothing, with the reason', () => {
  test.each([
    ['does not parse', 'def solve(x:\n  return', 'SyntaxError'],
    ['lacks the function', 'def other(x): return x', "name 'solve' is not defined"],
    ['is empty', '', "name 'solve' is not defined"],
    ['raises while it loads', 'raise RuntimeError("early")', 'RuntimeError: early'],
    ['exits while it loads', 'import sys\nsys.exit(0)', 'SystemExit'],
    ['holds a null character', 'def solve(x):\n  return "\0"', 'SyntaxError'],
  ])('%s', async (_, code, reason) => {
    const { passed, total, results } = await sandbox.runCalls({
      code,
      calls: [
        { call: 'solve(1)', returns: '1' },
        { call: 'solve(2)', returns: '2' },
      ],
    });
    expect([passed, total]).toEqual([0, 2]);
    expect(results[0]?.error).toContain(reason);
  });
});

describe('values are compared as Python compares them, and by type', () => {
  test.each([
    ['2', '2', true],
    ['2.0', '2', false],
    ['2', '2.0', false],
    ['True', '1', false],
    ['1', 'True', false],
    ["'2'", '2', false],
    ['0.1 + 0.2', '0.3', true],
    ['1.0000001', '1.0', false],
    ['float("inf")', '1e400', true],
    ['-0.0', '0.0', true],
    ['[1, 2]', '(1, 2)', false],
    ['[1, [2.0000000001]]', '[1, [2.0]]', true],
    ['[2, 1]', '[1, 2]', false],
    ['{3, 1, 2}', '{1, 2, 3}', true],
    ['frozenset({1})', '{1}', false],
    ['{"b": 2.0, "a": (1,)}', '{"a": (1,), "b": 2.0}', true],
    ['{"a": 1, "b": None}', '{"a": 1}', false],
    ['{1: 0}', '{True: 0}', false],
    ['b"\\x00a"', 'b"\\x00a"', true],
    ['10 ** 30', '1000000000000000000000000000000', true],
    ['"\\ud800"', '"\\ud800"', true],
    ['None', 'None', true],
    ['map(int, [1])', '[1]', false],
    ['type("L", (list,), {})([1])', '[1]', false],
    ['print("x")', "'x'", false],
  ])('%s against %s: %s', async (given, expected, same) => {
    expect(await run(`def solve(): return ${given}`, { call: 'solve()', returns: expected })).toMatchObject({
      ok: same,
    });
  });

  test('an expected value that is no literal is the task’s fault, and said so', async () => {
    await expect(run('def solve(): return 1', { call: 'solve()', returns: 'open("x")' })).rejects.toMatchObject({
      reason: 'malformed_literal',
    });
  });

  test('an exception passes by its type or a type above it, never by its message', async () => {
    const code = 'def solve(kind): raise kind("ValueError")';
    expect(await run(code, { call: 'solve(ValueError)', raises: 'ValueError' })).toMatchObject({ ok: true });
    expect(await run(code, { call: 'solve(KeyError)', raises: 'LookupError' })).toMatchObject({ ok: true });
    expect(await run(code, { call: 'solve(TypeError)', raises: 'ValueError' })).toMatchObject({ ok: false });
    expect(await run('def solve(): return 1', { call: 'solve()', raises: 'ValueError' })).toMatchObject({
      ok: false,
      found: '1',
    });
  });
});

describe('what the code tries to reach, it does not', () => {
  test.each([
    ['a file outside', () => `open(${JSON.stringify(join(folder, 'outside.txt'))}).read()`],
    ['a file of the machine', () => 'open("/etc/hostname").read()'],
    [
      'the interpreter’s own files on the disk',
      () => `open(${JSON.stringify(join(process.cwd(), 'package.json'))}).read()`,
    ],
    ['a process', () => '__import__("subprocess").run(["echo"])'],
    ['a shell', () => '__import__("os").popen("echo hi").read()'],
    ['js', () => '__import__("js").process.env'],
    ['pyodide_js', () => '__import__("pyodide_js").mountNodeFS("/mnt", "/")'],
    ['run_js', () => '__import__("pyodide.code", fromlist=["x"]).run_js("process.pid")'],
    ['_pyodide_core', () => '__import__("_pyodide_core").JsProxy'],
    ['_pyodide_core through __main__', () => '__import__("__main__")._pyodide_core'],
    ['the finder of JavaScript modules', () => '__import__("_pyodide._importhook").jsfinder'],
    ['raw memory', () => '__import__("ctypes").pythonapi'],
    ['every object there is', () => '__import__("gc").get_objects()'],
    ['the keyboard', () => 'input()'],
    ['the globals of a frame above', () => '__import__("sys")._getframe(3).f_globals["_pyodide_core"]'],
  ])('%s', async (_, expression) => {
    const result = await run(`def solve(): return ${expression()}`, { call: 'solve()', returns: "'-'" });
    expect(result.found).toBeNull();
    expect(result.error).toMatch(/Error/);
  });

  test('a written file stays in the child’s memory', async () => {
    const target = join(folder, 'written.txt');
    await run(
      `def solve():\n  import os\n  os.makedirs(${JSON.stringify(folder)}, exist_ok=True)\n  return open(${JSON.stringify(target)}, "w").write("x")`,
      {
        call: 'solve()',
        returns: '1',
      },
    );
    expect(await readdir(folder)).toEqual(['outside.txt']);
  });

  test('no environment of the parent', async () => {
    const result = await run('import os\ndef solve(): return sorted(os.environ.values())', {
      call: 'solve()',
      returns: '[]',
    });
    expect(result.found).not.toBeNull();
    expect(result.found).not.toContain('a-secret-of-the-parent');
    expect(result.found).not.toContain(process.cwd());
  });

  test('no JavaScript object is left in reach of a class or a frame', async () => {
    const code = `
import sys
def solve():
    found, todo, seen = [], [object], set()
    frame = sys._getframe()
    spaces = []
    while frame:
        spaces += [frame.f_globals, frame.f_locals]
        frame = frame.f_back
    while todo:
        kind = todo.pop()
        if kind in seen: continue
        seen.add(kind)
        todo += type.__subclasses__(kind)
        spaces += [getattr(value, '__globals__', {}) for value in list(vars(kind).values())]
    for module in list(sys.modules.values()):
        spaces.append(getattr(module, '__dict__', {}))
    for space in spaces:
        for name, value in list(space.items()):
            if any(k.__name__ == 'JsProxy' for k in type(value).__mro__): found.append(name)
    return len(spaces) > 100, found
`;
    expect(await run(code, { call: 'solve()', returns: '(True, [])' })).toMatchObject({ ok: true });
  });

  test('nothing arrives at a server on this machine', async () => {
    const { port } = server.address() as AddressInfo;
    const ways = [
      `__import__("socket").create_connection(("127.0.0.1", ${port}), timeout=2).sendall(b"x")`,
      `__import__("urllib.request", fromlist=["x"]).urlopen("http://127.0.0.1:${port}/", timeout=2).read()`,
      `__import__("http.client", fromlist=["x"]).HTTPConnection("127.0.0.1", ${port}, timeout=2).request("GET", "/")`,
      `__import__("pyodide.http", fromlist=["x"]).open_url("http://127.0.0.1:${port}/")`,
    ];
    for (const way of ways) {
      expect((await run(`def solve(): return ${way}`, { call: 'solve()', returns: '1' })).ok).toBe(false);
    }
    // The same address answers this process, so that silence means something.
    await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    expect(arrived).toBe(1);
  });
});

describe('what the code leaves behind', () => {
  const honest: ExpectedCall = { call: 'solve([1, 2])', returns: '2' };

  test('names of one proposal are unknown to the next', async () => {
    await run('leak = 5\ndef solve(): return 1', { call: 'solve()', returns: '1' });
    expect(await run('def solve(): return leak', { call: 'solve()', returns: '5' })).toMatchObject({ ok: false });
  });

  test.each([
    ['a changed built-in', 'import builtins\nbuiltins.len = lambda x: 2\ndef solve(x): return 2'],
    ['a changed module', 'import math\nmath.sqrt = None\ndef solve(x): return 2'],
    ['a poisoned import', 'import sys\nsys.modules["random"] = sys\ndef solve(x): return 2'],
    ['a planted module', 'open("/home/pyodide/colorsys.py", "w").write("x = 1")\ndef solve(x): return 2'],
    ['a changed search path', 'import sys\nsys.path.insert(0, "/tmp")\ndef solve(x): return 2'],
  ])('%s: the result counts, the process is replaced', async (_, code) => {
    await sandbox.warm();
    const before = sandbox.pid;
    expect(await run(code, honest)).toMatchObject({ ok: true });
    expect(sandbox.pid).toBeUndefined();
    expect(before).toBeDefined();
    expect(await run('import math, random\ndef solve(x): return len(x)', honest)).toMatchObject({ ok: true });
  });

  test('plain imports and output leave the process as it is', async () => {
    await sandbox.warm();
    const before = sandbox.pid;
    const code = 'import statistics, json, colorsys, unittest\nprint("hello")\ndef solve(x): return len(x)';
    expect(await run(code, honest)).toMatchObject({ ok: true });
    expect(sandbox.pid).toBe(before);
  });

  test('a proposal cannot pass by patching what compares', async () => {
    const code = `
import ast, json, builtins, operator
ast.literal_eval = lambda text: 7
json.dumps = lambda *a, **k: '{"results": [{"value": {"int": "0x2"}, "text": "2"}], "changed": false}'
builtins.type = lambda x: None
class Liar:
    def __eq__(self, other): return True
    def __repr__(self): return '2'
def solve(x): return Liar()
`;
    expect(await run(code, honest)).toMatchObject({ ok: false });
  });
});

describe('what takes too much ends, and the next proposal runs', () => {
  const next = async (): Promise<void> => {
    expect(await run('def solve(): return 1', { call: 'solve()', returns: '1' })).toMatchObject({ ok: true });
  };

  test.each([
    ['an endless loop', 'def solve():\n  while True: pass'],
    ['an endless loop while it loads', 'while True: pass'],
    [
      'an endless loop that catches all',
      'def solve():\n  while True:\n    try:\n      while True: pass\n    except BaseException: pass',
    ],
    ['a sleep', 'import time\ndef solve(): time.sleep(1000)'],
    ['a search without end', 'import re\ndef solve(): return re.match("(a|aa)+$", "a" * 60 + "b")'],
  ])('%s', async (_, code) => {
    const short = openSandbox({ limitMs: 3000 });
    try {
      const { passed, results } = await short.runCalls({ code, calls: [{ call: 'solve()', returns: '1' }] });
      expect(passed).toBe(0);
      expect(results[0]?.error).toContain('longer than 3 s');
      expect(short.pid).toBeUndefined();
      const { passed: then } = await short.runCalls({
        code: 'def solve(): return 1',
        calls: [{ call: 'solve()', returns: '1' }],
      });
      expect(then).toBe(1);
    } finally {
      await short.close();
    }
  });

  test.each([
    ['a memory bomb', 'def solve():\n  x = []\n  while True: x.append(bytearray(1 << 20))', /MemoryError/],
    ['one huge allocation', 'def solve(): return bytearray(1 << 40)', /Error/],
    ['recursion', 'def solve(): return solve()', /RecursionError/],
    [
      'deep nesting that ends the interpreter',
      'def solve():\n  class A:\n    def __repr__(self): return repr(self)\n  return repr(A())',
      /./,
    ],
    ['an exit of the process', 'import os\ndef solve(): os._exit(0)', /./],
    ['an abort', 'import os\ndef solve(): os.abort()', /./],
  ])('%s', async (_, code, reason) => {
    const result = await run(code, { call: 'solve()', returns: '1' });
    expect(result).toMatchObject({ ok: false, found: null });
    expect(result.error).toMatch(reason);
    await next();
  });

  test('ten megabytes of output', async () => {
    const code = 'def solve():\n  for _ in range(10): print("x" * 1_000_000)\n  return 1';
    expect(await run(code, { call: 'solve()', returns: '1' })).toMatchObject({ ok: true });
  });

  test('a value that is too large to compare, and one that holds itself', async () => {
    expect(await run('def solve(): return [0] * 10_000_000', { call: 'solve()', returns: '[]' })).toMatchObject({
      ok: false,
    });
    expect(
      await run('def solve():\n  x = []\n  x.append(x)\n  return x', { call: 'solve()', returns: '[[]]' }),
    ).toMatchObject({ ok: false });
    await next();
  });

  test('an aborted run says so, and does not go on in the background', async () => {
    const stop = new AbortController();
    const own = openSandbox({ limitMs: 200_000 });
    try {
      await own.warm();
      const running = own.runCalls({
        code: 'while True: pass',
        calls: [{ call: '1', returns: '1' }],
        signal: stop.signal,
      });
      setTimeout(() => {
        stop.abort();
      }, 500);
      await expect(running).rejects.toMatchObject({ reason: 'aborted' });
      // Would wait for the loop, if that still ran.
      const { passed } = await own.runCalls({ code: '', calls: [{ call: '1', returns: '1' }] });
      expect(passed).toBe(1);
    } finally {
      await own.close();
    }
  });

  test('an aborted signal runs nothing', async () => {
    const signal = AbortSignal.abort();
    const calls = [{ call: '1', returns: '1' }];
    await expect(sandbox.runCalls({ code: '', calls, signal })).rejects.toMatchObject({ reason: 'aborted' });
  });

  test('a closed sandbox leaves no process, and runs nothing', async () => {
    const own = openSandbox();
    await own.warm();
    const pid = own.pid ?? 0;
    await own.close();
    expect(() => process.kill(pid, 0)).toThrow();
    await expect(own.runCalls({ code: '', calls: [{ call: '1', returns: '1' }] })).rejects.toMatchObject({
      reason: 'aborted',
    });
  });
});

test('an endless loop whose parent was killed ends by itself', async () => {
  const program = `
    import { openSandbox } from ${JSON.stringify(new URL('../../src/app/sandbox/sandbox.ts', import.meta.url).href)};
    const sandbox = openSandbox({ limitMs: 1000 });
    await sandbox.warm();
    process.send(sandbox.pid);
    await sandbox.runCalls({ code: 'while True: pass', calls: [{ call: '1', returns: '1' }] });`;
  const file = join(folder, 'parent.mjs');
  await writeFile(file, program);
  const parent = fork(file, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
  const pid = await new Promise<number>((resolve, reject) => {
    parent.once('message', (said) => {
      resolve(Number(said));
    });
    parent.once('exit', () => {
      reject(new Error('the parent ended early'));
    });
  });
  // Long enough for the loop to have begun, short of the limit.
  await sleep(300);
  parent.kill('SIGKILL');
  const alive = (): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  expect(alive()).toBe(true);
  await expect.poll(() => alive(), { timeout: 30_000, interval: 100 }).toBe(false);
});

test('a sandbox that cannot start says what to do', async () => {
  const broken = openSandbox({ pyodideFolder: folder });
  await expect(broken.runCalls({ code: '', calls: [{ call: '1', returns: '1' }] })).rejects.toMatchObject({
    reason: 'sandbox_failed',
    fault: 'environment',
  });
  await broken.close();
});

test('several proposals asked for at once run one after the other', async () => {
  const reports = await Promise.all(
    [1, 2, 3].map((n) =>
      sandbox.runCalls({ code: `def solve(): return ${n}`, calls: [{ call: 'solve()', returns: String(n) }] }),
    ),
  );
  expect(reports.map(({ passed }) => passed)).toEqual([1, 1, 1]);
});
