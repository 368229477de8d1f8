import * as vscode from 'vscode';
import type { EpisodeIndex, EpisodeRow } from '../app/episode-index.ts';
import type { Review } from '../app/review.ts';
import { isFiltered } from '../core/episode-filter.ts';
import { oneLine, signed, type TurnReview } from '../core/review.ts';
import { errorText } from '../core/error.ts';
import { BranchRows } from './branch-rows.ts';
import { EpisodesView } from './episodes-view.ts';
import { labelWords, markWords, standingWords } from './review-words.ts';

/** What a row of the tree stands for. */
export type TreeNode =
  | { readonly type: 'episode'; readonly id: string; readonly row: EpisodeRow }
  | { readonly type: 'more'; readonly id: string; readonly more: number }
  | { readonly type: 'turn'; readonly id: string; readonly episode: string; readonly turn: TurnReview }
  | {
      readonly type: 'fact';
      readonly id: string;
      readonly label: string;
      readonly detail: string;
      readonly icon: string;
      /** The turn that it stands under. */
      readonly episode?: string;
      readonly turn?: number;
    };

/** Episodes, their turns with the gain first, and under each turn its credit: what the journal and the ledger say, nothing else. */
export class EpisodesTree implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  /** What it is narrowed to, and what its title says. */
  readonly view: EpisodesView;
  readonly #review: Review;
  /** The conversation that the chat shows. */
  readonly #open: () => string | null;
  readonly #changed = new vscode.EventEmitter<TreeNode | undefined>();
  /** One object per row that was drawn: the editor finds a row again by it. */
  readonly #episodes = new Map<string, Extract<TreeNode, { type: 'episode' }>>();

  /** Which rows stand under which, as last drawn. */
  #families = new BranchRows<EpisodeRow>([], []);

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(review: Review, index: EpisodeIndex, open: () => string | null, onError: (thrown: unknown) => void) {
    this.#review = review;
    this.#open = open;
    const redraw = (): void => {
      review.refresh();
      this.#changed.fire(undefined);
    };
    this.view = new EpisodesView(index, redraw, onError);
  }

  /** Draws one episode again, or (null) everything. */
  refresh(episodeId: string | null = null): void {
    // Credit is made of what the list has digested.
    this.view.update(episodeId);
    this.#review.refresh(episodeId);
    // Under a filter a row may come or go with what changed in it.
    const alone = episodeId !== null && !isFiltered(this.view.filter);
    this.#changed.fire(alone ? this.#episodes.get(episodeId) : undefined);
  }

  getChildren(node?: TreeNode): TreeNode[] {
    if (node === undefined) return this.#roots();
    switch (node.type) {
      case 'episode':
        return [...this.#turnsOf(node.id), ...this.#families.under(node.id).map((row) => this.#remember(row))];
      case 'turn':
        return [...factsOf(node.episode, node.turn), ...this.#scorerOf(node.episode, node.turn)];
      case 'fact':
      case 'more':
        return [];
      default:
        return node satisfies never;
    }
  }

  getTreeItem(node: TreeNode): vscode.TreeItem {
    switch (node.type) {
      case 'episode':
        return this.#episodeItem(node.row);
      case 'turn':
        return turnItem(node);
      case 'fact':
        return factItem(node);
      case 'more':
        return moreItem(node);
      default:
        return node satisfies never;
    }
  }

  /** What is seen only on hover is read only then. */
  resolveTreeItem(item: vscode.TreeItem, node: TreeNode): vscode.TreeItem {
    if (node.type !== 'episode') return item;
    const row = this.view.index.known(node.id) ?? node.row;
    const by = row.gain === null ? null : attempt(() => this.#review.scoredBy(row.id));
    item.tooltip = episodeTooltip(row, by === null || typeof by === 'string' ? null : by.name);
    return item;
  }

  dispose(): void {
    this.#changed.dispose();
    this.view.dispose();
  }

  #roots(): TreeNode[] {
    const { rows, more } = this.view.page();
    this.#families = new BranchRows(rows, this.#review.branches());
    const nodes = this.#families.roots.map((row) => this.#remember(row));
    return more === 0 ? nodes : [...nodes, { type: 'more', id: 'more', more }];
  }

  #remember(row: EpisodeRow): TreeNode {
    const node = { type: 'episode', id: row.id, row } as const;
    this.#episodes.set(row.id, node);
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

  #episodeItem(drawn: EpisodeRow): vscode.TreeItem {
    const row = this.view.index.known(drawn.id) ?? drawn;
    const open = this.#open() === row.id;
    const unfolded = this.#families.holds(row.id, this.#open());
    const item = new vscode.TreeItem(
      this.#families.nameOf(row),
      unfolded ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.Collapsed,
    );
    // The editor remembers by id what was folded, so the open one gets an id of its own.
    item.id = `${row.id}${unfolded ? '/open' : ''}`;
    item.description = episodeWords(row).join(', ');
    item.iconPath = episodeIcon(row, open);
    item.contextValue = open ? 'episode.open' : 'episode';
    item.command = {
      command: 'turnwise.openEpisode',
      title: vscode.l10n.t('Open in Chat'),
      arguments: [{ type: 'episode', id: row.id }],
    };
    return item;
  }
}

