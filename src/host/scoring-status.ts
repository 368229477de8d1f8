import * as vscode from 'vscode';
import type { ScoringWorker } from '../app/scoring-worker.ts';
import type { QueueDesk } from '../store/queue-desk.ts';

/**
 * What waits to be scored by the chosen scorer, at the foot of the window; shown while something does or the queue is paused,
 * for every window and worker of this store. A click pauses, or lets it go on.
 */
export class ScoringStatus implements vscode.Disposable {
  readonly #item = vscode.window.createStatusBarItem('turnwise.scoring', vscode.StatusBarAlignment.Right, 89);
  readonly #queue: Pick<QueueDesk, 'pausedSince'>;
  readonly #scoring: Pick<ScoringWorker, 'waiting'>;

  constructor(queue: Pick<QueueDesk, 'pausedSince'>, scoring: Pick<ScoringWorker, 'waiting'>) {
    this.#queue = queue;
    this.#scoring = scoring;
    this.#item.name = vscode.l10n.t('Turnwise Scoring');
    this.update();
  }

  /** Reads the queue; throws what the store throws. */
  update(): void {
    const paused = this.#queue.pausedSince() !== null;
    const waiting = this.#scoring.waiting();
    void vscode.commands.executeCommand('setContext', 'turnwise.scoringPaused', paused);
    if (!paused && waiting === 0) {
      this.#item.hide();
      return;
    }
    const count =
      waiting === 1
        ? vscode.l10n.t('1 conversation waits to be scored.')
        : vscode.l10n.t('{count} conversations wait to be scored.', { count: waiting });
    this.#item.text = paused
      ? `$(debug-pause) ${vscode.l10n.t('scoring paused')}`
      : `$(pulse) ${vscode.l10n.t('{count} to score', { count: waiting })}`;
    this.#item.tooltip = paused
      ? vscode.l10n.t('Scoring is paused in every window. {count} Click to let it go on.', { count })
      : vscode.l10n.t('{count} It happens in the background. Click to pause scoring in every window.', { count });
    this.#item.accessibilityInformation = {
      label: ['Turnwise', ...(paused ? [vscode.l10n.t('scoring paused')] : []), count].join(', '),
    };
    this.#item.command = paused ? 'turnwise.resumeScoring' : 'turnwise.pauseScoring';
    this.#item.show();
  }

  dispose(): void {
    this.#item.dispose();
  }
}
