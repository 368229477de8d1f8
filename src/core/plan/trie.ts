import type { ScoreSequence } from '../backend.ts';

/** An edge of a compressed trie: ids that every sequence through it shares, from depth `start` on. */
export interface TrieNode {
  /** Tokens before this edge. */
  readonly start: number;
  readonly ids: number[];
  readonly children: TrieNode[];
}

/**
 * Causal limit of a plan, in tokens: nodes of the trie of its sequences, each without its last token, whose own
 * continuation nobody asks for. No exact scorer can evaluate fewer.
 */
export function causalLimit(sequences: readonly ScoreSequence[]): number {
  return sizeOf(buildTrie(sequences.map(({ ids }) => ids.slice(0, -1))));
}

/** Compressed trie of token sequences; the root is an empty edge. */
export function buildTrie(sequences: readonly (readonly number[])[]): TrieNode {
  const root: TrieNode = { start: 0, ids: [], children: [] };
  for (const ids of sequences) insert(root, ids);
  return root;
}

/** Tokens in a trie. */
export function sizeOf(node: TrieNode): number {
  return node.children.reduce((sum, child) => sum + sizeOf(child), node.ids.length);
}

function insert(root: TrieNode, ids: readonly number[]): void {
  let node = root;
  let at = 0;
  while (at < ids.length) {
    const child = node.children.find((candidate) => candidate.ids[0] === ids[at]);
    if (!child) {
      node.children.push({ start: at, ids: ids.slice(at), children: [] });
      return;
    }
    let shared = 1;
    while (shared < child.ids.length && at + shared < ids.length && child.ids[shared] === ids[at + shared]) shared += 1;
    if (shared < child.ids.length) split(child, shared);
    node = child;
    at += shared;
  }
}

/** Cuts an edge in two: its first `length` ids stay, the rest becomes its only child. */
function split(node: TrieNode, length: number): void {
  const rest: TrieNode = { start: node.start + length, ids: node.ids.splice(length), children: [...node.children] };
  node.children.splice(0, node.children.length, rest);
}
