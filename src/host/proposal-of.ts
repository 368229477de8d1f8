import * as vscode from 'vscode';
import { codeLanguage } from '../core/code-language.ts';
import { splitContext } from '../core/context-text.ts';
import type { ChatSession } from '../app/chat-session.ts';
import type { Proposal } from './proposal-diff.ts';

/** The code that a turn of the open conversation proposes, with what went along when it was asked for; throws where it has none. */
export function proposalOf({ episode, state }: ChatSession, index: number): Proposal {
  const turn = state.turns[index];
  if (episode === null || !turn?.code) {
    throw new Error(vscode.l10n.t('This turn proposes no code; look at the newest message of the chat.'));
  }
  const words = [
    state.request ?? '',
    ...state.turns.slice(0, index).flatMap(({ observations }) => observations.map(({ text }) => text)),
  ];
  return {
    episode,
    turn: index,
    code: turn.code,
    language: codeLanguage(turn.text, state.answerMarker),
    attached: words.flatMap((text) => splitContext(text).attachments),
  };
}
