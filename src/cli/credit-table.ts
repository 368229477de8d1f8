import { BASELINES, baselineNames } from '../core/credit/baselines.ts';
import type { Ledger } from '../core/credit/ledger.ts';
import { aligned } from './table.ts';

/** Lines on a terminal, not a report: the file has all of them. */
const MAX_ROWS = 20;

/** A batch as a short table: per episode its outcome, what it was compared with, the gate, gains in nats and advantages. */
export function creditTable(ledgers: readonly Ledger[]): string[] {
  const [first] = ledgers;
  if (first === undefined) return ['no episode'];
  const turns = ledgers.flatMap((ledger) => ledger.turns);
  const gains = turns.filter(({ gain }) => gain !== null).length;
  const { preset, beta, gate_temperature } = first.options;
  const left = ledgers.length - MAX_ROWS;
  return [
    `${gains} of ${turns.length} turns in ${ledgers.length} episodes have a gain`,
    `preset ${preset}: beta ${beta}, T ${gate_temperature}; cap ${first.scale.toFixed(3)}; batch ${first.batch_id.slice(0, 12)}`,
    '',
    ...aligned([HEAD, ...ledgers.slice(0, MAX_ROWS).map(cells)]),
    ...(left > 0 ? [`and ${left} more`] : []),
  ];
}

const HEAD = ['episode', 'R', 'z', 'against', 'gate', 'information against', 'gains', 'advantages'];

function cells(ledger: Ledger): string[] {
  const { episode_id, outcome, z, outcome_level, gate, turns } = ledger;
  return [
    episode_id,
    outcome === null ? '-' : String(Number(outcome.toFixed(3))),
    signed(z),
    outcome_level,
    gate.toFixed(3),
    informationAgainst(ledger),
    turns.map(({ gain }) => signed(gain)).join(' '),
    turns.map(({ advantage }) => signed(advantage)).join(' '),
  ];
}

function informationAgainst({ info_level, info_n, options }: Ledger): string {
  if (info_level === null) return 'turns of the same index';
  if (options.norm === 'none') return 'nothing (gains as they are)';
  if (info_level === 'none') return 'needs more conversations';
  return info_n === null ? info_level : `${info_level} of ${info_n}`;
}

function signed(value: number | null): string {
  if (value === null) return '-';
  return `${value < 0 ? '' : '+'}${value.toFixed(3)}`;
}

/** What other methods give the same turns, a line a turn; a baseline that has no number anywhere is named once instead. */
export function baselineTable(ledgers: readonly Ledger[]): string[] {
  const all = ledgers.flatMap(({ turns }) => turns);
  const [shown, empty] = [true, false].map((known) =>
    baselineNames.filter((name) => all.some(({ baselines }) => baselines[name] !== null) === known),
  );
  const lines = ledgers
    .slice(0, MAX_ROWS)
    .flatMap(({ episode_id, turns }) =>
      turns.map(({ index, advantage, baselines }, t) => [
        t === 0 ? episode_id : '',
        String(index),
        signed(advantage),
        ...(shown ?? []).map((name) => signed(baselines[name])),
      ]),
    );
  const left = ledgers.length - MAX_ROWS;
  return [
    'baselines on the same turns',
    ...aligned([['episode', 'turn', 'advantage', ...(shown ?? [])], ...lines]),
    ...(left > 0 ? [`and ${left} more episodes`] : []),
    ...(empty ?? []).map((name) => `${name}: no number (${BASELINES[name].equation})`),
  ];
}
