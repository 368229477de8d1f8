import type { EpisodeDigest, ScoreDigest } from './episode-digest.ts';
import type { Ledger } from './credit/ledger.ts';
import { grouped } from './grouped.ts';
import type { MarkId } from './marks/mark.ts';

/** One turn of an episode beside those of its siblings; gains in nats, null where unknown. */
export interface GroupTurn {
  readonly index: number;
  readonly kind: 'question' | 'answer' | 'tool_call';
  /** Taken over from the conversation that it branched off: shown once, there. */
  readonly inherited: boolean;
  readonly total: number | null;
  readonly mean: number | null;
  readonly advantage: number | null;
  readonly marks: readonly MarkId[];
}

/** One episode of a group. */
export interface GroupEpisode {
  readonly id: string;
  readonly title: string | null;
  readonly outcome: number | null;
  readonly gain: number | null;
  readonly z: number | null;
  /** Where it left another episode of the group: from turn `at` on its turns are its own. Null: a root, or its parent is not here. */
  readonly fork: { readonly parent: string; readonly at: number } | null;
  /** How far it stands to the right, so that its first own turn is beside the turn it forked at: turns, 0 for a root. */
  readonly offset: number;
  /** Generations from the root: 0 for a root. */
  readonly depth: number;
  readonly turns: readonly GroupTurn[];
}

/** Episodes of one task side by side. */
export interface GroupComparison {
  readonly groupId: string;
  /** Known outcomes, their mean and ddof-1 sd; sd null with fewer than two, mean with none. */
  readonly n: number;
  readonly mean: number | null;
  readonly sd: number | null;
  /** S5 as the ledger has it; null where no episode has credit. */
  readonly gate: number | null;
  /** Roots oldest first, each followed by its branches in the order of where they forked. */
  readonly episodes: readonly GroupEpisode[];
}

/** An episode of a group with what is known of it. */
export interface GroupMember {
  readonly digest: EpisodeDigest;
  readonly score: ScoreDigest | null;
  readonly ledger: Ledger | null;
}

/** Puts the episodes of one group side by side, branches at their fork; pure. The statistics are of all known outcomes (spec S3, S5). */
export function groupView(groupId: string, members: readonly GroupMember[]): GroupComparison {
  const outcomes = members.flatMap(({ digest }) => digest.outcome ?? []);
  const gates = members.flatMap(({ ledger }) => ledger?.gate ?? []);
  const byId = new Map(members.map((member) => [member.digest.id, member]));
  return {
    groupId,
    n: outcomes.length,
    mean: meanOf(outcomes),
    sd: sdOf(outcomes),
    gate: gates[0] ?? null,
    episodes: familyOrder(members, byId).map(({ member, depth }) => episodeOf(member, depth, byId)),
  };
}

function episodeOf(
  { digest, score, ledger }: GroupMember,
  depth: number,
  byId: ReadonlyMap<string, GroupMember>,
): GroupEpisode {
  const { id, title, outcome, parent } = digest;
  const known = score?.gains.flatMap(({ total }) => total ?? []) ?? [];
  const inherited = digest.turns.filter((turn) => turn.inherited).length;
  return {
    id,
    title,
    outcome,
    gain: known.length === 0 ? null : known.reduce((sum, total) => sum + total, 0),
    z: ledger?.z ?? null,
    fork: parent === null || !byId.has(parent.episode_id) ? null : { parent: parent.episode_id, at: parent.turn },
    offset: inherited,
    depth,
    turns: digest.turns.map((turn, index): GroupTurn => ({
      index,
      kind: turn.kind,
      inherited: turn.inherited,
      total: score?.gains[index]?.total ?? null,
      mean: score?.gains[index]?.mean ?? null,
      advantage: ledger?.turns.find((own) => own.index === index)?.advantage ?? null,
      marks: score?.marks.find((own) => own.turn === index)?.ids ?? [],
    })),
  };
}

/** Roots oldest first, branches behind their parent; a parent that is not here makes its branch a root, and a circle none. */
function familyOrder(
  members: readonly GroupMember[],
  byId: ReadonlyMap<string, GroupMember>,
): { readonly member: GroupMember; readonly depth: number }[] {
  const parentOf = ({ digest }: GroupMember): string | null =>
    digest.parent !== null && digest.parent.episode_id !== digest.id && byId.has(digest.parent.episode_id)
      ? digest.parent.episode_id
      : null;
  const children = grouped(members, (member) => parentOf(member) ?? '');
  const seen = new Set<string>();
  const walk = (some: readonly GroupMember[], depth: number): { member: GroupMember; depth: number }[] =>
    [...some].sort(inTime).flatMap((member) => {
      if (seen.has(member.digest.id)) return [];
      seen.add(member.digest.id);
      return [{ member, depth }, ...walk(children.get(member.digest.id) ?? [], depth + 1)];
    });
  const rooted = walk(children.get('') ?? [], 0);
  return [...rooted, ...walk(members, 0)];
}

function inTime({ digest: a }: GroupMember, { digest: b }: GroupMember): number {
  const at = (a.parent?.turn ?? -1) - (b.parent?.turn ?? -1);
  return at === 0 ? a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1) : at;
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function sdOf(values: readonly number[]): number | null {
  const mean = meanOf(values);
  if (mean === null || values.length < 2) return null;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
