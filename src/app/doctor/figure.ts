import type { CheckId, CheckValue } from './check.ts';

/** What a check is called where a person reads it. */
export const CHECK_TITLES: Readonly<Record<CheckId, string>> = {
  connection: 'Connection',
  capabilities: 'Capabilities',
  template: 'Template and tokenizer',
  noise: 'A/A noise',
  logprob_mode: 'Raw or processed',
  decode: 'Decode against rescore',
  placebo: 'Placebo gains',
  fitness: 'Placeholder fitness',
  throughput: 'Throughput',
};

/** A figure as a person reads it: four digits that count, then its unit. Unknown is "unknown". */
export function figureText({ value, unit }: CheckValue): string {
  switch (typeof value) {
    case 'number':
      return `${shortened(value)}${unit === '' ? '' : ` ${unit}`}`;
    case 'boolean':
      return value ? 'yes' : 'no';
    case 'string':
      return value;
    default:
      return 'unknown';
  }
}

function shortened(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  if (size < 1e-3) return value.toExponential(1);
  return size >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
