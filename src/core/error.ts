import { loggable } from './secrets/redactor.ts';

/** Whose fault an error is; decides the exit code, the words and whether a retry makes sense. */
export type Fault =
  | 'usage' // the person's call: wrong flag, wrong value
  | 'input' // a file or message the person gave is malformed
  | 'backend' // a model server is unreachable, refused, or failed
  | 'protocol' // a server answered something it must not
  | 'unsupported' // this server, model or platform cannot do what was asked
  | 'corrupt' // stored data is damaged
  | 'environment'; // disk full, no permission, missing binary

/** The extension is several bundles, each with a copy of this class: by this mark an error of one is known to the others. */
const MARK = Symbol.for('turnwise.error');

/**
 * The one error type of the product. `reason` is a stable snake_case word that code may match on; `message` is one clear
 * sentence for a person, and ends in what to do next. Never put secrets or message bodies in either; what looks like a secret (a server
 * may repeat one) is replaced here, where every message is born.
 */
export class TurnwiseError extends Error {
  override readonly name = 'TurnwiseError';
  readonly fault: Fault;
  readonly reason: string;

  static override [Symbol.hasInstance](value: unknown): value is TurnwiseError {
    return typeof value === 'object' && value !== null && MARK in value;
  }

  constructor(fault: Fault, reason: string, message: string, options?: ErrorOptions) {
    super(loggable(message, 'secrets'), options);
    this.fault = fault;
    this.reason = reason;
  }

  get [MARK](): true {
    return true;
  }
}

/** A malformed input file, named by file and line (1-based), so that the person finds it at once. */
export function inputError(reason: string, file: string, line: number, what: string): TurnwiseError {
  return new TurnwiseError('input', reason, `${file}:${line}: ${what}`);
}

/** Text of anything thrown, without its stack and without secrets. */
export function errorText(thrown: unknown): string {
  return loggable(thrown instanceof Error ? thrown.message : String(thrown), 'secrets');
}
