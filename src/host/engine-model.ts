import { z } from 'zod';
import * as vscode from 'vscode';
import type { Host } from './host.ts';
import { writeSetting } from './profiles.ts';
import { runCli } from './run-cli.ts';

const inspectedSchema = z.object({
  name: z.string(),
  architecture: z.string(),
  context: z.int().positive().nullable(),
  /** Why it cannot be the engine's model; null: nothing in its header speaks against it. */
  unfit: z.string().nullable(),
});

/**
 * Picks a GGUF file from the disk for the local engine. Its header is read first, by the engine's own reader in a process of
 * its own: a file that cannot be used is refused with the reason, and what was chosen before stays. False: nothing was chosen.
 */
export async function chooseEngineModel(host: Host): Promise<boolean> {
  const [file] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Model for the Local Engine'),
      openLabel: vscode.l10n.t('Use This Model'),
      filters: { [vscode.l10n.t('GGUF models')]: ['gguf'], [vscode.l10n.t('All files')]: ['*'] },
    })) ?? [];
  if (file === undefined) return false;
  const found = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Reading the header of the model'),
      cancellable: true,
    },
    (_progress, token) =>
      runCli(host.extensionUri, ['--inspect', file.fsPath], inspectedSchema, {
        program: 'engine.js',
        token,
        reason: 'model_unreadable',
      }),
  );
  if (found === null) return false;
  if (found.unfit !== null) {
    void vscode.window.showErrorMessage(found.unfit);
    return false;
  }
  await writeSetting('engine.model', file.fsPath);
  const { name, architecture } = found;
  vscode.window.setStatusBarMessage(
    `$(check) ${vscode.l10n.t('The local engine takes {name} ({architecture})', { name, architecture })}`,
    5000,
  );
  return true;
}
