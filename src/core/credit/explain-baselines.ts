import { rescaling, type RescaledBaseline } from './baselines.ts';
import type { Ledger } from './ledger.ts';

/** The arithmetic behind the baselines' columns, as `explainLedger` writes it; `expm1(x)` is exp(x) - 1. */
export function explainBaselines(ledger: Ledger): string[] {
  if (ledger.turns.length === 0) return [];
  return [
    'Baselines on the same turns:',
    ...explainGrpo(ledger),
    ...explainIntrinsic(ledger),
    ...(['equalized', 'r2g', 'em'] as const).flatMap((method) => explainRescaled(ledger, method)),
    ...explainIgpo(ledger),
  ];
}

function explainGrpo({ z, turns }: Ledger): string[] {
  if (z === null) return ['grpo is null: z is.'];
  return turns.map(({ index, baselines }) => `grpo[${index}] = z = ${z} = ${baselines.grpo ?? NaN}`);
}

function explainIntrinsic({ scale, turns }: Ledger): string[] {
  return turns.map(({ index, a_int, baselines: { intrinsic_only } }) =>
    intrinsic_only === null
      ? `intrinsic_only[${index}] is null: a_int is.`
      : `intrinsic_only[${index}] = s * a_int = ${scale} * ${a_int ?? NaN} = ${intrinsic_only}`,
  );
}

function explainRescaled(ledger: Ledger, method: RescaledBaseline): string[] {
  const { z, turns } = ledger;
  const behind = rescaling(ledger, method);
  if (z === null) return [`${method} is null: z is.`];
  if (behind === null) return [`${method} is null: the reward of a turn is unknown.`];
  const { rewards, credits, tokens, sum } = behind;
  return turns.flatMap(({ index, baselines }, t) => {
    const [reward, credit, value] = [rewards[t] ?? 0, credits[t] ?? 0, baselines[method]];
    const later = credits[t + 1] ?? 0;
    const share = {
      equalized: `c_${method}[${index}] = ${credit}`,
      r2g: `c_${method}[${index}] = r + 0.8 * c = ${reward} + 0.8 * ${later} = ${credit}`,
      em: `c_${method}[${index}] = 0.5 + 0.5 * expm1(-2 * r) / expm1(-2) = 0.5 + 0.5 * expm1(-2 * ${reward}) / expm1(-2) = ${credit}`,
    }[method];
    if (value === null) return [share, `${method}[${index}] is null: the credits cancel out.`];
    if (credits.every((other) => other === 0)) return [share, `${method}[${index}] = ${value}`];
    return [share, `${method}[${index}] = c * z * tokens / sum = ${credit} * ${z} * ${tokens} / ${sum} = ${value}`];
  });
}

function explainIgpo({ turns }: Ledger): string[] {
  return turns.map(({ index, reference, baselines: { igpo } }) =>
    reference == null || igpo === null
      ? `igpo[${index}] is null: there is no reference solution.`
      : `igpo[${index}] = exp(after) - exp(before) = exp(${reference.after}) - exp(${reference.before}) = ${igpo}`,
  );
}
