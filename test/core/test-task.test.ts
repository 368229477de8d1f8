import { expect, test } from 'vitest';
import { testTaskOf } from '../../src/core/test-task.ts';

test.each([
  ['none', [{ label: 'build', type: 'shell', command: 'make', group: 'build' }], null],
  ['a shell task', [{ type: 'shell', command: 'pytest', args: ['-q', 'a b'], group: 'test' }], 'pytest -q "a b"'],
  ['an npm task', [{ type: 'npm', script: 'test:unit', group: { kind: 'test' } }], 'npm run test:unit'],
  [
    'the default one',
    [
      { command: 'one', group: 'test' },
      { command: 'two', group: { kind: 'test', isDefault: true } },
    ],
    'two',
  ],
  ['a variable of the task runner', [{ command: 'pytest ${file}', group: 'test' }], null],
  ['the folder', [{ command: '${workspaceFolder}/run.sh', group: 'test' }], './run.sh'],
  ['nonsense', [7, null, { group: 'test' }], null],
  ['no list', { command: 'pytest' }, null],
])('%s', (_name, tasks, line) => {
  expect(testTaskOf(tasks)?.line ?? null).toBe(line);
});

test('where it runs', () => {
  const task = (cwd: string) => testTaskOf([{ command: 'x', group: 'test', options: { cwd } }]);
  expect(task('${workspaceFolder}/sub')).toEqual({ line: 'x', cwd: './sub' });
  expect(task('${env:HOME}')).toBeNull();
});
