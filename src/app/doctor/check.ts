/** How a check ended: `unknown` means that it could not be made, which its sentence explains. */
export type CheckState = 'ok' | 'warn' | 'fail' | 'unknown';

/** One figure of a check, with its unit; null where it could not be had. */
export interface CheckValue {
  readonly name: string;
  readonly value: number | string | boolean | null;
  /** `nats/token`, `tokens/s`, `turns`, ...; empty for a plain word or ratio. */
  readonly unit: string;
}

/** What was found out about one thing, and (unless all is well) what to change. */
export interface Check {
  readonly id: CheckId;
  readonly state: CheckState;
  readonly values: readonly CheckValue[];
  readonly sentence: string;
}

/** The checks in the order of a report. */
export const CHECK_IDS = [
  'connection',
  'capabilities',
  'template',
  'noise',
  'logprob_mode',
  'decode',
  'placebo',
  'fitness',
  'throughput',
] as const;
export type CheckId = (typeof CHECK_IDS)[number];

/** What `unknown` looks like. */
export function unknownCheck(id: CheckId, sentence: string): Check {
  return { id, state: 'unknown', values: [], sentence };
}

/** The largest of some figures; null of none. */
export function largest(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((most, value) => Math.max(most, value), -Infinity);
}

export function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation with ddof 1; null of fewer than two. */
export function spreadOf(values: readonly number[]): number | null {
  const mean = meanOf(values);
  if (mean === null || values.length < 2) return null;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
