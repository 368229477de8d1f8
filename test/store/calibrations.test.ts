import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import type { Calibration } from '../../src/core/calibration.ts';
import { openJournal } from '../../src/store/journal.ts';
import { letterFacts } from '../app/letter-backend.ts';
import { refused, temporaryStore } from './temporary-store.ts';

const { identity } = letterFacts;
const calibration: Calibration = {
  placebo: [{ estimator: 'k3', clip: null, placeholder: 'x', mask_mode: 'length_matched', n: 60, mean: 0.1, sd: 0.2 }],
  fitness: [],
};

/** A store that holds a measurement and a score, changed by `sql` behind the journal's back. */
function changed(sql: string): string {
  const path = temporaryStore();
  const journal = openJournal(path);
  journal.calibrations.put(identity, calibration);
  journal.putScore('k', [1]);
  journal.close();
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
  return path;
}

test('a measurement outlives the derived tables of an older store', () => {
  const journal = openJournal(changed('PRAGMA user_version = 2'));
  expect(journal.getScore('k')).toBeUndefined();
  expect(journal.calibrations.get(identity)).toEqual(calibration);
  journal.close();
});

test('a damaged measurement counts as none, and can be made again', () => {
  const journal = openJournal(changed(`UPDATE calibration SET value = replace(value, '0.1', '0.7')`));
  expect(journal.calibrations.get(identity)).toBeNull();
  journal.calibrations.put(identity, calibration);
  expect(journal.calibrations.get(identity)).toEqual(calibration);
  journal.close();
});

test('a store from before there were measurements, opened for reading alone, has none', () => {
  const journal = openJournal(changed('DROP TABLE calibration; PRAGMA user_version = 2'), { readOnly: true });
  expect(journal.calibrations.get(identity)).toBeNull();
  const put = (): void => {
    journal.calibrations.put(identity, calibration);
  };
  expect(refused(put)).toMatchObject({ reason: 'opened_read_only' });
  journal.close();
});
