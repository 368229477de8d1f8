/** Which prefixes a server holds, as sequences by namespace (a salt, a slot), reused in whole blocks. */
export interface PrefixCache {
  /** Tokens at the start of `ids` that need not be computed again; at most all but the last, since something must be run. */
  reusable(namespace: string, ids: readonly number[]): number;
  fill(namespace: string, ids: readonly number[]): void;
  /** Keeps one sequence and forgets the rest, as a server with a single slot does. */
  replace(namespace: string, ids: readonly number[]): void;
  flush(): void;
}

export function prefixCache(blockSize: number): PrefixCache {
  const held = new Map<string, (readonly number[])[]>();
  return {
    reusable(namespace, ids) {
      const longest = Math.max(0, ...(held.get(namespace) ?? []).map((other) => sharedLength(other, ids)));
      const most = Math.min(longest, ids.length - 1);
      return most - (most % blockSize);
    },
    fill(namespace, ids) {
      held.set(namespace, [...(held.get(namespace) ?? []), [...ids]]);
    },
    replace(namespace, ids) {
      held.set(namespace, [[...ids]]);
    },
    flush() {
      held.clear();
    },
  };
}

function sharedLength(a: readonly number[], b: readonly number[]): number {
  let shared = 0;
  while (shared < a.length && shared < b.length && a[shared] === b[shared]) shared += 1;
  return shared;
}
