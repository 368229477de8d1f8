import * as vscode from 'vscode';
import { chooseProbes } from '../app/doctor/bundled-probes.ts';
import { DEFAULT_PROBES, examine, PLACEHOLDERS, type DoctorReport } from '../app/doctor/doctor.ts';
import { rememberPlaceholder } from '../app/auto-placeholder.ts';
import { keepCalibration } from '../app/doctor/keep-calibration.ts';
import { doctorMarkdown } from '../app/doctor/markdown.ts';
import { mergeCalibrations, NO_CALIBRATION } from '../core/calibration.ts';
import { errorText } from '../core/error.ts';
import { reduce } from '../core/reduce.ts';
import type { Host } from './host.ts';

/**
 * Checks the chosen scorer with bundled conversations (none of the developer's own), keeps what it measured, and shows what it
 * found. Gains that are there already are credited with it at once.
 */
export async function checkScorer(host: Host): Promise<void> {
  host.servers.askAgain();
  const report = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Checking the scorer'), cancellable: true },
    (progress, token) => examineChosen(host, progress, token),
  );
  if (report === null) return;
  keep(host, report);
  await host.reports.show(vscode.l10n.t('Check of the Scorer'), doctorMarkdown(report));
}

/** Null: it was cancelled. */
async function examineChosen(
  { servers, settings, log }: Host,
  progress: vscode.Progress<{ readonly message?: string; readonly increment?: number }>,
  token: vscode.CancellationToken,
): Promise<DoctorReport | null> {
  const cancelled = new AbortController();
  const subscription = token.onCancellationRequested(() => {
    cancelled.abort();
  });
  let shown = 0;
  try {
    const backend = await servers.scorer();
    const chat = await servers.scorerChat().catch((thrown: unknown) => {
      log.warn(`The scorer's chat: ${errorText(thrown)}`);
      return null;
    });
    return await examine({
      backend,
      chat,
      choose: (facts) => chooseProbes('auto', null, facts),
      probes: DEFAULT_PROBES,
      placeholders: PLACEHOLDERS,
      maskMode: settings.current['scoring.maskMode'],
      // They take a minute, and are worth it to whoever credits by them.
      wholeDistributions: settings.current['scoring.estimator'] === 'kl_full',
      signal: cancelled.signal,
      onProgress: (what, done, total) => {
        const share = total > 1 ? Math.floor((100 * done) / total) : shown;
        progress.report({
          message: total > 1 ? vscode.l10n.t('{what}, {done} of {total}', { what, done, total }) : what,
          increment: share - shown,
        });
        shown = share;
      },
    });
  } catch (thrown) {
    if (cancelled.signal.aborted) return null;
    throw thrown;
  } finally {
    subscription.dispose();
  }
}

function keep(host: Host, report: DoctorReport): void {
  const { journal, scoring, session, tree } = host;
  const { scorer, facts } = report;
  if (scorer === null || facts === null || journal.readOnly !== null) return;
  keepCalibration(journal, report);
  // It answers: what failed while it did not need not wait for the next message.
  scoring.retryMended();
  const measured = journal.calibrations.get(scorer) ?? NO_CALIBRATION;
  const known = mergeCalibrations(facts.calibration ?? NO_CALIBRATION, measured);
  rememberPlaceholder(journal.memo, host.servers.describeScorer().key, known);
  tree.refresh();
  // Where `auto` now stands for another placeholder, what is shown has no score under it yet.
  if (session.episode !== null) scoring.wish(reduce(journal.read(session.episode)));
}
