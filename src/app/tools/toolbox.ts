import type { ToolDefinition } from '../../core/backend.ts';
import { errorText } from '../../core/error.ts';
import { loggable } from '../../core/secrets/redactor.ts';
import type { ToolCall } from '../../core/tool-call.ts';
import { isToolName, TOOLS, toolDefinitions, type ToolName } from '../../core/tools.ts';
import type { TestCount } from './count-tests.ts';
import type { TestRun } from './run-tests.ts';
import type { ToolWorkspace } from './tool-workspace.ts';

/** What a tool gave back, as the agent reads it. */
export interface ToolResult {
  readonly kind: 'tool' | 'test';
  readonly text: string;
  /** Of tests that ran to their end; else null. */
  readonly tests: TestCount | null;
}

/** The tools of one workspace. */
export interface Toolbox {
  readonly definitions: readonly ToolDefinition[];
  /** How many calls in a row an agent gets before it has to speak. */
  readonly limit: number;
  /** Runs a call; what goes wrong is the result, in words. Never throws. */
  run(call: ToolCall, signal: AbortSignal): Promise<ToolResult>;
}

/** Longest result, UTF-16 units. */
const LONGEST = 30_000;

/**
 * The tools that look into a workspace, and (`askAndTest`) the one that runs its tests: it has to ask the developer before
 * anything runs, and gives null where they said no; left out where there is nothing to run. Secrets in what is found are replaced.
 */
export function openToolbox(
  workspace: ToolWorkspace,
  limit: number,
  askAndTest: ((signal: AbortSignal) => Promise<TestRun | null>) | null,
): Toolbox {
  const names: ToolName[] = ['read_file', 'list_files', 'search', 'diagnostics'];
  if (askAndTest !== null) names.push('run_tests');

  async function perform(name: ToolName, handed: unknown, signal: AbortSignal): Promise<ToolResult> {
    // Most conversations never get here.
    const { listFiles, listProblems, readLines, searchText } = await import('./read-tools.ts');
    switch (name) {
      case 'read_file':
        return said(await readLines(workspace, TOOLS[name].takes.parse(handed)));
      case 'list_files':
        return said(await listFiles(workspace, TOOLS[name].takes.parse(handed), signal));
      case 'search':
        return said(await searchText(workspace, TOOLS[name].takes.parse(handed), signal));
      case 'diagnostics':
        return said(await listProblems(workspace, TOOLS[name].takes.parse(handed)));
      case 'run_tests': {
        const run = await askAndTest?.(signal);
        return run
          ? { kind: 'test', text: run.text, tests: run.count }
          : said('The developer does not want the tests run.');
      }
      default:
        return name satisfies never;
    }
  }

  return {
    definitions: toolDefinitions(names),
    limit,
    async run({ name, arguments: handed }, signal) {
      if (!isToolName(name) || !names.includes(name))
        return said(`There is no tool "${name}"; there are ${names.join(', ')}.`);
      const input = readInput(name, handed);
      if (typeof input === 'string') return said(input);
      try {
        const result = await perform(name, input.value, signal);
        return { ...result, text: capped(loggable(result.text, 'secrets')) };
      } catch (thrown) {
        return said(signal.aborted ? STOPPED : loggable(errorText(thrown), 'secrets'));
      }
    },
  };
}

/** The result of a call that the developer stopped. */
export const STOPPED = 'The developer stopped this.';

/** What was handed over, checked; a sentence where it does not fit. */
function readInput(name: ToolName, handed: string): { readonly value: unknown } | string {
  let value: unknown;
  try {
    value = JSON.parse(handed === '' ? '{}' : handed);
  } catch {
    return `What was handed to ${name} is no JSON; call it again with an object.`;
  }
  const parsed = TOOLS[name].takes.safeParse(value);
  if (parsed.success) return { value: parsed.data };
  const issue = parsed.error.issues[0];
  return `What was handed to ${name} does not fit (${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}); call it again.`;
}

function capped(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}\n(cut off here: ask for less at a time)`;
}

function said(text: string): ToolResult {
  return { kind: 'tool', text, tests: null };
}
