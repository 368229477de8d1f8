import { loggable } from '../core/secrets/redactor.ts';

/** A line on stderr for a person, without secrets. Nothing else of the command line writes words there. */
export function tell(line: string): void {
  process.stderr.write(`${loggable(line, 'secrets')}\n`);
}
