import * as vscode from 'vscode';
import { TurnwiseError } from '../core/error.ts';
import type { EpisodeState } from '../core/episode-state.ts';
import { reduce } from '../core/reduce.ts';
import { toTranscript } from '../core/to-transcript.ts';
import type { Host } from './host.ts';

/** Scores an episode with the chosen scorer, also where that was done before. */
export function scoreNow(host: Host, episode: string | null): void {
  host.servers.askAgain();
  host.scoring.wish(stateOf(host, episode), { again: true });
}

/** Takes back the wish for an episode's scores, in every window; Score Now asks for it again. */
export function cancelScoring(host: Host, episode: string | null): void {
  const { id } = stateOf(host, episode);
  const cancelled = host.journal.queue.cancel(id);
  host.tree.refresh(id);
  host.scoringStatus.update();
  const said = cancelled > 0 ? vscode.l10n.t('Scoring cancelled') : vscode.l10n.t('Nothing was waiting to be scored');
  vscode.window.setStatusBarMessage(said, 3000);
}

/** From now on no window and no worker scores from this store. */
export function pauseScoring(host: Host): void {
  host.journal.queue.pause();
  host.scoringStatus.update();
}

export function resumeScoring(host: Host): void {
  host.journal.queue.resume();
  host.scoringStatus.update();
  host.scoring.kick();
}

/** Puts an episode on the clipboard, as a line that `turnwise score` takes. */
export async function copyMessages(host: Host, episode: string | null): Promise<void> {
  await vscode.env.clipboard.writeText(`${JSON.stringify(toTranscript(stateOf(host, episode)))}\n`);
  vscode.window.setStatusBarMessage(`$(check) ${vscode.l10n.t('Conversation copied')}`, 3000);
}

function stateOf(host: Host, episode: string | null): EpisodeState {
  const id = episode ?? host.session.episode;
  if (id !== null) return reduce(host.journal.read(id));
  throw new TurnwiseError('usage', 'no_episode', vscode.l10n.t('No conversation is chosen; open one, then try again.'));
}
