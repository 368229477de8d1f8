import { loggable } from '../core/secrets/redactor.ts';

/** A line of the engine's log, which is its stderr, without secrets. Requests and answers never stand in it. */
export function logLine(line: string): void {
  process.stderr.write(`turnwise engine: ${loggable(line, 'all')}\n`);
}
