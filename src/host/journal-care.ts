import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { z } from 'zod';
import { TurnwiseError } from '../core/error.ts';
import { wordsOf } from '../core/gist.ts';
import { oneLine } from '../core/review.ts';
import type { Host } from './host.ts';
import { runCli } from './run-cli.ts';

const purgeSchema = z.object({
  episodes: z.array(z.string()),
  events: z.int(),
  files: z.array(z.string()),
  left: z.array(z.object({ file: z.string(), why: z.string() })),
});

/**
 * Takes a conversation and its branches out of the journal and of every copy beside it, once the developer has said yes to
 * what would go. The files are written anew by another process: that takes as long as they are large.
 */
export async function deleteEpisode(host: Host, episode: string | null): Promise<void> {
  const id = episode ?? host.session.episode;
  if (id === null) {
    throw new TurnwiseError('usage', 'no_episode', 'No conversation is chosen; open one, then try again.');
  }
  const command = ['purge', '--store', host.journal.path, '--episode', id];
  const plan = await runCli(host.extensionUri, command, purgeSchema, { reason: 'purge_failed' });
  const request = host.journal.episodes().find((facts) => facts.id === id)?.request ?? null;
  if (plan === null || !(await mayGo(plan, request))) return;
  // What is shown must not be written to again, nor its draft kept.
  if (host.session.episode !== null && plan.episodes.includes(host.session.episode)) await host.openEpisode(null);
  const done = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Deleting the conversation for good') },
    () => runCli(host.extensionUri, [...command, '--yes'], purgeSchema, { reason: 'purge_failed', told: [0, 1] }),
  );
  host.tree.refresh();
  host.scoringStatus.update();
  if (done === null || done.left.length === 0) {
    vscode.window.setStatusBarMessage(vscode.l10n.t('$(check) Conversation deleted for good'), 3000);
    return;
  }
  for (const { file, why } of done.left) host.log.warn(`${file}: ${why}`);
  const first = done.left.map(({ file, why }) => `${file}: ${why}`).join(' ');
  void vscode.window.showWarningMessage(vscode.l10n.t('Deleted, but words of it may be left. {0}', first));
}

async function mayGo({ episodes, files }: z.infer<typeof purgeSchema>, request: string | null): Promise<boolean> {
  const { l10n } = vscode;
  const branches = episodes.length - 1;
  const copies = files.length - 1;
  const also = [
    ...(branches === 0 ? [] : [branches === 1 ? l10n.t('its branch') : l10n.t('its {0} branches', branches)]),
    ...(copies === 0
      ? []
      : [copies === 1 ? l10n.t('what a copy holds of it') : l10n.t('what {0} copies hold of it', copies)]),
  ];
  const scope = also.length === 0 ? '' : l10n.t('With it go {0}. ', also.join(l10n.t(' and ')));
  const go = l10n.t('Delete for Good');
  const answer = await vscode.window.showWarningMessage(
    request === null ? l10n.t('Delete this conversation?') : l10n.t('Delete “{0}”?', oneLine(wordsOf(request), 60)),
    {
      modal: true,
      detail: `${scope}${l10n.t('Its words, scores and drafts are taken out of the journal. Exported datasets and copies made elsewhere keep theirs. This cannot be undone.')}`,
    },
    go,
  );
  return answer === go;
}

const backupSchema = z.object({ file: z.string(), bytes: z.int(), events: z.int(), episodes: z.int() });

/** Copies the journal into `backups` beside it, and reads the copy through. */
export async function backUpJournal(host: Host): Promise<void> {
  const copy = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Backing up the journal') },
    () =>
      runCli(host.extensionUri, ['backup', '--store', host.journal.path], backupSchema, { reason: 'backup_failed' }),
  );
  if (copy === null) return;
  const show = vscode.l10n.t('Copy Path');
  const size = (copy.bytes / 1e6).toFixed(1);
  const words = vscode.l10n.t('{0} conversations ({1} MB) are in {2}', copy.episodes, size, copy.file);
  if ((await vscode.window.showInformationMessage(words, show)) === show) {
    await vscode.env.clipboard.writeText(copy.file);
  }
}

const checkSchema = z.object({ events: z.int(), episodes: z.int(), wrong: z.array(z.string()) });

/** Reads all of the journal: the file's integrity, every event's checksum, every conversation. Says what is wrong and what to do. */
export async function checkJournal(host: Host): Promise<void> {
  const { l10n } = vscode;
  const found = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: l10n.t('Checking the journal'), cancellable: true },
    (_progress, token) =>
      runCli(host.extensionUri, ['check', '--store', host.journal.path], checkSchema, {
        token,
        reason: 'check_failed',
        told: [0, 1],
      }),
  );
  if (found === null) return;
  const { events, episodes, wrong } = found;
  if (wrong.length === 0) {
    void vscode.window.showInformationMessage(
      l10n.t('The journal is whole: {0} conversations, {1} events.', episodes, events),
    );
    return;
  }
  for (const sentence of wrong) host.log.error(sentence);
  const log = l10n.t('Show Log');
  const answer = await vscode.window.showErrorMessage(
    l10n.t(
      'The journal is damaged in {0} places. Close the windows, then restore a copy from {1} (turnwise restore), or save what is intact (turnwise salvage).',
      wrong.length,
      `${dirname(host.journal.path)}/backups`,
    ),
    log,
  );
  if (answer === log) host.log.show();
}
