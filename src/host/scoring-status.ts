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
    this.#item.name = 'Turnwise Scoring';
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
    const count = waiting === 1 ? '1 conversation waits' : `${waiting} conversations wait`;
    this.#item.text = paused ? '$(debug-pause) scoring paused' : `$(pulse) ${waiting} to score`;
    this.#item.tooltip = paused
      ? `Scoring is paused in every window; ${count}. Click to let it go on.`
      : `${count} to be scored in the background. Click to pause scoring in every window.`;
    this.#item.accessibilityInformation = {
      label: `Turnwise: ${paused ? 'scoring paused, ' : ''}${count} to be scored`,
    };
    this.#item.command = paused ? 'turnwise.resumeScoring' : 'turnwise.pauseScoring';
    this.#item.show();
  }

  dispose(): void {
    this.#item.dispose();
  }
}
