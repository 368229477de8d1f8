import type { ScorerIdentity } from '../core/backend.ts';
import { calibrationFileSchema, type Calibration } from '../core/calibration.ts';
import { errorText, TurnwiseError } from '../core/error.ts';
import { readText } from './files.ts';

/**
 * What `turnwise doctor --out` wrote, for the scorer that it was measured of: asked for another, it throws `usage`/`other_scorer`,
 * since figures of one scorer mean nothing for the next. Throws `invalid_calibration` for a file of another kind.
 */
export async function readCalibration(file: string): Promise<{ get(scorer: ScorerIdentity): Calibration }> {
  const { scorer: measured, placebo, fitness } = parse(file, await readText(file));
  return {
    get: (scorer) => {
      const other = NAMES.find(([key]) => measured[key] !== scorer[key]);
      if (other === undefined) return { placebo, fitness };
      const [key, words] = other;
      throw new TurnwiseError(
        'usage',
        'other_scorer',
        `${file} was measured of ${measured.id} on ${measured.backend}, and this scorer has another ${words} (${scorer[key] ?? 'unknown'}); measure this one with turnwise doctor --out.`,
      );
    },
  };
}

const NAMES = [
  ['id', 'name'],
  ['backend', 'kind of server'],
  ['revision', 'revision'],
  ['tokenizer_sha', 'tokenizer'],
  ['template_sha', 'chat template'],
  ['version', 'version'],
] as const satisfies readonly (readonly [keyof ScorerIdentity, string])[];

function parse(file: string, text: string): ReturnType<typeof calibrationFileSchema.parse> {
  try {
    return calibrationFileSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new TurnwiseError(
      'input',
      'invalid_calibration',
      `${file} holds no calibration (${errorText(cause).split('\n', 1)[0] ?? ''}); give what turnwise doctor --out wrote.`,
      { cause },
    );
  }
}
