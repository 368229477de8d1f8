import { pathToFileURL } from 'node:url';
import { HARNESS } from './harness.ts';
import { closeLanguage, closeNetwork } from './lockdown.ts';
import type { Answer, Ready, Request } from './messages.ts';

// The sandboxed child: started by `./sandbox.ts` with `node --permission`, an empty environment and the interpreter's folder
// as its only argument. It imports nothing but Node's own modules and the interpreter, so that it may read nothing else.

interface Python {
  runPython(code: string, options: { globals: unknown }): unknown;
  toPy(value: object): unknown;
  setStdin(options: { error: boolean }): void;
  setStdout(options: { write: (bytes: Uint8Array) => number }): void;
  setStderr(options: { write: (bytes: Uint8Array) => number }): void;
  unregisterJsModule(name: string): void;
  setInterruptBuffer(buffer: object): void;
}
type LoadPyodide = (options: object) => Promise<Python>;

const send = process.send?.bind(process) ?? fail('must be started by its parent');
const exit = process.exit.bind(process);
/** A parent that was killed cannot kill: after this long beyond the limit the child ends itself, ms. */
const GRACE_MS = 2000;
let deadline = Infinity;
const folder = process.argv[2] ?? fail('needs the folder of the interpreter');

closeNetwork();
const handle = await startPython(folder);
process.on('message', (request: Request) => {
  answer(request);
});
process.on('disconnect', () => exit(0));
// Ctrl-C in a terminal reaches us as well; it is the parent that decides, and a proposal must not fail by it.
process.on('SIGINT', () => undefined);
closeLanguage();
send({ type: 'ready' } satisfies Ready);

function answer(request: Request): void {
  const { id, ...rest } = request;
  deadline = request.type === 'run' ? performance.now() + request.limitMs + GRACE_MS : Infinity;
  try {
    send({ id, type: 'done', json: handle(JSON.stringify(rest)) } satisfies Answer);
  } catch (error) {
    // The interpreter is gone for good (its stack overflowed, it was told to exit): say so, and let the parent replace us.
    const reason = error instanceof Error ? error.message.trim().slice(-200) : 'the interpreter ended';
    send({ id, type: 'broken', reason } satisfies Answer, () => exit(1));
  }
}

async function startPython(folder: string): Promise<(json: string) => string> {
  // The interpreter asks for constants of a file system that it never mounts; under --permission the real call throws.
  Reflect.set(process, 'binding', () => ({ fs: {} }));
  const { loadPyodide } = (await import(pathToFileURL(`${folder}/pyodide.mjs`).href)) as { loadPyodide: LoadPyodide };
  const python = await loadPyodide({
    indexURL: folder,
    jsglobals: Object.freeze({}),
    // Sets keep their order from run to run.
    env: { HOME: '/home/pyodide', PYTHONHASHSEED: '0', _: 'python' },
  });
  const discard = { write: (bytes: Uint8Array) => bytes.length };
  python.setStdout(discard);
  python.setStderr(discard);
  python.setStdin({ error: true });
  // The interpreter looks here for a Ctrl-C every few dozen steps, in the midst of an endless loop as well.
  const interrupts = Object.defineProperty({}, '0', {
    get: () => (performance.now() > deadline ? exit(1) : 0),
    set: () => undefined,
  });
  python.setInterruptBuffer(interrupts);
  python.unregisterJsModule('js');
  python.unregisterJsModule('pyodide_js');
  return python.runPython(HARNESS, { globals: python.toPy({}) }) as (json: string) => string;
}

function fail(what: string): never {
  throw new Error(`The Python child ${what}.`);
}
