import { z } from 'zod';

/** How the tests of a folder are run: one line for its shell, and where. */
export interface TestTask {
  readonly line: string;
  /** Relative to the folder, or absolute; null: the folder itself. */
  readonly cwd: string | null;
}

const argument = z.union([z.string(), z.object({ value: z.string() }).transform(({ value }) => value)]);
const taskSchema = z.object({
  type: z.string().default('shell'),
  command: z.string().optional(),
  script: z.string().optional(),
  args: z.array(argument).default([]),
  options: z.object({ cwd: z.string().optional() }).default({}),
  group: z.union([z.string(), z.object({ kind: z.string(), isDefault: z.unknown().optional() })]),
});

/**
 * The test task of a folder, read from the list of its `tasks.json`: the default one of the group `test`, else the first. Null
 * where there is none that can be run as one line, since it asks for what only the editor's own task runner knows.
 */
export function testTaskOf(tasks: unknown): TestTask | null {
  if (!Array.isArray(tasks)) return null;
  const known = tasks.flatMap((task: unknown) => taskSchema.safeParse(task).data ?? []);
  const tests = known.filter(({ group }) => (typeof group === 'string' ? group : group.kind) === 'test');
  const task = tests.find(({ group }) => typeof group === 'object' && group.isDefault === true) ?? tests[0];
  if (task === undefined) return null;
  const { type, command, script, args, options } = task;
  const line =
    type === 'npm' ? npmLine(script) : command === undefined ? null : [command, ...args.map(quoted)].join(' ');
  const cwd = options.cwd === undefined ? null : inFolder(options.cwd);
  const whole = line === null ? null : inFolder(line);
  return whole === null || (options.cwd !== undefined && cwd === null) ? null : { line: whole, cwd };
}

/** The folder is where it runs; any other variable is the task runner's. */
function inFolder(text: string): string | null {
  const plain = text.replaceAll(/\$\{workspaceFolder\}/g, '.');
  return plain.includes('${') ? null : plain;
}

function npmLine(script: string | undefined): string | null {
  return script === undefined ? null : `npm run ${quoted(script)}`;
}

function quoted(argument_: string): string {
  return /^[\w@%+=:,./$\\{}-]+$/.test(argument_) ? argument_ : `"${argument_.replace(/["\\$`]/g, '\\$&')}"`;
}
