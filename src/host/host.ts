import type * as vscode from 'vscode';
import type { ChatSession } from '../app/chat-session.ts';
import type { Overrides } from '../app/overrides.ts';
import type { ScoringWorker } from '../app/scoring-worker.ts';
import type { ScoreOptions } from '../core/scored-episode.ts';
import type { Journal } from '../store/journal.ts';
import type { AcceptedSaves } from './accepted-saves.ts';
import type { ContextShelf } from './context/context-shelf.ts';
import type { WorkspaceTools } from './context/workspace-tools.ts';
import type { ChatWebview } from './chat-view.ts';
import type { EpisodesTree } from './episodes-tree.ts';
import type { ProposalDiff } from './proposal-diff.ts';
import type { ReviewPanels } from './review-panels.ts';
import type { ReportDocument } from './report-document.ts';
import type { ScoringStatus } from './scoring-status.ts';
import type { ServerKeys } from './server-keys.ts';
import type { ServerPool } from './servers.ts';
import type { SettingsReader } from './settings.ts';

/** What a window is made of; commands and the chat's wishes act on it. */
export interface Host {
  readonly extensionUri: vscode.Uri;
  readonly log: vscode.LogOutputChannel;
  readonly journal: Journal;
  readonly settings: SettingsReader;
  readonly keys: ServerKeys;
  readonly servers: ServerPool;
  readonly session: ChatSession;
  readonly scoring: ScoringWorker;
  readonly chat: ChatWebview;
  readonly tree: EpisodesTree;
  readonly scoringStatus: ScoringStatus;
  readonly proposals: ProposalDiff;
  readonly reports: ReportDocument;
  readonly saves: AcceptedSaves;
  /** Reviews beside the code. */
  readonly reviews: ReviewPanels;
  /** What a reviewer lays over conversations. */
  readonly overrides: Overrides;
  readonly context: ContextShelf;
  readonly tools: WorkspaceTools;
  /** How things are scored now, by the settings and what is known of the scorer. */
  readonly scoreOptions: () => ScoreOptions;
  /** Shows a conversation in the chat, or (null) a new one, and remembers it for this workspace. */
  openEpisode(id: string | null): Promise<void>;
}
