import * as vscode from 'vscode';
import type { Host } from './host.ts';
import type { Proposal } from './proposal-diff.ts';

/** Writes the proposal in the diff editor into its file, as one undo step, and records that it was accepted. */
export async function acceptProposal(host: Host): Promise<void> {
  const accepted = await host.proposals.accept();
  host.saves.watch(accepted);
  const { episode, turn, edits } = accepted;
  await host.session.decide(episode, turn, 'accepted');
  if (edits !== null) await host.session.recordEdit(episode, turn, edits);
  vscode.window.setStatusBarMessage(`$(check) ${vscode.l10n.t('Proposal accepted; Undo takes it back')}`, 5000);
}

/** Writes a proposal at the cursor, as one undo step; whoever puts it there has accepted it. */
export async function insertProposal(host: Host, proposal: Proposal): Promise<void> {
  const inserted = await host.proposals.insert(proposal);
  if (host.proposals.shows(proposal)) await host.proposals.dismiss();
  host.saves.watch(inserted);
  await host.session.decide(inserted.episode, inserted.turn, 'accepted');
  vscode.window.setStatusBarMessage(`$(check) ${vscode.l10n.t('Proposal inserted; Undo takes it back')}`, 5000);
}

/** Runs the tests of the workspace on an accepted proposal: its outcome, and what the agent reads next. */
export async function testProposal({ tools, session }: Host, episode: string, turn: number): Promise<void> {
  const { text, count } = await tools.test();
  await session.recordTests(episode, turn, count, text);
}

/** Closes the diff editor, and records that the proposal was rejected. */
export async function rejectProposal(host: Host): Promise<void> {
  const { episode, turn } = await host.proposals.reject();
  await host.session.decide(episode, turn, 'rejected');
  await host.chat.focus();
}
