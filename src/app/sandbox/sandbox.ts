import { z } from 'zod';
import { TurnwiseError } from '../../core/error.ts';
import { startChild, type ChildOptions, type PythonChild } from './child.ts';
import { pythonValueSchema, sameValue, type PythonValue } from './value.ts';

/** A call of the proposed function as a Python expression, and what it must do: give a value (a Python literal) or raise. */
export type ExpectedCall =
  { readonly call: string; readonly returns: string } | { readonly call: string; readonly raises: string };

export interface CallResult {
  readonly call: string;
  readonly ok: boolean;
  /** Python's repr of what came back, cut at 200 characters; null where nothing did. */
  readonly found: string | null;
  /** What was raised, or why the call was not made; null where a value came back. */
  readonly error: string | null;
}

export interface CallReport {
  readonly passed: number;
  readonly total: number;
  readonly results: readonly CallResult[];
}

/** Runs proposed Python in a confined child process, one proposal at a time. Whoever opens it closes it. */
export interface Sandbox {
  /** Process id of the child that waits or works now, if any. */
  readonly pid: number | undefined;
  /** Starts the interpreter ahead of the first proposal (about two seconds); without it the first proposal does. */
  warm(): Promise<void>;
  /**
   * Runs the code in fresh globals, makes the calls, and compares what they give. Code that does not parse, lacks the
   * function, ends the interpreter or runs past the limit passes nothing, with the reason; it is never an exception. Throws
   * `sandbox_failed` when Python cannot be started, `malformed_literal` for an expected value that is none, `aborted`.
   */
  runCalls(proposal: {
    readonly code: string;
    readonly calls: readonly ExpectedCall[];
    readonly signal?: AbortSignal | undefined;
  }): Promise<CallReport>;
  close(): Promise<void>;
}

export interface SandboxOptions extends ChildOptions {
  /** Wall clock per proposal after start-up, in ms. */
  readonly limitMs?: number | undefined;
}

/** Reading literals is our own code: it ends, but the machine may be busy. */
const ENCODE_LIMIT_MS = 60_000;

const failureSchema = z.object({ raises: z.array(z.string()), message: z.string() });
const encodedSchema = z.object({ values: z.array(pythonValueSchema) });
const ranSchema = z.union([
  z.object({ refused: failureSchema, changed: z.boolean() }),
  z.object({
    results: z.array(z.union([failureSchema, z.object({ value: pythonValueSchema, text: z.string() })])),
    changed: z.boolean(),
  }),
]);
type Found = z.infer<typeof failureSchema> | { readonly value: PythonValue; readonly text: string };

/** Opens a sandbox; nothing is started before the first use. */
export function openSandbox({ limitMs = 10_000, ...childOptions }: SandboxOptions = {}): Sandbox {
  let child: PythonChild | null = null;
  let closed = false;
  // One proposal at a time: the next begins when the last has ended, however it ended.
  let queue: Promise<unknown> = Promise.resolve();

  const living = async (signal?: AbortSignal): Promise<PythonChild> => {
    if (closed || signal?.aborted) throw stopped();
    child ??= startChild(childOptions);
    try {
      await child.ready;
    } catch (cause) {
      child = null;
      throw cause;
    }
    return child;
  };

  const replace = async (): Promise<void> => {
    const old = child;
    child = null;
    await old?.kill();
  };

  const run: Sandbox['runCalls'] = async ({ code, calls, signal }) => {
    // Expected values never enter the process while the code runs in it: they are encoded before, and compared here.
    const expected = await encode(await living(signal), calls);
    const python = await living(signal);
    const outcome = await python.ask(
      { type: 'run', code, calls: calls.map(({ call }) => call), limitMs },
      limitMs,
      signal,
    );
    if (outcome.type === 'lost') {
      await replace();
      if (closed || signal?.aborted) throw stopped();
      return nothingPassed(calls, outcome.reason);
    }
    const ran = ranSchema.safeParse(JSON.parse(outcome.json));
    if (!ran.success || ran.data.changed) await replace();
    if (!ran.success) return nothingPassed(calls, 'the code interfered with the process that ran it');
    if ('refused' in ran.data) return nothingPassed(calls, describe(ran.data.refused));
    const { results } = ran.data;
    return report(calls.map((call, at) => judge(call, expected[at] ?? null, results[at])));
  };

  const encode = async (python: PythonChild, calls: readonly ExpectedCall[]): Promise<(PythonValue | null)[]> => {
    const literals = calls.map((call) => ('returns' in call ? call.returns : 'None'));
    const outcome = await python.ask({ type: 'encode', literals }, ENCODE_LIMIT_MS);
    if (outcome.type === 'lost') {
      await replace();
      throw new TurnwiseError(
        'environment',
        'sandbox_failed',
        `The Python sandbox ended (${outcome.reason}); try again.`,
      );
    }
    const { values } = encodedSchema.parse(JSON.parse(outcome.json));
    const bad = values.findIndex((value) => value !== null && typeof value === 'object' && 'other' in value);
    if (bad < 0) return values;
    throw new TurnwiseError(
      'input',
      'malformed_literal',
      `The expected value ${literals[bad] ?? ''} of ${calls[bad]?.call ?? ''} is not a Python literal; correct the task.`,
    );
  };

  return {
    get pid() {
      return child?.pid;
    },
    warm: async () => {
      await living();
    },
    runCalls: (proposal) => {
      const result = queue.then(() => run(proposal));
      queue = result.catch(() => undefined);
      return result;
    },
    close: async () => {
      closed = true;
      await replace();
    },
  };
}

function judge(call: ExpectedCall, expected: PythonValue | null, found: Found | undefined): CallResult {
  if (found === undefined) return { call: call.call, ok: false, found: null, error: 'the call was not made' };
  if ('raises' in found) {
    const ok = 'raises' in call && found.raises.includes(call.raises);
    return { call: call.call, ok, found: null, error: describe(found) };
  }
  const ok = 'returns' in call && sameValue(expected, found.value);
  return { call: call.call, ok, found: found.text, error: null };
}

function nothingPassed(calls: readonly ExpectedCall[], error: string): CallReport {
  return report(calls.map(({ call }) => ({ call, ok: false, found: null, error })));
}

function report(results: readonly CallResult[]): CallReport {
  return { passed: results.filter(({ ok }) => ok).length, total: results.length, results };
}

/** An exception in Python's own words. */
function describe({ raises, message }: z.infer<typeof failureSchema>): string {
  const name = raises[0] ?? 'an exception';
  return message === '' ? name : `${name}: ${message}`;
}

function stopped(): TurnwiseError {
  return new TurnwiseError('usage', 'aborted', 'The run was stopped; start it again to go on.');
}
