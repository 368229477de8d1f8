import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';

/** Places of the source that another version would have written otherwise: file below src/, what stands there, what would. */
type Difference = readonly [file: string, from: string, to: string];

const CONSENT = "  z.object({ type: z.literal('consent_set'), scope: consentScopeSchema }),\n";
const CASE = "    case 'consent_set':\n";

/** A version that added a type of event, which is no new version of anything. */
export const WITH_NEW_TYPE: readonly Difference[] = [
  ['core/event.ts', CONSENT, `${CONSENT}  z.object({ type: z.literal('applauded'), times: z.int() }),\n`],
  ['core/refusal.ts', CASE, `    case 'applauded':\n${CASE}`],
  ['core/reduce.ts', CASE, `    case 'applauded':\n      return state;\n${CASE}`],
  ['store/words-of.ts', CASE, `    case 'applauded':\n${CASE}`],
];

/** A version that reads events otherwise: what was said is trimmed from now on, and older events are lifted to that. */
export const WITH_NEW_EVENTS: readonly Difference[] = [
  ['core/event.ts', 'export const EVENT_VERSION = 1;', 'export const EVENT_VERSION = 2;'],
  [
    'core/upcast.ts',
    'const STEPS: readonly UpcastStep[] = [];',
    "const STEPS: readonly UpcastStep[] = [(body: any) => (body.type === 'request_accepted' ? { ...body, text: body.text.trim() } : body)];",
  ],
  ['store/schema.ts', '[1, 1, 1, 1, 1];', '[1, 1, 1, 1, 1, 2];'],
];

/** The store's code of this or another version as a program of its own. Throws where the source no longer reads so. */
export async function buildVersion(outfile: string, differences: readonly Difference[]): Promise<string> {
  const left = new Set(differences);
  await build({
    entryPoints: [join(import.meta.dirname, 'versions-child.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22.16',
    logLevel: 'warning',
    plugins: [
      {
        name: 'another-version',
        setup: (bundle) => {
          bundle.onLoad({ filter: /[\\/]src[\\/](core|store)[\\/][\w-]+\.ts$/ }, async ({ path }) => {
            let contents = await readFile(path, 'utf8');
            for (const one of differences) {
              const [file, from, to] = one;
              if (!path.replaceAll('\\', '/').endsWith(`/src/${file}`) || !contents.includes(from)) continue;
              contents = contents.replace(from, to);
              left.delete(one);
            }
            return { contents, loader: 'ts' };
          });
        },
      },
    ],
  });
  if (left.size > 0) throw new Error(`No such place in the source: ${[...left].map(([file]) => file).join(', ')}`);
  return outfile;
}

/** A process that has a store open and does what it is told. */
export interface Process {
  readonly ask: (order: Readonly<Record<string, unknown>>) => Promise<unknown>;
  readonly end: () => Promise<void>;
}

export function startVersion(program: string): Process {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (order) => {
      child.stdin.write(`${JSON.stringify(order)}\n`);
      const { value } = (await lines.next()) as { value?: string };
      return value === undefined ? { failed: 'the process ended' } : (JSON.parse(value) as unknown);
    },
    end: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
