import { z } from 'zod';
import type { ToolDefinition } from './backend.ts';

const path = z.string().min(1).max(4096);
const line = z.int().positive();

/** What the agent may ask of the workspace: each tool's words for the model, and what it takes. All but `run_tests` only read. */
export const TOOLS = {
  read_file: {
    description: 'Read a text file of the workspace. Long files come in parts: say which lines.',
    takes: z.object({
      path: path.describe('Path in the workspace, for example src/prices.py'),
      from_line: line.optional().describe('First line, from 1'),
      to_line: line.optional().describe('Last line'),
    }),
  },
  list_files: {
    description: 'List the files and folders in a folder of the workspace.',
    takes: z.object({ path: path.optional().describe('Folder; left out: the whole workspace') }),
  },
  search: {
    description: 'Find lines that contain a text in the files of the workspace; upper and lower case are the same.',
    takes: z.object({
      text: z.string().min(1).max(500).describe('Text to look for, word by word as it stands'),
      path: path.optional().describe('Folder or file to look in'),
    }),
  },
  diagnostics: {
    description: 'List the errors and warnings that the editor shows.',
    takes: z.object({ path: path.optional().describe('File; left out: all') }),
  },
  run_tests: {
    description: 'Run the tests of the workspace. The developer is asked first.',
    takes: z.object({}),
  },
} as const satisfies Record<string, { description: string; takes: z.ZodObject }>;

export type ToolName = keyof typeof TOOLS;
/** What a tool is called with. */
export type ToolInput<Name extends ToolName> = z.infer<(typeof TOOLS)[Name]['takes']>;

export function isToolName(name: string): name is ToolName {
  return Object.hasOwn(TOOLS, name);
}

/** A definition in the form in which servers take it and templates print it. */
export function wireTool({ name, description, parameters }: ToolDefinition) {
  return { type: 'function', function: { name, description, parameters } } as const;
}

/** The tools of these names as a server is told of them. */
export function toolDefinitions(names: readonly ToolName[]): ToolDefinition[] {
  return names.map((name) => {
    const { description, takes } = TOOLS[name];
    const parameters = z.toJSONSchema(takes, { io: 'input' });
    delete parameters.$schema;
    return { name, description, parameters };
  });
}
