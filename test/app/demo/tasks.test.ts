import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { drawTasks } from '../../../src/app/demo/draw.ts';
import { loadTasks, type Task, type TaskFile } from '../../../src/app/demo/tasks.ts';
import { openSandbox, type Sandbox } from '../../../src/app/sandbox/sandbox.ts';

// A few hundred programs on a machine that may be busy.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const bundled = fileURLToPath(new URL('../../../media/demo/tasks.json', import.meta.url));
let file: TaskFile;
let sandbox: Sandbox;

beforeAll(async () => {
  file = await loadTasks(bundled);
  sandbox = openSandbox();
  await sandbox.warm();
});

afterAll(async () => {
  await sandbox.close();
});

describe('a task file that is not one is refused with its field', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'turnwise-tasks-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const task = {
    id: 'a',
    group: 'g',
    request: 'Sum.',
    kinds: [{ kind: 'empty', specified: false, replies: ['zero'] }],
    function: 'solve',
    reference: 'def solve(xs): return sum(xs)',
    calls: [{ call: 'solve([])', returns: '0' }],
  };
  const whole = {
    schema: 'turnwise-tasks/1',
    uninformative: ['not sure'],
    kinds: { empty: { questions: ['And if it is empty?'] } },
    tasks: [task],
  };

  test.each([
    ['cut JSON', '{"schema":', 'unreadable_tasks', 'tasks.json'],
    ['another schema', JSON.stringify({ ...whole, schema: 'other/1' }), 'invalid_tasks', 'schema'],
    ['no tasks', JSON.stringify({ ...whole, tasks: [] }), 'invalid_tasks', 'tasks'],
    [
      'a task without calls',
      JSON.stringify({ ...whole, tasks: [{ ...task, calls: [] }] }),
      'invalid_tasks',
      'tasks.0.calls',
    ],
    [
      'a call that expects nothing',
      JSON.stringify({ ...whole, tasks: [{ ...task, calls: [{ call: 'solve([])' }] }] }),
      'invalid_tasks',
      'tasks.0.calls',
    ],
    ['an unknown kind', JSON.stringify({ ...whole, kinds: {} }), 'invalid_tasks', 'unknown kind empty'],
    ['one id twice', JSON.stringify({ ...whole, tasks: [task, task] }), 'invalid_tasks', 'same id'],
  ])('%s', async (_, text, reason, words) => {
    const path = join(folder, 'tasks.json');
    await writeFile(path, text);
    const error: unknown = await loadTasks(path).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason });
    expect(String(error)).toContain(words);
  });

  test('a missing file', async () => {
    await expect(loadTasks(join(folder, 'absent.json'))).rejects.toMatchObject({ reason: 'unreadable_tasks' });
  });

  test('a whole file, with keys that we do not know', async () => {
    const path = join(folder, 'tasks.json');
    await writeFile(path, JSON.stringify({ ...whole, note: 'x' }));
    expect((await loadTasks(path)).tasks).toHaveLength(1);
  });
});

describe('the bundled tasks', () => {
  test('every reference passes all of its hidden calls', async () => {
    const failures: unknown[] = [];
    for (const { id, reference: code, calls } of file.tasks) {
      const { passed, total, results } = await sandbox.runCalls({ code, calls });
      if (passed < total) failures.push({ id, results: results.filter(({ ok }) => !ok) });
    }
    expect(failures).toEqual([]);
    expect(file.tasks.length).toBeGreaterThanOrEqual(60);
  });

  test('a reference with one number changed fails at least one of them', async () => {
    const spoilt = file.tasks.flatMap((task) => {
      const code = withAnotherNumber(task);
      return code === null ? [] : [{ task, code }];
    });
    expect(spoilt.length).toBeGreaterThan(30);
    const survived: string[] = [];
    for (const { task, code } of spoilt.slice(0, 60)) {
      const { passed, total } = await sandbox.runCalls({ code, calls: task.calls });
      if (passed === total) survived.push(`${task.id}: ${code}`);
    }
    expect(survived).toEqual([]);
  });

  test('code that gives back what it was given passes no task entirely', async () => {
    for (const { calls, function: name } of file.tasks.slice(0, 40)) {
      const { passed, total } = await sandbox.runCalls({ code: `def ${name}(xs): return xs`, calls });
      expect(passed).toBeLessThan(total);
    }
  });
});

/** The reference with the bound, window, factor or cut that a preference chose moved by one (down, where that stays in the family); null where there is none. */
function withAnotherNumber({ reference }: Task): string | null {
  const lines = reference.split('\n');
  const at = lines.findIndex(
    (line) => /(max\(x, 0\), \d+\)|x <= \d+|xs\[-?\d*:-?\d*\]$|r [*] \d+|r \/ \d+)/.test(line) && !line.includes('::'),
  );
  const line = lines[at];
  if (line === undefined) return null;
  const changed = line.replace(/(\d+)(?!.*\d)/, (number) => (number === '1' ? '2' : String(Number(number) - 1)));
  return lines.with(at, changed).join('\n');
}

describe('drawing', () => {
  const grouped = (tasks: readonly Task[]): Map<string, Task[]> => {
    const groups = new Map<string, Task[]>();
    for (const task of tasks) groups.set(task.group, [...(groups.get(task.group) ?? []), task]);
    return groups;
  };
  const draw = (seed: number, episodes: number): string[] =>
    drawTasks(file.tasks, { seed, episodes }).map(({ id }) => id);

  test('a dozen is four requests three times, one of them fully specified', () => {
    const tasks = drawTasks(file.tasks, { seed: 1, episodes: 12 });
    const groups = grouped(tasks);
    expect([...groups.values()].map((members) => members.length)).toEqual([3, 3, 3, 3]);
    const specified = [...groups.values()].filter(([first]) => first?.kinds.every((kind) => kind.specified));
    expect(specified).toHaveLength(1);
  });

  test.each([1, 2, 4, 5, 10, 13, 30])('%i conversations come in groups of nearly the same size', (episodes) => {
    const tasks = drawTasks(file.tasks, { seed: 3, episodes });
    expect(tasks).toHaveLength(episodes);
    const sizes = [...grouped(tasks).values()].map((members) => members.length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  });

  test('the seed decides, and nothing else', () => {
    expect(draw(7, 12)).toEqual(draw(7, 12));
    expect(draw(7, 12)).not.toEqual(draw(8, 12));
  });
});