/** Gain (or when it was), where the scores stand unless they are there, and what a reviewer did. */
function episodeWords(row: EpisodeRow): string[] {
  const { gain, stale, startedAt, standing, scorable, reviewed, excluded, changed } = row;
  const said = standing !== 'scored' && standing !== 'unscored' && (standing !== 'unscorable' || scorable > 0);
  return [
    gain === null ? when(startedAt) : vscode.l10n.t('{gain} nats', { gain: signed(gain, 2) }),
    ...(stale ? [standingWords().stale] : []),
    ...(said && !(stale && standing === 'stale') ? [standingWords()[standing]] : []),
    ...(excluded ? [vscode.l10n.t('left out')] : reviewed ? [vscode.l10n.t('reviewed')] : []),
    ...(changed ? [vscode.l10n.t('changed since the review')] : []),
  ];
}

function episodeTooltip(row: EpisodeRow, scorer: string | null): string {
  const { title, startedAt, branch, source, standing, why, marks } = row;
  return [
    oneLine(title ?? vscode.l10n.t('New conversation'), 400),
    new Date(startedAt).toLocaleString(),
    branch ? vscode.l10n.t('A branch: it goes on otherwise from an earlier turn of another conversation.') : '',
    source === 'real_developer' || source === 'unknown' ? '' : source,
    scorer === null ? '' : vscode.l10n.t('Scored by {name}', { name: scorer }),
    why === null ? standingWords()[standing] : `${standingWords()[standing]}: ${why}`,
    ...marks.map((id) => markWords(id).title),
  ]
    .filter((line) => line !== '')
    .join('\n');
}

/** What is wrong comes before what is reviewed, and that before what it is. */
function episodeIcon({ standing, branch, reviewed, excluded }: EpisodeRow, open: boolean): vscode.ThemeIcon {
  if (standing === 'unreadable') return new vscode.ThemeIcon('error', new vscode.ThemeColor('list.errorForeground'));
  if (standing === 'failed') return new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'));
  if (excluded) return new vscode.ThemeIcon('circle-slash');
  if (reviewed) return new vscode.ThemeIcon('pass', new vscode.ThemeColor('testing.iconPassed'));
  return new vscode.ThemeIcon(branch ? 'git-branch' : open ? 'comment-discussion' : 'comment');
}

/** What makes scores stale. */
const otherNow = (): string => vscode.l10n.t('another scorer or other options are chosen now');

