import * as vscode from 'vscode';
import { branchesOf, type Branch, type Branches } from '../core/branches.ts';

/** What of a row decides where it stands and what it is called. */
interface Row {
  readonly id: string;
  readonly startedAt: number;
  /** Its name, else its request in one line; null before that. */
  readonly title: string | null;
  /** The developer named it. */
  readonly named: boolean;
}

/** The list of conversations as a tree: every branch under the conversation that its whole family comes from. */
export class BranchRows<T extends Row> {
  readonly #branches: Branches;
  readonly #facts: ReadonlyMap<string, T>;

  constructor(episodes: readonly T[], branches: readonly Branch[]) {
    this.#branches = branchesOf(branches);
    this.#facts = new Map(episodes.map((facts) => [facts.id, facts]));
  }

  /** What stands by itself; a branch whose root is gone does. */
  get roots(): T[] {
    return [...this.#facts.values()].filter(({ id }) => this.#rootOf(id) === id);
  }

  /** The branches that stand under this row, the oldest first, those of branches too. */
  under(episode: string): T[] {
    if (this.#rootOf(episode) !== episode) return [];
    return [...this.#facts.values()]
      .filter(({ id }) => id !== episode && this.#rootOf(id) === episode)
      .sort((a, b) => a.startedAt - b.startedAt);
  }

  /** Whether a conversation is this row's, or stands under it. */
  holds(row: string, episode: string | null): boolean {
    return episode !== null && (row === episode || this.#rootOf(episode) === row);
  }

  /** What a branch is called under its root: what is otherwise in it. */
  nameOf(facts: Row): string {
    const branch = this.#branches.of(facts.id);
    if (branch === null || facts.named || this.#rootOf(facts.id) === facts.id) return titleOf(facts);
    switch (branch.point.at) {
      case 'request':
        return titleOf(facts);
      case 'action':
        return vscode.l10n.t('Turn {turn}, asked again', { turn: branch.point.turn + 1 });
      case 'reply':
        return vscode.l10n.t('Another reply to turn {turn}', { turn: branch.point.turn + 1 });
      default:
        return branch.point satisfies never;
    }
  }

  #rootOf(episode: string): string {
    const root = this.#branches.root(episode);
    return this.#facts.has(root) ? root : episode;
  }
}

function titleOf({ title }: Row): string {
  return title ?? vscode.l10n.t('New conversation');
}
