import * as vscode from 'vscode';
import { branchesOf, type Branch, type Branches } from '../core/branches.ts';
import type { EpisodeFacts } from '../store/list-episodes.ts';
import { nameOfEpisode } from './history.ts';

/** The list of conversations as a tree: every branch under the conversation that its whole family comes from. */
export class BranchRows {
  readonly #branches: Branches;
  readonly #facts: ReadonlyMap<string, EpisodeFacts>;

  constructor(episodes: readonly EpisodeFacts[], branches: readonly Branch[]) {
    this.#branches = branchesOf(branches);
    this.#facts = new Map(episodes.map((facts) => [facts.id, facts]));
  }

  /** What stands by itself; a branch whose root is gone does. */
  get roots(): EpisodeFacts[] {
    return [...this.#facts.values()].filter(({ id }) => this.#rootOf(id) === id);
  }

  /** The branches that stand under this row, the oldest first, those of branches too. */
  under(episode: string): EpisodeFacts[] {
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
  nameOf(facts: EpisodeFacts): string {
    const branch = this.#branches.of(facts.id);
    if (branch === null || facts.title !== null || this.#rootOf(facts.id) === facts.id) return nameOfEpisode(facts);
    switch (branch.point.at) {
      case 'request':
        return nameOfEpisode(facts);
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
