import type * as vscode from 'vscode';
import { EpisodeIndex } from '../app/episode-index.ts';
import type { Review } from '../app/review.ts';
import { errorText } from '../core/error.ts';
import type { ScoreOptions } from '../core/scored-episode.ts';
import type { Journal } from '../store/journal.ts';
import { EpisodesTree } from './episodes-tree.ts';
import type { ServerPool } from './servers.ts';

/** The list of conversations of a window; `open` gives the one that the chat shows. */
export function openEpisodes(
  parts: { readonly journal: Journal; readonly servers: ServerPool; readonly log: vscode.LogOutputChannel },
  options: () => ScoreOptions,
  review: Review,
  open: () => string | null,
): EpisodesTree {
  const { journal, servers, log } = parts;
  const scorer = (): string => servers.describeScorer().key;
  const index = new EpisodeIndex({ journal, options, scorer, scorerKey: () => review.scorerKey() });
  return new EpisodesTree(review, index, open, (thrown) => {
    log.warn(`The list of conversations: ${errorText(thrown)}`);
  });
}
