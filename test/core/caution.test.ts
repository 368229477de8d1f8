import { describe, expect, test } from 'vitest';
import { toldMuchYetFailed } from '../../src/core/caution.ts';
import { creditBatch } from '../../src/core/credit/credit.ts';
import { resolveCreditOptions, type Placebo } from '../../src/core/credit/options.ts';

/** Tokens of every next action. */
const NEXT = 5;

/** Turns of an episode with this outcome among one that passed and one that failed; which of them are marked. */
function marked(gains: readonly (number | null)[], outcome: number | null, placebo: Placebo | null = null): boolean[] {
  const member = (id: string, own: number | null, values: readonly (number | null)[]) => ({
    episode_id: id,
    group_id: id,
    outcome: own,
    turns: values.map((gain, index) => ({
      index,
      tokens: 3,
      gain,
      null_reason: gain === null ? ('no_next_action' as const) : null,
      pooled: true,
    })),
  });
  const batch = [member('a', outcome, gains), member('b', 1, [0.3]), member('c', 0, [0.1])];
  const ledger = creditBatch(batch, resolveCreditOptions({}, placebo)).find(({ episode_id }) => episode_id === 'a');
  if (ledger === undefined) return [];
  return ledger.turns.map((turn) => toldMuchYetFailed(ledger, turn, turn.gain === null ? null : NEXT * turn.gain));
}

describe('a reply that told much in an episode that failed is marked', () => {
  test.each<[string, (number | null)[], number | null, Placebo | null, boolean[]]>([
    ['it was followed and failed', [0.5, 0.01, null], 0, null, [true, false, false]],
    ['a bit is much: twice as likely', [0.139, 0.138], 0, null, [true, false]],
    ['nothing is known against it: it passed', [0.5, 0.01, null], 1, null, [false, false, false]],
    ['nobody knows how it ended', [0.5], null, null, [false]],
    ['the agent acted against it', [-0.5, 0], 0, null, [false, false]],
    ['no more than a placebo gains', [0.5, 0.25], 0, { mean: 0.3, sd: 0.2 }, [true, false]],
    ['placebo gains below 0 lower no bar', [0.5, -0.1], 0, { mean: -1, sd: 0.2 }, [true, false]],
    ['failed a little, and better than the others', [0.5], 0.9, null, [false]],
  ])('%s', (_, gains, outcome, placebo, expected) => {
    expect(marked(gains, outcome, placebo)).toEqual(expected);
  });
});
