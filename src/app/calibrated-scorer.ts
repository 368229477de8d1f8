import type { Backend, ScorerIdentity } from '../core/backend.ts';
import { mergeCalibrations, NO_CALIBRATION, type Calibration } from '../core/calibration.ts';

/** A scorer whose facts say what was measured of it besides what its card says; the card's own figures stay. */
export function calibratedScorer(
  backend: Backend,
  measured: { get(scorer: ScorerIdentity): Calibration | null },
): Backend {
  return {
    name: backend.name,
    facts: async (signal) => {
      const facts = await backend.facts(signal);
      const known = measured.get(facts.identity);
      if (known === null) return facts;
      return { ...facts, calibration: mergeCalibrations(facts.calibration ?? NO_CALIBRATION, known) };
    },
    tokenize: (texts, signal) => backend.tokenize(texts, signal),
    detokenize: (ids, signal) => backend.detokenize(ids, signal),
    score: (sequences, request) => backend.score(sequences, request),
    close: () => backend.close(),
  };
}
