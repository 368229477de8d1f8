import * as vscode from 'vscode';
import { errorText } from '../core/error.ts';
import { safeLink, type WebviewMessage } from '../core/webview-protocol.ts';
import { askForNote } from './ask-for-note.ts';
import { followContextIntent } from './context/context-intents.ts';
import { insertProposal, testProposal } from './decide-proposal.ts';
import type { BranchWish } from '../app/branch-off.ts';
import { splitContext } from '../core/context-text.ts';
import type { TurnState } from '../core/episode-state.ts';
import type { Host } from './host.ts';
import { proposalOf } from './proposal-of.ts';

type Intent = Exclude<WebviewMessage, { type: 'ready' }>;

/** What the composer sends, and says itself when it is refused. */
const SAID_IN_COMPOSER: ReadonlySet<Intent['type']> = new Set(['send', 'edit_request', 'edit_reply']);

/** Does what the developer asked for in the chat. What cannot be done is said where it was asked: nothing is thrown. */
export async function followIntent(host: Host, intent: Intent): Promise<void> {
  const id = 'id' in intent ? intent.id : null;
  try {
    if (
      'episode' in intent &&
      intent.type !== 'draft' &&
      intent.type !== 'edit_draft' &&
      intent.episode !== host.session.episode
    ) {
      throw new Error(
        vscode.l10n.t('The chat has gone on to another conversation; look at the newest message, then try again.'),
      );
    }
    await perform(host, intent);
    if (id !== null) host.chat.accepted(id);
  } catch (thrown) {
    host.log.warn(`${intent.type} was refused: ${errorText(thrown)}`);
    if (id !== null) host.chat.refused(id, errorText(thrown));
    if (!SAID_IN_COMPOSER.has(intent.type)) void vscode.window.showWarningMessage(errorText(thrown));
  }
}

async function perform(host: Host, intent: Intent): Promise<void> {
  const { session } = host;
  switch (intent.type) {
    case 'send':
      await session.send(await host.context.compose(intent.text), intent.option);
      host.context.clear();
      return;
    case 'choose':
      return session.choose(intent.turn, intent.option);
    case 'skip':
      return session.skip(intent.turn);
    case 'edit_request':
      return branchWithContext(host, intent.text, session.state.request ?? '', (text) => ({ at: 'request', text }));
    case 'edit_reply':
      return branchWithContext(host, intent.text, lastWords(session.state.turns[intent.turn]), (text) => ({
        at: 'reply',
        turn: intent.turn,
        text,
      }));
    case 'regenerate':
      await session.branch({ at: 'action', turn: intent.turn });
      host.tree.refresh();
      return;
    case 'show_version':
      await session.showVersion(intent.target);
      host.tree.refresh();
      return;
    case 'rate':
      return session.rate(openEpisode(host), intent.turn, { thumb: intent.thumb });
    case 'note':
      return askForNote(session, intent.turn);
    case 'stop':
      return session.stop();
    case 'continue':
      session.continue();
      return;
    case 'copy':
      await vscode.env.clipboard.writeText(proposalOf(session, intent.turn).code);
      vscode.window.setStatusBarMessage(`$(check) ${vscode.l10n.t('Code copied')}`, 3000);
      return;
    case 'apply':
      return host.proposals.show(proposalOf(session, intent.turn));
    case 'insert':
      return insertProposal(host, proposalOf(session, intent.turn));
    case 'reject':
      if (host.proposals.shows({ episode: openEpisode(host), turn: intent.turn })) await host.proposals.dismiss();
      return session.decide(openEpisode(host), intent.turn, 'rejected');
    case 'approve':
      host.tools.decide(intent.run);
      return;
    case 'run_tests':
      return testProposal(host, openEpisode(host), intent.turn);
    case 'find_files':
    case 'attach':
    case 'detach':
    case 'toggle_active':
      return followContextIntent(host, intent);
    case 'consent':
      return session.setConsent(openEpisode(host), intent.scope);
    case 'draft':
      session.setDraft(intent.episode, intent.text);
      return;
    case 'edit_draft':
      session.setEdit(intent.episode, intent.edit);
      return;
    case 'open_link': {
      const link = safeLink(intent.href);
      if (link !== null) await vscode.env.openExternal(vscode.Uri.parse(link, true));
      return;
    }
    case 'choose_server':
      await vscode.commands.executeCommand('turnwise.chooseChatServer');
      return;
    case 'new':
      return host.openEpisode(null);
    case 'highlight':
      await host.chat.highlight(intent);
      return;
    case 'earlier':
      session.showEarlier();
      return;
    default:
      intent satisfies never;
  }
}

/** Edited words take along what had gone with the old ones, and what is attached now. */
async function branchWithContext(
  { session, context, tree }: Host,
  words: string,
  old: string,
  wish: (text: string) => BranchWish,
): Promise<void> {
  await session.branch(wish(await context.compose(words, splitContext(old).attachments)));
  context.clear();
  tree.refresh();
}

function lastWords(turn: TurnState | undefined): string {
  return turn?.observations.at(-1)?.text ?? '';
}

function openEpisode({ session }: Host): string {
  if (session.episode !== null) return session.episode;
  throw new Error(vscode.l10n.t('No conversation is open; send a request first.'));
}
