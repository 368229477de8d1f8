import { z } from 'zod';

/** A Python value as the harness encodes it: its type, then its parts. `other` is a value that no literal can equal. */
export type PythonValue =
  | null
  | boolean
  | string
  | { readonly int: string }
  | { readonly float: string }
  | { readonly bytes: string }
  | { readonly list: readonly PythonValue[] }
  | { readonly tuple: readonly PythonValue[] }
  | { readonly set: readonly PythonValue[] }
  | { readonly frozenset: readonly PythonValue[] }
  | { readonly dict: readonly (readonly [PythonValue, PythonValue])[] }
  | { readonly other: string };

export const pythonValueSchema: z.ZodType<PythonValue> = z.lazy(() =>
  z.union([
    z.null(),
    z.boolean(),
    z.string(),
    z.strictObject({ int: z.string() }),
    z.strictObject({ float: z.string() }),
    z.strictObject({ bytes: z.string() }),
    z.strictObject({ list: z.array(pythonValueSchema) }),
    z.strictObject({ tuple: z.array(pythonValueSchema) }),
    z.strictObject({ set: z.array(pythonValueSchema) }),
    z.strictObject({ frozenset: z.array(pythonValueSchema) }),
    z.strictObject({ dict: z.array(z.tuple([pythonValueSchema, pythonValueSchema])) }),
    z.strictObject({ other: z.string() }),
  ]),
);

/** Relative difference up to which two floats are the same. */
const FLOAT_TOLERANCE = 1e-9;

/**
 * Whether two Python values are of the same type and equal, floats within a relative 1e-9 (nan equals nan), sequences in
 * order, sets and dictionaries in any order. 2 and 2.0 differ, and so do True and 1.
 */
export function sameValue(a: PythonValue, b: PythonValue): boolean {
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return a === b;
  if ('int' in a) return 'int' in b && a.int === b.int;
  if ('float' in a) return 'float' in b && sameFloat(floatOf(a.float), floatOf(b.float));
  if ('bytes' in a) return 'bytes' in b && a.bytes === b.bytes;
  if ('list' in a) return 'list' in b && sameItems(a.list, b.list);
  if ('tuple' in a) return 'tuple' in b && sameItems(a.tuple, b.tuple);
  if ('set' in a) return 'set' in b && sameMembers(a.set, b.set);
  if ('frozenset' in a) return 'frozenset' in b && sameMembers(a.frozenset, b.frozenset);
  if ('dict' in a) return 'dict' in b && sameEntries(a.dict, b.dict);
  return false;
}

function sameFloat(a: number, b: number): boolean {
  if (Object.is(a, b) || a === b) return true;
  return (
    Number.isFinite(a) && Number.isFinite(b) && Math.abs(a - b) <= FLOAT_TOLERANCE * Math.max(Math.abs(a), Math.abs(b))
  );
}

/** The number behind Python's repr of a float. */
function floatOf(text: string): number {
  if (text === 'inf') return Infinity;
  return text === '-inf' ? -Infinity : Number(text);
}

function sameItems(a: readonly PythonValue[], b: readonly PythonValue[]): boolean {
  return a.length === b.length && a.every((item, at) => sameValue(item, b[at] ?? null));
}

/** Members in any order; each is one text, so that a large set is compared in one pass. */
function sameMembers(a: readonly PythonValue[], b: readonly PythonValue[]): boolean {
  const left = a.map((item) => JSON.stringify(item)).sort();
  const right = b.map((item) => JSON.stringify(item)).sort();
  return left.length === right.length && left.every((item, at) => item === right[at]);
}

function sameEntries(
  a: readonly (readonly [PythonValue, PythonValue])[],
  b: readonly (readonly [PythonValue, PythonValue])[],
): boolean {
  const right = new Map(b.map(([key, value]) => [JSON.stringify(key), value]));
  return (
    a.length === b.length &&
    a.every(([key, value]) => {
      const other = right.get(JSON.stringify(key));
      return other !== undefined && sameValue(value, other);
    })
  );
}
