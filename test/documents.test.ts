import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

const root = resolve(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')));

const commandsOf = (text: string): string[] => [
  ...[...text.matchAll(/\bnpm run ([a-z][\w:-]*)/g)].map((match) => match[1] ?? ''),
  ...[...text.matchAll(/\bnpm (start|test)\b/g)].map((match) => match[1] ?? ''),
];

test.each(['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', 'training/README.md'])(
  '%s names scripts that exist',
  (path) => {
    const named = commandsOf(read(path));
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
    if (!path.startsWith('A') && !path.startsWith('t')) expect(named.length).toBeGreaterThan(3);
  },
);

test('scripts run files and scripts that exist; dist/ comes with the build', () => {
  const all = Object.values(scripts);
  const files = all.flatMap((line) => line.match(/\b(?:scripts|test|bench|src)\/[\w./-]+|\besbuild\.mjs/g) ?? []);
  expect(files.length).toBeGreaterThan(10);
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  expect(all.flatMap(commandsOf).filter((name) => !(name in scripts))).toEqual([]);
});

describe('.vscode', () => {
  const tasks = z
    .object({ tasks: z.array(z.object({ label: z.string(), type: z.literal('npm'), script: z.string() })) })
    .parse(JSON.parse(read('.vscode/tasks.json'))).tasks;
  const launches = z
    .object({
      configurations: z.array(
        z.object({
          type: z.string(),
          preLaunchTask: z.string(),
          program: z.string().optional(),
          runtimeExecutable: z.string().optional(),
          args: z.array(z.string()),
        }),
      ),
    })
    .parse(JSON.parse(read('.vscode/launch.json'))).configurations;

  test('tasks are scripts, and every launch builds first by one of them', () => {
    expect(tasks.filter(({ script }) => !(script in scripts))).toEqual([]);
    const labels = tasks.map(({ label }) => label);
    expect(launches.filter(({ preLaunchTask }) => !labels.includes(preLaunchTask))).toEqual([]);
  });

  test('launches name files that are there or that the build makes, and F5 starts the extension', () => {
    const outputs = ['dist/cli.js'];
    const paths = launches
      .flatMap(({ program, runtimeExecutable, args }) => [program ?? '', runtimeExecutable ?? '', ...args])
      .flatMap((text) => /\$\{workspaceFolder\}\/(.+)$/.exec(text)?.[1] ?? []);
    expect(paths).toContain('sample');
    expect(paths.filter((path) => !outputs.includes(path) && !existsSync(join(root, path)))).toEqual([]);
    const build = read('esbuild.mjs');
    for (const made of ['cli:', "outdir: 'dist'", "'src/extension.ts'"]) expect(build).toContain(made);
    expect(launches[0]?.args[0]).toBe('--extensionDevelopmentPath=${workspaceFolder}');
  });
});
