import { EPSILON, momentsOf, type Sample } from './sample-statistics.ts';

/** What the cap needs of an episode: z of S3, and of each turn its loss tokens L_t and A_int of S4. */
export interface ScaledEpisode {
  readonly z: number | null;
  readonly turns: readonly { readonly tokens: number; readonly aInt: number | null }[];
}

/** The cap of a batch and the two standard deviations behind it. */
export interface Scale {
  readonly scale: number;
  readonly sdOut: number;
  readonly sdInt: number;
}

/**
 * Cap in (0, 1] that keeps information from outshouting outcomes (spec S6):
 * `s = min(1, max(sd(A_out) + 1e-6, 1) / (sd(A_int) + 1e-6))`. Both sds have ddof 1 and run over the batch's loss tokens: A_out
 * over those of episodes whose z is known, A_int over all, null as 0. The sd of fewer than two values is 0.
 */
export function informationScale(episodes: readonly ScaledEpisode[]): Scale {
  const out: Sample[] = [];
  const info: Sample[] = [];
  for (const { z, turns } of episodes) {
    for (const { tokens, aInt } of turns) {
      if (z !== null) out.push({ value: z, weight: tokens });
      info.push({ value: aInt ?? 0, weight: tokens });
    }
  }
  const sdOut = momentsOf(out).sd ?? 0;
  const sdInt = momentsOf(info).sd ?? 0;
  return { scale: Math.min(1, Math.max(sdOut + EPSILON, 1) / (sdInt + EPSILON)), sdOut, sdInt };
}
