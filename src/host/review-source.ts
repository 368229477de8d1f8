import * as vscode from 'vscode';
import type { EpisodeIndex } from '../app/episode-index.ts';
import { trendsView } from '../app/review-trends.ts';
import type { Review } from '../app/review.ts';
import { mayLeave } from '../app/score-job.ts';
import { turnWords } from '../app/turn-words.ts';
import { TurnwiseError } from '../core/error.ts';
import { groupView } from '../core/group-view.ts';
import { reduce } from '../core/reduce.ts';
import { compareView } from '../core/review-compare.ts';
import { groupPicture } from '../core/review-group.ts';
import { oneLine } from '../core/review.ts';
import { reviewView } from '../core/review-view.ts';
import { scoreNow } from './episode-commands.ts';
import type { Host } from './host.ts';
import type { Place, ReviewAct, ReviewSource } from './review-panel.ts';
import { markWords } from './review-words.ts';

/** What the reviews of this window are drawn from; `host` is asked when something is done, not before. */
export function reviewSource(review: Review, host: () => Host): ReviewSource {
  /** The list's own digests; what is missing in them is read behind it, and drawn when it is there. */
  const upToDate = (): EpisodeIndex => {
    const { view } = host().tree;
    view.update();
    return view.index;
  };
  return {
    sources: (episode) => review.sources(episode),
    view: (sources) => {
      const { reviewed, total } = host().tree.view.index.progress();
      const words = vscode.l10n.t('{reviewed} of {total}', { reviewed, total });
      const { head, rows } = reviewView(sources, total === 0 ? null : { reviewed, total, words });
      return {
        head,
        rows: rows.map((row) => ({ ...row, marks: row.marks.map(({ id }) => ({ id, ...markWords(id) })) })),
      };
    },
    words: ({ state, scored }, turn) => {
      if (scored === null) return Promise.resolve({ next: null, mask: null, why: null });
      const { journal, servers } = host();
      return turnWords(scored, turn, {
        memory: journal,
        scorer: () => servers.scorer(),
        forbidden: servers.describeScorer().remote && !mayLeave(state) ? STAYS : null,
      });
    },
    compare: compareView,
    group: ({ state }) => {
      const facts = upToDate().facts(state.groupId);
      const members = facts.map((own) => ({ ...own, ledger: review.ledger(own.digest.id) }));
      return groupPicture(groupView(state.groupId, members), state.id);
    },
    trends: () => trendsView(upToDate().facts()),
    act: (episode, message) => act(host(), episode, message),
  };
}

const STAYS =
  'What these tokens say is known to a server on another machine, and this conversation may not leave this one; mark it exportable to read them here.';

/** Opens an episode's review; `argument` is what a command was called on: a row of the tree, or an episode and a turn. */
export function reviewEpisode(host: Host, argument: unknown): void {
  const { episode, turn } = placeOf(argument) ?? { episode: host.session.episode, turn: null };
  if (episode === null) {
    throw new TurnwiseError('usage', 'no_episode', 'No conversation is open; choose one under Episodes.');
  }
  show(host, episode, { tab: 'turns', turn });
}

export function showTrends(host: Host): void {
  host.reviews.show(null, 'Turnwise Trends', { tab: 'trends', turn: null });
}

function show(host: Host, episode: string, place: Place): void {
  const { request } = reduce(host.journal.read(episode));
  host.reviews.show(episode, oneLine(request ?? 'New conversation', 40), place);
}

function placeOf(argument: unknown): { readonly episode: string; readonly turn: number | null } | null {
  if (typeof argument === 'string') return { episode: argument, turn: null };
  if (typeof argument !== 'object' || argument === null) return null;
  const { id, episode, turn } = argument as Record<string, unknown>;
  if (typeof episode === 'string') return { episode, turn: turnOf(turn) };
  return typeof id === 'string' ? { episode: id, turn: null } : null;
}

/** A row of the tree has the turn itself, a link its number. */
function turnOf(turn: unknown): number | null {
  const index = typeof turn === 'object' && turn !== null && 'index' in turn ? turn.index : turn;
  return typeof index === 'number' && Number.isInteger(index) && index >= 0 ? index : null;
}

async function act(host: Host, episode: string | null, message: ReviewAct): Promise<void> {
  if (message.type === 'open_episode') {
    show(host, message.episode, { tab: 'turns', turn: null });
    return;
  }
  if (episode === null) return;
  switch (message.type) {
    case 'label':
      await host.overrides.set(episode, message.turn, { field: 'label', value: message.label });
      return;
    case 'note':
      await host.overrides.set(episode, message.turn, { field: 'note', value: message.note });
      return;
    case 'exclude':
      await host.overrides.set(episode, message.turn, { field: 'excluded', value: message.excluded });
      return;
    case 'reviewed':
      await host.overrides.set(episode, message.turn, { field: 'reviewed', value: message.reviewed });
      return;
    case 'undo':
      if ((await host.overrides.undo(episode)) !== null) return;
      throw new TurnwiseError('usage', 'nothing_to_undo', 'There is nothing to take back in this conversation.');
    case 'open_chat':
      await host.openEpisode(episode);
      await host.chat.focus();
      return;
    case 'score':
      scoreNow(host, episode);
      return;
    default:
      message satisfies never;
  }
}
