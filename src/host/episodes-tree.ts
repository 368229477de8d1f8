import * as vscode from 'vscode';
import type { Review } from '../app/review.ts';
import { oneLine, signed, type TurnReview } from '../core/review.ts';
import { errorText } from '../core/error.ts';
import type { EpisodeFacts } from '../store/list-episodes.ts';
import { BranchRows } from './branch-rows.ts';

/** What a row of the tree stands for. */
export type TreeNode =
  | { readonly type: 'episode'; readonly id: string; readonly facts: EpisodeFacts }
  | { readonly type: 'turn'; readonly id: string; readonly episode: string; readonly turn: TurnReview }
  | {
      readonly type: 'fact';
      readonly id: string;
      readonly label: string;
      readonly detail: string;
      readonly icon: string;
    };

/** Episodes, their turns with the gain first, and under each turn its credit: what the journal and the ledger say, nothing else. */
export class EpisodesTree implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  readonly #review: Review;
  /** The conversation that the chat shows. */
  readonly #open: () => string | null;
  readonly #changed = new vscode.EventEmitter<TreeNode | undefined>();
  /** One object per row that was drawn: the editor finds a row again by it. */
  readonly #episodes = new Map<string, Extract<TreeNode, { type: 'episode' }>>();

  /** Which rows stand under which, as last drawn. */
  #families = new BranchRows([], []);

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(review: Review, open: () => string | null) {
    this.#review = review;
    this.#open = open;
  }

  /** Draws one episode again, or (null) everything. */
  refresh(episodeId: string | null = null): void {
    this.#review.refresh(episodeId);
    this.#changed.fire(episodeId === null ? undefined : this.#episodes.get(episodeId));
  }

  getChildren(node?: TreeNode): TreeNode[] {
    if (node === undefined) {
      this.#families = new BranchRows(this.#review.episodes(), this.#review.branches());
      return this.#families.roots.map((facts) => this.#remember(facts));
    }
    switch (node.type) {
      case 'episode':
        return [...this.#turnsOf(node.id), ...this.#families.under(node.id).map((facts) => this.#remember(facts))];
      case 'turn':
        return [...factsOf(node.episode, node.turn), ...this.#scorerOf(node.episode, node.turn)];
      case 'fact':
        return [];
      default:
        return node satisfies never;
    }
  }

  getTreeItem(node: TreeNode): vscode.TreeItem {
    switch (node.type) {
      case 'episode':
        return this.#episodeItem(node.facts);
      case 'turn':
        return turnItem(node);
      case 'fact':
        return factItem(node);
      default:
        return node satisfies never;
    }
  }

  dispose(): void {
    this.#changed.dispose();
  }

  #remember(facts: EpisodeFacts): TreeNode {
    const node = { type: 'episode', id: facts.id, facts } as const;
    this.#episodes.set(facts.id, node);
    return node;
  }

  #turnsOf(episode: string): TreeNode[] {
    const read = attempt(() => this.#review.episode(episode));
    if (typeof read === 'string') {
      return [
        { type: 'fact', id: `${episode}/damaged`, label: vscode.l10n.t('cannot be read'), detail: read, icon: 'error' },
      ];
    }
    if (read.turns.length === 0) {
      return [
        {
          type: 'fact',
          id: `${episode}/none`,
          label: vscode.l10n.t('no turn yet'),
          detail: '',
          icon: 'circle-outline',
        },
      ];
    }
    return read.turns.map((turn) => ({ type: 'turn', id: `${episode}/${turn.index}`, episode, turn }));
  }

  #scorerOf(episode: string, { index, gain }: TurnReview): TreeNode[] {
    const by = gain === null ? null : attempt(() => this.#review.scoredBy(episode));
    if (by === null || typeof by === 'string') return [];
    const id = `${episode}/${index}/scorer`;
    return [
      by.stale
        ? {
            type: 'fact',
            id,
            label: vscode.l10n.t('stale'),
            detail: vscode.l10n.t('scored by {name}; {why}', { name: by.name, why: otherNow() }),
            icon: 'history',
          }
        : { type: 'fact', id, label: vscode.l10n.t('scored by {name}', { name: by.name }), detail: '', icon: 'beaker' },
    ];
  }

  #episodeItem(facts: EpisodeFacts): vscode.TreeItem {
    const open = this.#open() === facts.id;
    const gain = attempt(() => this.#review.gainOf(facts.id));
    const title = this.#families.nameOf(facts);
    const unfolded = this.#families.holds(facts.id, this.#open());
    const item = new vscode.TreeItem(
      title,
      unfolded ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.Collapsed,
    );
    // The editor remembers by id what was folded, so the open one gets an id of its own.
    item.id = `${facts.id}${unfolded ? '/open' : ''}`;
    const by = attempt(() => this.#review.scoredBy(facts.id));
    const scoredBy = typeof gain !== 'number' || by === null || typeof by === 'string' ? null : by;
    const stale = scoredBy?.stale === true;
    item.description =
      typeof gain === 'number'
        ? stale
          ? vscode.l10n.t('{gain} nats, stale', { gain: signed(gain, 2) })
          : vscode.l10n.t('{gain} nats', { gain: signed(gain, 2) })
        : when(facts.startedAt);
    const branch =
      facts.parent === null
        ? ''
        : `\n${vscode.l10n.t('A branch: it goes on otherwise from an earlier turn of another conversation.')}`;
    item.tooltip = `${oneLine(facts.request ?? title, 400)}\n${new Date(facts.startedAt).toLocaleString()}${branch}${
      facts.source === 'real_developer' || facts.source === null ? '' : `\n${facts.source}`
    }${scoredBy === null ? '' : `\n${vscode.l10n.t('Scored by {name}', { name: scoredBy.name })}${stale ? `; ${otherNow()}` : ''}`}`;
    item.iconPath = new vscode.ThemeIcon(
      facts.parent !== null ? 'git-branch' : open ? 'comment-discussion' : 'comment',
    );
    item.contextValue = open ? 'episode.open' : 'episode';
    item.command = {
      command: 'turnwise.openEpisode',
      title: vscode.l10n.t('Open in Chat'),
      arguments: [{ type: 'episode', id: facts.id }],
    };
    return item;
  }
}

/** What makes scores stale. */
const otherNow = (): string => vscode.l10n.t('another scorer or other options are chosen now');

function turnItem({ id, episode, turn }: Extract<TreeNode, { type: 'turn' }>): vscode.TreeItem {
  const { index, said, reply, gain, mark, why } = turn;
  const label = gain === null ? (mark ?? '') : vscode.l10n.t('{gain} nats', { gain: signed(gain, 2) });
  const folded = factsOf(episode, turn).length === 0 ? 'None' : 'Expanded';
  const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState[folded]);
  // The editor remembers by id how a row was folded, so one that gets something to unfold is another row.
  item.id = `${id}/${folded}`;
  item.description = `${index + 1} · ${said}`;
  item.tooltip = [
    vscode.l10n.t('Turn {turn}: {said}', { turn: index + 1, said }),
    reply === null ? '' : vscode.l10n.t('Reply: {reply}', { reply }),
    why ?? '',
  ]
    .filter((line) => line !== '')
    .join('\n');
  item.iconPath = turnIcon(turn);
  item.contextValue = 'turn';
  item.accessibilityInformation = {
    label: vscode.l10n.t('Turn {turn}, {gain}, {said}', { turn: index + 1, gain: why ?? label, said }),
  };
  return item;
}

