import { readFile } from 'node:fs/promises';
import { AUTO_PLACEHOLDER, NO_CALIBRATION, resolvePlaceholder, type Calibration } from '../core/calibration.ts';
import { calibrationOfCard, cardMeasurementsSchema } from '../core/model-card.ts';
import { maskModeSchema, type ScoreOptions } from '../core/scored-episode.ts';
import { ENGINE_PROFILE } from '../core/settings.ts';
import type { Memo } from '../store/memo.ts';
import { bundledModel } from './engine-process.ts';
import { scorerName } from './scorer-name.ts';

/** The bundled model on the local engine, as the queue names it. */
export const BUNDLED_SCORER = scorerName({ kind: ENGINE_PROFILE, model: '' });

/** What the card beside the bundled model says was measured of it; nothing where there is no card that can be read. */
export async function bundledCalibration(model: string = bundledModel()): Promise<Calibration> {
  try {
    const card: unknown = JSON.parse(await readFile(model.replace(/(\.gguf)?$/i, '.json'), 'utf8'));
    return calibrationOfCard(cardMeasurementsSchema.parse(card));
  } catch {
    return NO_CALIBRATION;
  }
}

/**
 * What `auto` stands for with a scorer, before it is connected: what was last known of it (`rememberPlaceholder`), else what the
 * bundled model's card says where it is the bundled model, else the default.
 */
export function autoPlaceholder(
  memo: Pick<Memo, 'get'>,
  { scorer, maskMode, bundled }: { scorer: string; maskMode: ScoreOptions['mask_mode']; bundled: Calibration },
): string {
  const known = memo.get(memoKey(scorer, maskMode));
  if (known !== null) return known;
  const calibration = scorer === BUNDLED_SCORER ? bundled : NO_CALIBRATION;
  return resolvePlaceholder({ placeholder: AUTO_PLACEHOLDER, mask_mode: maskMode }, { calibration });
}

/**
 * Keeps what `auto` stands for with a scorer of which this was measured, by its card or by a check: options are needed before
 * anybody connects to it.
 */
export function rememberPlaceholder(
  memo: Pick<Memo, 'get' | 'set'>,
  scorer: string,
  calibration: Calibration | undefined,
): void {
  for (const mask_mode of maskModeSchema.options) {
    const placeholder = resolvePlaceholder({ placeholder: AUTO_PLACEHOLDER, mask_mode }, { calibration });
    const key = memoKey(scorer, mask_mode);
    if (memo.get(key) !== placeholder) memo.set(key, placeholder);
  }
}

function memoKey(scorer: string, maskMode: string): string {
  return `placeholder ${maskMode} ${scorer}`;
}
