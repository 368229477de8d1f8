import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { z } from 'zod';
import { scoreOptionsKey } from '../app/cached-scorer.ts';
import { DEFAULT_SCORE_OPTIONS } from '../app/score.ts';
import { applyCalibration } from '../core/calibration.ts';
import { TurnwiseError } from '../core/error.ts';
import type { EpisodeState } from '../core/episode-state.ts';
import { reduce } from '../core/reduce.ts';
import { ENGINE_PROFILE } from '../core/settings.ts';
import type { Host } from './host.ts';
import { runCli } from './run-cli.ts';

/**
 * Exports the conversations of this store as a dataset folder. Asks once who may be in it, and records the answer as an event
 * of each conversation. The work is the command line's, in a process of its own, so that the editor stays quick.
 */
export async function exportDataset(host: Host): Promise<void> {
  await exportSome(
    host,
    host.journal.episodes().map(({ id }) => id),
    null,
  );
}

/** Exports one conversation as a dataset folder of its own; its credit is made of nothing but itself. */
export async function exportEpisode(host: Host, episode: string | null): Promise<void> {
  const id = episode ?? host.session.episode;
  if (id === null) {
    throw new TurnwiseError(
      'usage',
      'no_episode',
      vscode.l10n.t('No conversation is chosen; open one, then try again.'),
    );
  }
  await exportSome(host, [id], id);
}

/** `only`: no other than this one. */
async function exportSome(host: Host, ids: readonly string[], only: string | null): Promise<void> {
  const states = ids.map((id) => reduce(host.journal.read(id)));
  if (only !== null) refuseExcluded(states);
  const released = await askRelease(states, only !== null);
  if (released === null) return;
  const out = await vscode.window.showSaveDialog({
    title: vscode.l10n.t('Export Dataset'),
    saveLabel: vscode.l10n.t('Export'),
    defaultUri: vscode.Uri.joinPath(
      vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file(homedir()),
      only === null ? 'turnwise-dataset' : 'turnwise-conversation',
    ),
  });
  if (out === undefined) return;
  for (const id of released) await host.session.setConsent(id, 'exportable');
  const summary = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Exporting the dataset'),
      cancellable: true,
    },
    (_progress, token) => runExport(host, out.fsPath, only, token),
  );
  if (summary === null) return;
  const left = summary.refused.reduce((sum, { episodes }) => sum + episodes, 0);
  const copy = vscode.l10n.t('Copy Path');
  const answer = await vscode.window.showInformationMessage(
    [
      vscode.l10n.t('Exported {conversations} {turns}.', {
        conversations:
          summary.rows === 1
            ? vscode.l10n.t('1 conversation')
            : vscode.l10n.t('{count} conversations', { count: summary.rows }),
        turns:
          summary.turns === 1
            ? vscode.l10n.t('with 1 turn')
            : vscode.l10n.t('with {count} turns', { count: summary.turns }),
      }),
      ...(left === 0 ? [] : [vscode.l10n.t('{count} left out.', { count: left })]),
      ...(summary.redacted === 0 ? [] : [vscode.l10n.t('Secrets replaced in {count}.', { count: summary.redacted })]),
      out.fsPath,
    ].join(' '),
    copy,
  );
  if (answer === copy) await vscode.env.clipboard.writeText(out.fsPath);
}

/** What is in no dataset, ever, is not asked about. */
function refuseExcluded(states: readonly EpisodeState[]): void {
  if (states.every(({ consent }) => consent.scope !== 'excluded')) return;
  throw new TurnwiseError(
    'usage',
    'excluded',
    vscode.l10n.t('This conversation is excluded from every dataset; choose who may have it first, then export it.'),
  );
}