function turnItem({ id, episode, turn }: Extract<TreeNode, { type: 'turn' }>): vscode.TreeItem {
  const { index, said, reply, gain, mark, why, marks } = turn;
  const label = gain === null ? (mark ?? '') : vscode.l10n.t('{gain} nats', { gain: signed(gain, 2) });
  const folded = factsOf(episode, turn).length === 0 ? 'None' : 'Expanded';
  const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState[folded]);
  // The editor remembers by id how a row was folded, so one that gets something to unfold is another row.
  item.id = `${id}/${folded}`;
  const notable = [...marks.map((id) => markWords(id).title), ...overrideWords(turn)];
  item.description = [`${index + 1}`, notable.join(', '), said].filter((part) => part !== '').join(' · ');
  item.tooltip = [
    vscode.l10n.t('Turn {turn}: {said}', { turn: index + 1, said }),
    reply === null ? '' : vscode.l10n.t('Reply: {reply}', { reply }),
    why ?? '',
    ...marks.map((id) => `${markWords(id).title}: ${markWords(id).rule}`),
    ...overrideWords(turn),
  ]
    .filter((line) => line !== '')
    .join('\n');
  item.iconPath = turnIcon(turn);
  item.contextValue = 'turn';
  item.accessibilityInformation = {
    label: vscode.l10n.t('Turn {turn}, {gain}, {said}', {
      turn: index + 1,
      gain: [why ?? label, ...notable].join(', '),
      said,
    }),
  };
  return item;
}

/** What a reviewer laid over a turn, in words. */
function overrideWords({ override: { label, excluded, reviewed } }: TurnReview): string[] {
  return [
    ...(label === null ? [] : [labelWords()[label]]),
    ...(excluded ? [vscode.l10n.t('left out')] : []),
    ...(reviewed && label === null && !excluded ? [vscode.l10n.t('reviewed')] : []),
  ];
}

function moreItem({ id, more }: Extract<TreeNode, { type: 'more' }>): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('{more} more…', { more }), vscode.TreeItemCollapsibleState.None);
  item.id = id;
  item.iconPath = new vscode.ThemeIcon('chevron-down');
  item.command = { command: 'turnwise.showMoreEpisodes', title: vscode.l10n.t('Show More') };
  return item;
}

const KIND_ICONS = { question: 'question', answer: 'code', tool_call: 'tools' } as const;

function turnIcon({ gain, pending, mark, kind }: TurnReview): vscode.ThemeIcon {
  // What only waits must not look busy: the queue may be paused.
  if (mark === 'queued') return new vscode.ThemeIcon('clock');
  if (pending) return new vscode.ThemeIcon('loading~spin');
  if (gain === null) return new vscode.ThemeIcon(KIND_ICONS[kind]);
  // By shape first: colour alone would not reach everybody.
  return gain < 0
    ? new vscode.ThemeIcon('arrow-down', new vscode.ThemeColor('charts.orange'))
    : new vscode.ThemeIcon('arrow-up', new vscode.ThemeColor('charts.blue'));
}

/** What stands under a turn: its credit, the mean behind the gain, and the reply that was masked. */
function factsOf(
  episode: string,
  { index, kind, gain, mean, credit, reply, why, mark, marks, override }: TurnReview,
): TreeNode[] {
  const fact = (name: string, label: string, detail: string, icon: string): TreeNode => ({
    type: 'fact',
    id: `${episode}/${index}/${name}`,
    label,
    detail,
    icon,
    episode,
    turn: index,
  });
  const { advantage, words, caution } = credit;
  const credited =
    advantage === null
      ? fact('advantage', words, vscode.l10n.t('advantage'), 'graph')
      : fact(
          'advantage',
          vscode.l10n.t('advantage {value}', { value: signed(advantage, 3) }),
          // The ledger knows nothing of it: no token of the turn is trained on, whatever it was worth.
          override.excluded ? vscode.l10n.t('left out of training; {words}', { words }) : words,
          'graph',
        );
  return [
    ...(gain === null ? [] : [credited]),
    ...marks.map((id) => fact(`mark-${id}`, markWords(id).title, markWords(id).rule, 'bookmark')),
    ...(override.note === null ? [] : [fact('note', override.note, vscode.l10n.t('note of the review'), 'note')]),
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
    ...(reply === null ? [] : [fact('reply', reply, replyWords(kind), 'reply')]),
  ];
}

function replyWords(kind: TurnReview['kind']): string {
  return kind === 'tool_call' ? vscode.l10n.t('what came back') : vscode.l10n.t('your reply');
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
