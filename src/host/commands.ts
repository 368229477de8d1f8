import * as vscode from 'vscode';
import type { Host } from './host.ts';
import { checkScorer } from './check-scorer.ts';
import { acceptProposal, rejectProposal } from './decide-proposal.ts';
import { addSelection } from './context/context-intents.ts';
import { cancelScoring, copyMessages, pauseScoring, resumeScoring, scoreNow } from './episode-commands.ts';
import { exportDataset, exportEpisode } from './export-dataset.ts';
import { renameEpisode, searchEpisodes } from './history.ts';
import { backUpJournal, checkJournal, deleteEpisode } from './journal-care.ts';
import { chooseEngineModel } from './engine-model.ts';
import {
  addServer,
  chooseChatServer,
  chooseConsent,
  chooseScorer,
  manageServers,
  openSettings,
  setServerKey,
} from './pickers.ts';
import { clearFilter, filterEpisodes } from './episode-filter-pick.ts';
import { excludeRow, labelRow, nextToReview, noteRow, tickRow, undoReview } from './review-commands.ts';
import { reviewEpisode, showTrends } from './review-source.ts';

/** What a command does; `argument` is the row of the tree that it was called on, if any. */
export type Command = (host: Host, argument: unknown) => Promise<void> | void;

/** Publisher, name, and the id of the walkthrough in the manifest. */
const WALKTHROUGH = 'turnwise.turnwise#start';

/** Every command of the extension. `package.json` lists the same ones, which a test holds. */
export const COMMANDS = {
  'turnwise.newConversation': async (host) => {
    await host.openEpisode(null);
    await host.chat.focus();
  },
  'turnwise.focusChat': (host) => host.chat.focus(),
  'turnwise.stop': (host) => host.session.stop(),
  'turnwise.continue': (host) => {
    host.session.continue();
  },
  'turnwise.addSelection': addSelection,
  'turnwise.acceptProposal': acceptProposal,
  'turnwise.rejectProposal': rejectProposal,
  'turnwise.openEpisode': async (host, argument) => {
    await host.openEpisode(episodeOf(argument));
    // Who goes through the list keeps its keys.
    await host.chat.reveal();
  },
  'turnwise.scoreEpisode': (host, argument) => {
    scoreNow(host, episodeOf(argument));
  },
  'turnwise.cancelScoring': (host, argument) => {
    cancelScoring(host, episodeOf(argument));
  },
  'turnwise.pauseScoring': pauseScoring,
  'turnwise.resumeScoring': resumeScoring,
  'turnwise.copyEpisodeMessages': (host, argument) => copyMessages(host, episodeOf(argument)),
  'turnwise.deleteEpisode': (host, argument) => deleteEpisode(host, episodeOf(argument)),
  'turnwise.reviewEpisode': reviewEpisode,
  'turnwise.reviewOpen': (host) => {
    reviewEpisode(host, null);
  },
  'turnwise.showTrends': showTrends,
  'turnwise.nextToReview': nextToReview,
  'turnwise.reviewLabel': labelRow,
  'turnwise.reviewNote': noteRow,
  'turnwise.reviewExclude': excludeRow,
  'turnwise.reviewDone': tickRow,
  'turnwise.reviewUndo': undoReview,
  'turnwise.filterEpisodes': filterEpisodes,
  'turnwise.clearEpisodeFilter': clearFilter,
  'turnwise.showMoreEpisodes': (host) => {
    host.tree.view.showMore();
  },
  'turnwise.searchEpisodes': searchEpisodes,
  'turnwise.renameEpisode': (host, argument) => renameEpisode(host, episodeOf(argument)),
  'turnwise.exportEpisode': (host, argument) => exportEpisode(host, episodeOf(argument)),
  'turnwise.exportDataset': exportDataset,
  'turnwise.setConsent': chooseConsent,
  'turnwise.chooseChatServer': chooseChatServer,
  'turnwise.chooseScorer': chooseScorer,
  'turnwise.checkScorer': checkScorer,
  'turnwise.addServer': addServer,
  'turnwise.manageServers': manageServers,
  'turnwise.setServerKey': setServerKey,
  'turnwise.chooseEngineModel': async (host) => {
    await chooseEngineModel(host);
  },
  'turnwise.restartEngine': async (host) => {
    await host.servers.restartEngine();
    host.scoring.retryMended();
  },
  'turnwise.backUpJournal': backUpJournal,
  'turnwise.checkJournal': checkJournal,
  'turnwise.openWalkthrough': async () => {
    await vscode.commands.executeCommand('workbench.action.openWalkthrough', WALKTHROUGH);
  },
  'turnwise.openSettings': openSettings,
  'turnwise.showLog': (host) => {
    host.log.show();
  },
} as const satisfies Record<string, Command>;

export type CommandId = keyof typeof COMMANDS;

/** The episode of a row of the tree, or of the open conversation where a command was called without one. */
function episodeOf(argument: unknown): string | null {
  if (typeof argument === 'string') return argument;
  if (typeof argument !== 'object' || argument === null || !('type' in argument) || !('id' in argument)) return null;
  return argument.type === 'episode' && typeof argument.id === 'string' ? argument.id : null;
}
