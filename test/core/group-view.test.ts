import { expect, test } from 'vitest';
import { creditBatch } from '../../src/core/credit/credit.ts';
import { resolveCreditOptions } from '../../src/core/credit/options.ts';
import type { EpisodeDigest } from '../../src/core/episode-digest.ts';
import { groupView, type GroupMember } from '../../src/core/group-view.ts';

function member(
  id: string,
  outcome: number | null,
  totals: readonly (number | null)[],
  more: Partial<EpisodeDigest> = {},
  inherited = 0,
): GroupMember {
  const turns = totals.map((_, index) => ({
    kind: index === totals.length - 1 ? ('answer' as const) : ('question' as const),
    inherited: index < inherited,
    words: 2,
    thumb: null,
    label: null,
    excluded: false,
  }));
  const digest = {
    id,
    title: `task ${id}`,
    startedAt: 1,
    named: false,
    source: 'simulated',
    groupId: 'g',
    parent: null,
    models: ['m'],
    outcome,
    exportable: true,
    reviewed: false,
    changed: false,
    excluded: false,
    turns,
  };
  const gains = totals.map((total) => ({
    total,
    mean: total === null ? null : total / 4,
    unfit: false,
    reason: total === null ? ('no_next_action' as const) : null,
  }));
  return { digest: { ...digest, ...more }, score: { gains, marks: [{ turn: 0, ids: ['own_sake'] }] }, ledger: null };
}

function withLedgers(members: readonly GroupMember[]): GroupMember[] {
  const ledgers = creditBatch(
    members.map(({ digest, score }) => ({
      episode_id: digest.id,
      group_id: 'g',
      outcome: digest.outcome,
      turns: (score?.gains ?? []).map(({ mean }, index) => ({
        index,
        tokens: 3,
        gain: mean,
        null_reason: mean === null ? ('no_next_action' as const) : null,
        pooled: true,
      })),
    })),
    resolveCreditOptions({}, null),
  );
  return members.map((own, at) => ({ ...own, ledger: ledgers[at] ?? null }));
}

test('episodes of one task side by side: mean, sd and gate are the ledger’s', () => {
  const members = withLedgers([
    member('a', 1, [1.2, 0.1, null]),
    member('b', 0, [0.4, null]),
    member('c', 0.5, [null]),
  ]);
  const view = groupView('g', members);
  const [ledger] = members.flatMap((own) => own.ledger ?? []);
  expect(view).toMatchObject({ n: 3, mean: ledger?.group_mean, sd: ledger?.group_sd, gate: ledger?.gate });
  expect(view.episodes.map(({ id, gain }) => [id, gain])).toEqual([
    ['a', 1.3],
    ['b', 0.4],
    ['c', null],
  ]);
  const [first] = view.episodes;
  expect(first?.z).toBe(ledger?.z);
  expect(first?.turns.map(({ advantage }) => advantage)).toEqual(ledger?.turns.map(({ advantage }) => advantage));
  expect(first?.turns[0]).toMatchObject({ total: 1.2, mean: 0.3, marks: ['own_sake'], inherited: false });
});

test('branches stand behind their parent, beside the turn that they forked at', () => {
  const root = member('root', 0, [0.1, 0.2, 0.3, null], { startedAt: 5 });
  const late = member('late', 1, [null, null, 0.9, null], { parent: { episode_id: 'root', turn: 2 }, startedAt: 6 }, 2);
  const early = member('early', 1, [null, 0.9, null], { parent: { episode_id: 'root', turn: 1 }, startedAt: 9 }, 1);
  const deep = member('deep', 1, [null, null, null], { parent: { episode_id: 'early', turn: 2 }, startedAt: 10 }, 2);
  const other = member('other', null, [0.5, null], { startedAt: 1 });
  const { episodes } = groupView('g', [deep, late, early, root, other]);
  expect(episodes.map(({ id, depth, fork, offset }) => [id, depth, fork?.at ?? null, offset])).toEqual([
    ['other', 0, null, 0],
    ['root', 0, null, 0],
    ['early', 1, 1, 1],
    ['deep', 2, 2, 2],
    ['late', 1, 2, 2],
  ]);
  // What was inherited is said to be: it is the parent's, and has no number of its own here.
  expect(episodes.at(-1)?.turns.map(({ inherited }) => inherited)).toEqual([true, true, false, false]);
});

test('no known outcome, no statistics; a parent that is gone, and a circle, lose nobody', () => {
  const gone = member('gone', null, [0.1], { parent: { episode_id: 'nowhere', turn: 0 } });
  const a = member('a', null, [0.1], { parent: { episode_id: 'b', turn: 0 } });
  const b = member('b', null, [0.1], { parent: { episode_id: 'a', turn: 0 } });
  const self = member('self', null, [0.1], { parent: { episode_id: 'self', turn: 0 } });
  const view = groupView('g', [gone, a, b, self]);
  expect(view).toMatchObject({ n: 0, mean: null, sd: null, gate: null });
  expect(view.episodes.map(({ id }) => id).sort()).toEqual(['a', 'b', 'gone', 'self']);
  expect(groupView('g', [])).toEqual({ groupId: 'g', n: 0, mean: null, sd: null, gate: null, episodes: [] });
  expect(groupView('g', [member('one', 0.4, [0.1])])).toMatchObject({ n: 1, mean: 0.4, sd: null });
});
