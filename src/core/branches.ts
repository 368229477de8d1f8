import type { ForkPoint } from './fork.ts';

/** A branch as its first event tells it; an episode that is none is not listed. */
export interface Branch {
  readonly id: string;
  readonly parent: string;
  readonly point: ForkPoint;
}

/** The versions of one place of a conversation: which of them is shown (1-based), and where its neighbours are to be seen. */
export interface Versions {
  readonly shown: number;
  readonly count: number;
  /** Episode that shows the version before; null: this is the first. */
  readonly previous: string | null;
  readonly next: string | null;
}

/**
 * How the episodes of a store branch off each other. An episode and its branches are one tree: what a branch inherits is its
 * parent's (the _owner_ of that place), and the versions of a place are all episodes that say something of their own there
 * after the very same words.
 */
export interface Branches {
  /** The versions of a place as seen from an episode; null where there is only one. */
  readonly versions: (episode: string, point: ForkPoint) => Versions | null;
  /** The episode whose own words are at this place of an episode: itself, or one that it inherits them from. */
  readonly owner: (episode: string, point: ForkPoint) => string;
  /** The branch that an episode is; null: it is none, or its parent is unknown. */
  readonly of: (episode: string) => Branch | null;
  /** What branches off an episode directly, the oldest first. */
  readonly from: (episode: string) => readonly Branch[];
  /** The episode that it and all its relatives come from. */
  readonly root: (episode: string) => string;
}

/** Reads a store's branches, the oldest first. One whose parent is not older is taken for a root, so that nothing goes in circles. */
export function branchesOf(listed: readonly Branch[]): Branches {
  const known = new Map<string, Branch>();
  const children = new Map<string, Branch[]>();
  const age = new Map(listed.map(({ id }, at) => [id, at]));
  for (const [at, branch] of listed.entries()) {
    if (branch.parent === branch.id || (age.get(branch.parent) ?? -1) >= at) continue;
    known.set(branch.id, branch);
    children.set(branch.parent, [...(children.get(branch.parent) ?? []), branch]);
  }

  function ownerAt(episode: string, at: number): string {
    let owner = episode;
    for (let branch = known.get(owner); branch && at < place(branch.point); branch = known.get(owner)) {
      owner = branch.parent;
    }
    return owner;
  }

  /** The version that was there before the others: every branch at this place was made beside it. */
  function original(owner: string, at: number): string {
    let first = owner;
    for (let branch = known.get(first); branch && place(branch.point) === at; branch = known.get(first)) {
      first = ownerAt(branch.parent, at);
    }
    return first;
  }

  function root(episode: string): string {
    let first = episode;
    for (let branch = known.get(first); branch; branch = known.get(first)) first = branch.parent;
    return first;
  }

  /** An episode with everything that branches off it, the oldest first. */
  function withBranches(episode: string): string[] {
    const all = [episode];
    for (const id of all) all.push(...(children.get(id) ?? []).map((branch) => branch.id));
    return all.sort((a, b) => (age.get(a) ?? -1) - (age.get(b) ?? -1));
  }

  const families = new Map<string, { readonly family: readonly string[]; readonly places: ReadonlySet<number> }>();
  function familyOf(episode: string): { readonly family: readonly string[]; readonly places: ReadonlySet<number> } {
    const first = root(episode);
    const found = families.get(first);
    if (found) return found;
    const family = withBranches(first);
    const made = { family, places: new Set(family.flatMap((id) => placeOf(known.get(id)) ?? [])) };
    families.set(first, made);
    return made;
  }

  return {
    versions: (episode, point) => {
      const at = place(point);
      const { family, places } = familyOf(episode);
      if (!places.has(at)) return null;
      const owner = ownerAt(episode, at);
      const first = original(owner, at);
      const versions = family.filter(
        (id) => id === first || (placeOf(known.get(id)) === at && original(id, at) === first),
      );
      if (versions.length < 2) return null;
      const shown = versions.indexOf(owner);
      // A version is shown where the talk after it went on last.
      const newest = (version: string | undefined): string | null =>
        family.findLast((id) => ownerAt(id, at) === version) ?? null;
      return {
        shown: shown + 1,
        count: versions.length,
        previous: newest(versions[shown - 1]),
        next: newest(versions[shown + 1]),
      };
    },
    owner: (episode, point) => ownerAt(episode, place(point)),
    of: (episode) => known.get(episode) ?? null,
    from: (episode) => children.get(episode) ?? [],
    root,
  };
}

function placeOf(branch: Branch | undefined): number | null {
  return branch === undefined ? null : place(branch.point);
}

/** Places in the order of a conversation: the request, then action and reply of each turn. */
function place(point: ForkPoint): number {
  switch (point.at) {
    case 'request':
      return 0;
    case 'action':
      return 2 * point.turn + 1;
    case 'reply':
      return 2 * point.turn + 2;
    default:
      return point satisfies never;
  }
}
