import * as vscode from 'vscode';
import type { Host } from './host.ts';

/** Writes the proposal in the diff editor into its file, as one undo step, and records that it was accepted. */
export async function acceptProposal(host: Host): Promise<void> {
  const accepted = await host.proposals.accept();
  host.saves.watch(accepted);
  await host.session.decide(accepted.episode, accepted.turn, 'accepted');
  vscode.window.setStatusBarMessage('$(check) Proposal accepted; Undo takes it back', 5000);
}

/** Closes the diff editor, and records that the proposal was rejected. */
export async function rejectProposal(host: Host): Promise<void> {
  const { episode, turn } = await host.proposals.reject();
  await host.session.decide(episode, turn, 'rejected');
  await host.chat.focus();
}