function turnIcon({ gain, pending, mark, kind }: TurnReview): vscode.ThemeIcon {
  // What only waits must not look busy: the queue may be paused.
  if (mark === 'queued') return new vscode.ThemeIcon('clock');
  if (pending) return new vscode.ThemeIcon('loading~spin');
  if (gain === null) return new vscode.ThemeIcon(kind === 'answer' ? 'code' : 'question');
  // By shape first: colour alone would not reach everybody.
  return gain < 0
    ? new vscode.ThemeIcon('arrow-down', new vscode.ThemeColor('charts.orange'))
    : new vscode.ThemeIcon('arrow-up', new vscode.ThemeColor('charts.blue'));
}

/** What stands under a turn: its credit, the mean behind the gain, and the reply that was masked. */
function factsOf(episode: string, { index, gain, mean, credit, reply, why, mark }: TurnReview): TreeNode[] {
  const fact = (name: string, label: string, detail: string, icon: string): TreeNode => ({
    type: 'fact',
    id: `${episode}/${index}/${name}`,
    label,
    detail,
    icon,
  });
  const { advantage, words, caution } = credit;
  const credited =
    advantage === null
      ? fact('advantage', words, vscode.l10n.t('advantage'), 'graph')
      : fact('advantage', vscode.l10n.t('advantage {value}', { value: signed(advantage, 3) }), words, 'graph');
  return [
    ...(gain === null ? [] : [credited]),
    ...(caution === null ? [] : [fact('caution', caution, '', 'warning')]),
    ...(mark === 'not scored' || mark === 'no gain' ? [fact('why', why ?? mark, '', 'info')] : []),
    ...(mean === null
      ? []
      : [
          fact(
            'mean',
            vscode.l10n.t('mean {value}', { value: signed(mean, 6) }),
            vscode.l10n.t('nats a token'),
            'symbol-ruler',
          ),
        ]),
    ...(reply === null ? [] : [fact('reply', reply, vscode.l10n.t('your reply'), 'reply')]),
  ];
}

function factItem({ id, label, detail, icon }: Extract<TreeNode, { type: 'fact' }>): vscode.TreeItem {
  const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState.None);
  item.id = id;
  item.description = detail;
  item.tooltip = `${label}\n${detail}`;
  item.iconPath = new vscode.ThemeIcon(icon);
  item.contextValue = 'fact';
  return item;
}

/** "14:05" today, else the date. */
function when(at: number): string {
  const date = new Date(at);
  const today = date.toDateString() === new Date().toDateString();
  return today ? date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }) : date.toLocaleDateString();
}

/** One episode that cannot be read must not hide the others. */
function attempt<T>(work: () => T): T | string {
  try {
    return work();
  } catch (thrown) {
    return errorText(thrown);
  }
}
