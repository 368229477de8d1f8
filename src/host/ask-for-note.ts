import * as vscode from 'vscode';
import type { ChatSession } from '../app/chat-session.ts';

/** Asks for the note on a turn, or (turn null) on the conversation, and records it; an empty one takes it back, Esc changes nothing. */
export async function askForNote(session: ChatSession, turn: number | null): Promise<void> {
  const { episode, state } = session;
  const value = (turn === null ? state.episodeNote : state.turns[turn]?.note) ?? '';
  const note = await vscode.window.showInputBox({
    title:
      turn === null
        ? vscode.l10n.t('Note on this conversation')
        : vscode.l10n.t('Note on turn {turn}', { turn: turn + 1 }),
    prompt: turn === null ? vscode.l10n.t('How did it go?') : vscode.l10n.t('What was good or bad about it?'),
    value,
    ignoreFocusOut: true,
  });
  if (note === undefined || episode === null) return;
  // Meanwhile the chat may show another conversation; the note is on the one that it was asked for.
  await session.rate(episode, turn, { note: note.trim() === '' ? null : note.trim() });
}
