import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ClosedFiles } from '../../src/app/tools/closed-files.ts';
import { holdsSecrets } from '../../src/app/tools/secret-files.ts';
import { countTests } from '../../src/app/tools/count-tests.ts';
import { rankFiles } from '../../src/app/tools/rank-files.ts';
import { runTests } from '../../src/app/tools/run-tests.ts';
import { openToolbox } from '../../src/app/tools/toolbox.ts';
import type { ToolWorkspace } from '../../src/app/tools/tool-workspace.ts';

let home = '';
let folder = '';
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'tools-'));
  folder = join(home, 'work');
  await mkdir(join(folder, 'src/deep'), { recursive: true });
  await mkdir(join(folder, 'built'));
  await mkdir(join(home, 'elsewhere'));
  const files: Readonly<Record<string, string | Uint8Array>> = {
    'work/.gitignore': 'built/\n*.log\n!kept.log\n',
    'work/src/.gitignore': 'private.py\n',
    'work/src/prices.py': 'def total(prices):\n    return sum(prices)\n',
    'work/src/private.py': 'x = 1\n',
    'work/src/deep/long.txt': Array.from({ length: 1000 }, (_, at) => `line ${at + 1}`).join('\r\n'),
    'work/built/out.py': 'def total(): pass\n',
    'work/run.log': 'total\n',
    'work/kept.log': 'total\n',
    'work/empty.txt': '',
    'work/.env': 'TOKEN=abcdef0123456789\n',
    'work/.env.example': 'TOKEN=\n',
    'work/hidden.gen': 'total\n',
    'work/picture.bin': new Uint8Array([1, 0, 2]),
    'work/latin.txt': new Uint8Array([0x63, 0x61, 0x66, 0xe9]),
    'work/wide.txt': Buffer.from('\ufefftotal €', 'utf16le'),
    'work/key.py': `key = "ghp_${'a1B2c3D4e5F6'.repeat(3)}"\n`,
    'elsewhere/secret.txt': 'outside\n',
  };
  for (const [path, text] of Object.entries(files)) await writeFile(join(home, path), text);
  await symlink(join(home, 'elsewhere/secret.txt'), join(folder, 'link.txt'));
  await symlink(join(home, 'elsewhere'), join(folder, 'linked'));
  await symlink(join(folder, '.env'), join(folder, 'alias.txt'));
  await symlink(join(folder, 'src/prices.py'), join(folder, 'same.py'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const workspace = (extra: Partial<ToolWorkspace> = {}): ToolWorkspace => ({
  folders: [{ name: 'work', path: folder }],
  excludedIn: () => ['**/*.gen'],
  unsaved: () => null,
  problems: () => [],
  ...extra,
});
const call = async (name: string, input: unknown, extra: Partial<ToolWorkspace> = {}): Promise<string> => {
  const box = openToolbox(workspace(extra), 8, null);
  const result = await box.run({ name, arguments: JSON.stringify(input) }, new AbortController().signal);
  return result.text;
};
const read = (path: string): Promise<string> => call('read_file', { path });

describe('reading a file', () => {
  test('gives its text, by its path in the workspace', async () => {
    expect(await read('src/prices.py')).toBe('def total(prices):\n    return sum(prices)');
    expect(await read('./src/../src/prices.py')).toContain('def total');
    expect(await read('same.py')).toContain('def total');
  });

  test('gives a long one in parts', async () => {
    const first = await read('src/deep/long.txt');
    expect(first).toMatch(/^\(lines 1 to 400 of 1000\)\nline 1\n/);
    expect(await call('read_file', { path: 'src/deep/long.txt', from_line: 999 })).toBe(
      '(lines 999 to 1000 of 1000)\nline 999\nline 1000',
    );
    expect(await call('read_file', { path: 'src/deep/long.txt', from_line: 2000 })).toBe(
      'src/deep/long.txt has 1000 lines.',
    );
  });

  test('sees what is changed and not saved', async () => {
    const unsaved = (path: string): string | null => (path.endsWith('prices.py') ? 'changed\n' : null);
    expect(await call('read_file', { path: 'src/prices.py' }, { unsaved })).toBe('changed');
  });

  test('reads Latin-1 and UTF-16', async () => {
    expect(await read('latin.txt')).toBe('café');
    expect(await read('wide.txt')).toBe('total €');
  });

  test.each([
    ['../elsewhere/secret.txt', 'is not in the workspace'],
    ['src/../../elsewhere/secret.txt', 'is not in the workspace'],
    ['/etc/passwd', 'is not in the workspace'],
    ['C:\\Windows\\win.ini', 'is not in the workspace'],
    ['..\\elsewhere\\secret.txt', 'is not in the workspace'],
    ['a\0b', 'is not in the workspace'],
    ['link.txt', 'is not in the workspace'],
    ['linked/secret.txt', 'is not in the workspace'],
    ['alias.txt', 'may hold secrets'],
    ['.env', 'may hold secrets'],
    ['.git/config', 'may hold secrets'],
    ['no/.env', 'may hold secrets'],
    ['run.log', 'is ignored by a .gitignore'],
    ['built/out.py', 'is ignored by a .gitignore'],
    ['src/private.py', 'is ignored by a .gitignore'],
    ['hidden.gen', 'is excluded by the settings'],
    ['nothing.py', 'There is no nothing.py'],
    ['picture.bin', 'is binary'],
    ['src', 'is no file'],
    ['empty.txt', 'is empty'],
  ])('%s: %s', async (path, why) => {
    const text = await read(path);
    expect(text).toContain(why);
    expect(text).not.toMatch(/outside|abcdef|def total/);
  });

  test('replaces secrets in what it gives', async () => {
    expect(await read('key.py')).toMatch(/^key = "<redacted:[\w-]+:1>"$/);
  });
});

test('a list and a search pass over what is closed, and follow no link', async () => {
  const all = (await call('list_files', {})).split('\n');
  expect(all).toEqual([
    '.env.example',
    '.gitignore',
    'empty.txt',
    'kept.log',
    'key.py',
    'latin.txt',
    'picture.bin',
    'src/.gitignore',
    'src/deep/long.txt',
    'src/prices.py',
    'wide.txt',
  ]);
  expect(await call('list_files', { path: 'src/deep' })).toBe('src/deep/long.txt');
  expect((await call('search', { text: 'TOTAL' })).split('\n')).toEqual([
    'kept.log:1: total',
    'src/prices.py:1: def total(prices):',
    'wide.txt:1: total €',
  ]);
  expect(await call('search', { text: 'total', path: 'src/prices.py' })).toBe('src/prices.py:1: def total(prices):');
  expect(await call('search', { text: 'line ', path: 'src/deep' })).toMatch(/\(and more\)$/);
  expect(await call('search', { text: 'nowhere' })).toBe('"nowhere" was not found.');
  expect(await call('list_files', { path: '../elsewhere' })).toContain('is not in the workspace');
});

test('problems are those of open files of the workspace', async () => {
  const problem = (path: string) => ({ path, line: 3, severity: 'error' as const, message: 'bad' });
  const problems = () => ['src/prices.py', '.env', '../elsewhere/secret.txt', 'src/private.py'].map(problem);
  expect(await call('diagnostics', {}, { problems })).toBe('src/prices.py:3: error: bad');
  expect(await call('diagnostics', { path: 'kept.log' }, { problems })).toBe('The editor shows no errors or warnings.');
});

test('in a workspace of several folders the first name is the folder', async () => {
  const folders = [
    { name: 'work', path: folder },
    { name: 'other', path: join(home, 'elsewhere') },
  ];
  expect(await call('read_file', { path: 'other/secret.txt' }, { folders })).toBe('outside');
  expect(await call('read_file', { path: 'src/prices.py' }, { folders })).toContain('is not in the workspace');
  expect(await call('list_files', { path: 'other' }, { folders })).toBe('other/secret.txt');
});

test('what does not fit is said to the model, and nothing is thrown', async () => {
  expect(await call('read_file', {})).toContain('does not fit (path');
  expect(await call('write_file', { path: 'a' })).toContain('There is no tool "write_file"');
  expect(await call('run_tests', {})).toContain('There is no tool "run_tests"');
  const box = openToolbox(workspace(), 8, null);
  const { text } = await box.run({ name: 'search', arguments: '{"text": ' }, new AbortController().signal);
  expect(text).toContain('no JSON');
  const none = await box.run({ name: 'list_files', arguments: '{}' }, AbortSignal.abort());
  expect(none.text).toBe('The developer stopped this.');
});

test('names of secret files, and of those that only look so', () => {
  const secret = [
    '.env',
    'a/.env.local',
    'id_rsa',
    'x.pem',
    '.ssh/config',
    '.npmrc',
    'conf/credentials.json',
    '.AWS/config',
  ];
  const plain = ['.env.example', 'environment.py', 'keys.py', 'pem.md', 'src/tokenizer.ts', 'secret.py'];
  expect(secret.filter((path) => !holdsSecrets(path))).toEqual([]);
  expect(plain.filter(holdsSecrets)).toEqual([]);
});

test('a .gitignore deeper down takes back what one above ignored, but not from an ignored folder', async () => {
  const rules: Readonly<Record<string, string>> = {
    '.gitignore': '*.tmp\nout/\n',
    'a/.gitignore': '!keep.tmp\n',
    'out/.gitignore': '!*',
  };
  const closed = new ClosedFiles((path) => Promise.resolve(rules[path] ?? null), ['**/node_modules']);
  const why = (path: string) => closed.why(path);
  expect(await why('a/x.tmp')).toBe('ignored');
  expect(await why('a/keep.tmp')).toBeNull();
  expect(await why('out/x')).toBe('ignored');
  expect(await why('b/node_modules/x/y.js')).toBe('excluded');
  expect(await why('b/x.js')).toBeNull();
});

test('files behind an @: letters in their order, the name before its folders', () => {
  const paths = ['docs/prices/readme.md', 'src/prices.py', 'src/shop.py', 'test/test_prices.py'];
  expect(rankFiles(paths, 'prices', 3)[0]).toBe('src/prices.py');
  expect(rankFiles(paths, 'spri', 3)).toContain('src/prices.py');
  expect(rankFiles(paths, 'readme', 1)).toEqual(['docs/prices/readme.md']);
  expect(rankFiles(paths, 'zzz', 3)).toEqual([]);
  expect(rankFiles(paths, '', 2)).toEqual(paths.slice(0, 2));
});

test.each([
  ['pytest', '=== 1 failed, 3 passed, 1 skipped, 2 warnings in 0.12s ===', { passed: 3, total: 4 }],
  ['pytest -q', '..\n2 passed in 0.01s', { passed: 2, total: 2 }],
  ['vitest', ' Test Files  1 failed (1)\n      Tests  1 failed | 3 passed (4)\n', { passed: 3, total: 4 }],
  ['jest', 'Test Suites: 1 failed, 1 total\nTests:       2 failed, 5 passed, 7 total', { passed: 5, total: 7 }],
  ['mocha', '  12 passing (3s)\n  2 failing\n', { passed: 12, total: 14 }],
  ['node', '\u001b[34mℹ pass 3\u001b[39m\n\u001b[34mℹ fail 1\u001b[39m', { passed: 3, total: 4 }],
  ['tap', '# tests 2\n# pass 2\n# fail 0\n', { passed: 2, total: 2 }],
  ['unittest', 'Ran 5 tests in 0.001s\n\nFAILED (failures=1, errors=1)', { passed: 3, total: 5 }],
  ['unittest, all well', 'Ran 2 tests in 0.001s\n\nOK', { passed: 2, total: 2 }],
  ['cargo', 'test result: ok. 5 passed; 0 failed;\ntest result: FAILED. 1 passed; 2 failed;', { passed: 6, total: 8 }],
  ['go', '--- PASS: TestA (0.00s)\n--- FAIL: TestB (0.00s)\nFAIL', { passed: 1, total: 2 }],
  ['something else', 'done', null],
])('the numbers of %s are read', (_name, output, expected) => {
  expect(countTests(output)).toEqual(expected);
});

describe('running tests', () => {
  const run = (line: string, signal = new AbortController().signal, longest?: number) =>
    runTests({ line, folder }, signal, longest);

  test('says how they ended, with what they printed at their end', async () => {
    expect(await run('echo "2 passed in 0.01s"')).toEqual({
      text: 'The tests passed: 2 of 2.\n\n2 passed in 0.01s',
      count: { passed: 2, total: 2 },
    });
    expect(await run('echo broken >&2; exit 3')).toEqual({
      text: 'The tests failed.\n\nbroken',
      count: { passed: 0, total: 1 },
    });
    expect((await run('seq 1 20000; true')).text.length).toBeLessThan(13_000);
  });

  test('a command that there is not says nothing of the code', async () => {
    expect(await run('no-such-runner-at-all')).toEqual({
      count: null,
      text: expect.stringContaining('could not be run') as string,
    });
  });

  test('stopped or endless, it ends with all that it started', async () => {
    const abort = new AbortController();
    const running = run('sleep 60 & sleep 60; wait', abort.signal);
    setTimeout(() => {
      abort.abort();
    }, 100);
    expect(await running).toMatchObject({ count: null });
    const late = await run('sleep 60', undefined, 100);
    expect(late.count).toBeNull();
    expect(late.text).toContain('took too long');
  });
});
