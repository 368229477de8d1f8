import { InvalidArgumentError } from 'commander';

/** A whole number >= 0 from a command line. */
export function integer(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('Give a whole number, 0 or more.');
  return value;
}

/** A whole number >= 1 from a command line. */
export function positive(text: string): number {
  const value = integer(text);
  if (value < 1) throw new InvalidArgumentError('Give a whole number, 1 or more.');
  return value;
}
