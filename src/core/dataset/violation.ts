/** One broken invariant of a dataset, so precise that a person finds the value. */
export interface Violation {
  /** Path inside the dataset's folder. */
  readonly file: string;
  /** 0-based row of the file; null where the whole file is meant. */
  readonly row: number | null;
  /** Dotted path, `turns.2.fused_adv`. */
  readonly column: string;
  readonly expected: unknown;
  readonly found: unknown;
  /** The rule in a few words. */
  readonly invariant: string;
}

/** A violation as the check of one row knows it. */
export type Breach = Omit<Violation, 'file' | 'row'>;

/** Breaches of one row, collected rule by rule. */
export interface Findings {
  readonly breaches: Breach[];
  /** Reports `column` unless `ok`. */
  readonly check: (ok: boolean, column: string, expected: unknown, found: unknown, invariant: string) => void;
  /** Reports `column` unless both are the same value, or numbers within `tolerance` (relative above 1). */
  readonly same: (column: string, expected: unknown, found: unknown, invariant: string, tolerance?: number) => void;
}

export function newFindings(): Findings {
  const breaches: Breach[] = [];
  const check: Findings['check'] = (ok, column, expected, found, invariant) => {
    if (!ok) breaches.push({ column, expected, found, invariant });
  };
  return {
    breaches,
    check,
    same: (column, expected, found, invariant, tolerance = 0) => {
      check(closeEnough(expected, found, tolerance), column, expected, found, invariant);
    },
  };
}

/** The first place where two JSON values differ, depth first; null where they are equal. */
export function firstDifference(
  expected: unknown,
  found: unknown,
  path = '',
): { readonly path: string; readonly expected: unknown; readonly found: unknown } | null {
  if (expected === found) return null;
  const here = { path, expected, found };
  if (typeof expected !== 'object' || typeof found !== 'object' || expected === null || found === null) return here;
  if (Array.isArray(expected) !== Array.isArray(found)) return here;
  const keys = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
  for (const key of keys) {
    const inner = firstDifference(
      Reflect.get(expected, key),
      Reflect.get(found, key),
      path === '' ? key : `${path}.${key}`,
    );
    if (inner !== null) return inner;
  }
  return null;
}

function closeEnough(expected: unknown, found: unknown, tolerance: number): boolean {
  if (expected === found) return true;
  if (typeof expected !== 'number' || typeof found !== 'number') return false;
  return Math.abs(expected - found) <= tolerance * Math.max(1, Math.abs(expected));
}
