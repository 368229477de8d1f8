import type { ScoreSequence } from '../backend.ts';

/** An edge of a compressed trie: ids that every sequence through it shares. */
export interface TrieNode {
  readonly ids: readonly number[];
  readonly children: readonly TrieNode[];
  /** Indices of the sequences that pass through the whole edge, in the order given. */
  readonly through: readonly number[];
}

/** A next token that somebody asks for, and who: its log-prob belongs at `position` of each of these sequences. */
export interface Want {
  readonly token: number;
  readonly position: number;
  readonly sequences: readonly number[];
}

/** One unbroken stretch of evaluation: `ids` are appended at depth `start`, after everything behind it is rolled back. */
export interface Run {
  readonly start: number;
  readonly ids: readonly number[];
  /** Per id: the next tokens to read off behind it; mostly none or one, several at a fork. */
  readonly wants: readonly (readonly Want[])[];
}

/**
 * Causal limit of a plan, in tokens: nodes of the trie of its sequences, each without its last token, whose own
 * continuation nobody asks for. No exact scorer can evaluate fewer.
 */
export function causalLimit(sequences: readonly ScoreSequence[]): number {
  return sizeOf(buildTrie(sequences));
}

/**
 * The order in which an exact scorer runs a plan: depth first, every node of the trie once, so that the lengths of the runs
 * add up to the causal limit. At a fork the subtree with fewer sequences goes first, and at a tie the one given later: what
 * stays in the KV cache at the end is the path that most sequences share, down to the one given first (a factual history,
 * which the next turn extends).
 */
export function walkTrie(sequences: readonly ScoreSequence[]): Run[] {
  const runs: Run[] = [];
  let open: { start: number; ids: number[]; wants: Want[][] } | null = null;
  const visit = (node: TrieNode, start: number): void => {
    open ??= { start, ids: [], wants: [] };
    node.ids.forEach((id, offset) => {
      open?.ids.push(id);
      open?.wants.push(wantsAt(sequences, node.through, start + offset + 1));
    });
    for (const child of [...node.children].sort(leanFirst)) visit(child, start + node.ids.length);
    if (node.children.length > 0) return;
    if (open.ids.length > 0) runs.push(open);
    open = null;
  };
  visit(buildTrie(sequences), 0);
  return runs;
}

/** Compressed trie of sequences, each without its last token; the root is an empty edge. */
export function buildTrie(sequences: readonly ScoreSequence[]): TrieNode {
  const root: Edge = { ids: [], children: [], through: sequences.map((_, index) => index) };
  sequences.forEach(({ ids }, index) => {
    insert(root, ids.slice(0, -1), index);
  });
  return root;
}

/** Tokens in a trie. */
export function sizeOf(node: TrieNode): number {
  return node.children.reduce((sum, child) => sum + sizeOf(child), node.ids.length);
}

interface Edge extends TrieNode {
  readonly ids: number[];
  readonly children: Edge[];
  readonly through: number[];
}

function insert(root: Edge, ids: readonly number[], index: number): void {
  let node = root;
  let at = 0;
  while (at < ids.length) {
    const child = node.children.find((candidate) => candidate.ids[0] === ids[at]);
    if (!child) {
      node.children.push({ ids: ids.slice(at), children: [], through: [index] });
      return;
    }
    let shared = 1;
    while (shared < child.ids.length && at + shared < ids.length && child.ids[shared] === ids[at + shared]) shared += 1;
    if (shared < child.ids.length) split(child, shared);
    child.through.push(index);
    node = child;
    at += shared;
  }
}

/** Cuts an edge in two: its first `length` ids stay, the rest becomes its only child. */
function split(node: Edge, length: number): void {
  const rest: Edge = { ids: node.ids.splice(length), children: [...node.children], through: [...node.through] };
  node.children.splice(0, node.children.length, rest);
}

function leanFirst(a: TrieNode, b: TrieNode): number {
  return a.through.length - b.through.length || (b.through[0] ?? 0) - (a.through[0] ?? 0);
}

/** Who of `through` asks for the log-prob at `position`, grouped by token. */
function wantsAt(sequences: readonly ScoreSequence[], through: readonly number[], position: number): Want[] {
  const byToken = new Map<number, number[]>();
  for (const index of through) {
    const sequence = sequences[index];
    const token = sequence?.ids[position];
    if (!sequence || token === undefined || position < sequence.from || position >= sequence.to) continue;
    const asking = byToken.get(token);
    if (asking) asking.push(index);
    else byToken.set(token, [index]);
  }
  return [...byToken].map(([token, asking]) => ({ token, position, sequences: asking }));
}
