import { beyondCard, mergeCalibrations, NO_CALIBRATION } from '../../core/calibration.ts';
import type { Journal } from '../../store/journal.ts';
import type { DoctorReport } from './doctor.ts';

/**
 * Keeps what was measured of a scorer in a store, over what was measured before of the same. What the model's card says itself
 * is left to the card. False: there was nothing to keep.
 */
export function keepCalibration({ calibrations }: Pick<Journal, 'calibrations'>, report: DoctorReport): boolean {
  const { scorer, facts, calibration } = report;
  if (scorer === null || facts === null) return false;
  const measured = beyondCard(calibration, facts);
  const { placebo, fitness, noise } = measured;
  if (placebo.length + fitness.length === 0 && noise === undefined) return false;
  calibrations.put(scorer, mergeCalibrations(measured, calibrations.get(scorer) ?? NO_CALIBRATION));
  return true;
}
