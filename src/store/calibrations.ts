import type { DatabaseSync } from 'node:sqlite';
import type { ScorerIdentity } from '../core/backend.ts';
import { calibrationSchema, type Calibration } from '../core/calibration.ts';
import { sha256Text } from '../core/sha.ts';
import { intact } from './score-cache.ts';

/** What was measured of scorers. It took a scorer and its time to make, so it outlives the derived tables. */
export interface Calibrations {
  /** Null: this very scorer was not measured, or its row is damaged. */
  get(scorer: ScorerIdentity): Calibration | null;
  /** Replaces what was known of this scorer. */
  put(scorer: ScorerIdentity, calibration: Calibration): void;
}

/** The calibrations of an open database; `run` and `write` as for the score cache. */
export function calibrationsOf(
  db: DatabaseSync,
  {
    run,
    write,
    now,
  }: {
    readonly run: <T>(work: () => T) => T;
    readonly write: <T>(work: () => T) => T;
    readonly now: () => number;
  },
): Calibrations {
  return {
    get: (scorer) =>
      run(() => {
        // An older store that cannot be written has no such table.
        const table = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'calibration'").get();
        if (table === undefined) return null;
        const row = db.prepare('SELECT value, sha FROM calibration WHERE scorer = ?').get(nameOf(scorer));
        const parsed = calibrationSchema.safeParse(intact(row));
        return parsed.success ? parsed.data : null;
      }),
    put: (scorer, calibration) => {
      const text = JSON.stringify(calibration);
      write(() =>
        db
          .prepare('INSERT OR REPLACE INTO calibration (scorer, value, sha, created) VALUES (?, ?, ?, ?)')
          .run(nameOf(scorer), text, sha256Text(text), now()),
      );
    },
  };
}

/** A scorer by all that is known of it: another revision or version is another scorer. */
function nameOf({ id, revision, tokenizer_sha, template_sha, backend, version }: ScorerIdentity): string {
  return JSON.stringify([backend, id, revision, tokenizer_sha, template_sha, version]);
}