/** Asks for consent where conversations need it, and returns those that it was given for; null: the developer thought better of it. */
async function askRelease(states: readonly EpisodeState[], alone: boolean): Promise<readonly string[] | null> {
  const mine = states.filter(({ source, turns }) => source === 'real_developer' && turns.length > 0);
  const waiting = mine.filter(({ consent }) => consent.scope === 'local-only');
  const excluded = mine.filter(({ consent }) => consent.scope === 'excluded').length;
  if (states.length === 0) {
    throw new TurnwiseError(
      'usage',
      'nothing_to_export',
      vscode.l10n.t('There is no conversation to export yet; have one first.'),
    );
  }
  if (waiting.length === 0) return [];
  const all = alone
    ? vscode.l10n.t('Allow and Export')
    : vscode.l10n.t('Allow and Export All ({count})', { count: waiting.length });
  const some = vscode.l10n.t('Export Only What Is Exportable');
  const answer = await vscode.window.showInformationMessage(
    waiting.length === 1
      ? vscode.l10n.t('May a local conversation be in the dataset?')
      : vscode.l10n.t('May {count} local conversations be in the dataset?', { count: waiting.length }),
    {
      modal: true,
      detail: [
        vscode.l10n.t(
          'They are marked local-only. If you allow it, they are marked exportable, and that is recorded with each of them.',
        ),
        ...(excluded === 0 ? [] : [vscode.l10n.t('Excluded ones stay out: {count}.', { count: excluded })]),
      ].join(' '),
    },
    all,
    ...(waiting.length < mine.length - excluded ? [some] : []),
  );
  if (answer === some) return [];
  return answer === all ? waiting.map(({ id }) => id) : null;
}

const summarySchema = z.object({
  rows: z.int(),
  turns: z.int(),
  redacted: z.int(),
  refused: z.array(z.object({ reason: z.string(), episodes: z.int() })),
});

async function runExport(
  host: Host,
  out: string,
  only: string | null,
  token: vscode.CancellationToken,
): Promise<z.infer<typeof summarySchema> | null> {
  const folder = mkdtempSync(join(tmpdir(), 'turnwise-export-'));
  try {
    const { flags, env } = await scoresOf(host, folder);
    const command = ['export', '--store', host.journal.path, '--out', out, ...flags, ...creditFlags(host)];
    if (only !== null) command.push('--episode', only);
    return await runCli(host.extensionUri, [...command, ...workspaceFlags()], summarySchema, {
      env,
      token,
      reason: 'export_failed',
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function creditFlags({ settings: { current } }: Host): string[] {
  return ['--preset', current['credit.preset'], '--pool-by', current['credit.poolBy']];
}

/** No value of an `.env` file of the open folders may leave. */
function workspaceFlags(): string[] {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  return folders.length === 0 ? [] : ['--workspace', ...folders.map(({ uri }) => uri.fsPath)];
}

/**
 * Where the export's scores come from. What the engine scores as the command line would is completed by the engine of this
 * window; anything else is taken as it stands in the store, and what is not scored yet goes without credit.
 */
async function scoresOf(
  host: Host,
  folder: string,
): Promise<{ readonly flags: readonly string[]; readonly env: Readonly<Record<string, string>> }> {
  const settings = host.settings.current;
  const optionsKey = scoreOptionsKey(host.scoreOptions());
  if (settings['scoring.server'] === ENGINE_PROFILE && optionsKey === scoreOptionsKey(DEFAULT_SCORE_OPTIONS)) {
    const { url, token } = await host.servers.engine();
    return { flags: ['--url', url, '--api-key-env', 'TURNWISE_ENGINE_TOKEN'], env: { TURNWISE_ENGINE_TOKEN: token } };
  }
  const rows = host.journal.newestScored(optionsKey);
  if (rows.length === 0) return { flags: ['--no-score'], env: {} };
  const file = join(folder, 'scores.jsonl');
  // With what was measured of their scorer since.
  const today = rows.map((row) => applyCalibration(row, host.journal.calibrations.get(row.scorer)));
  writeFileSync(file, today.map((row) => `${JSON.stringify(row)}\n`).join(''), { mode: 0o600 });
  return { flags: ['--scores', file], env: {} };
}
