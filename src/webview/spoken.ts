import type { ChatView, TurnView } from '../core/webview-protocol.ts';
import { t } from './l10n.ts';

/**
 * What a screen reader is told of a change: a turn that is whole, or what went wrong; null: nothing. What streams in is never
 * read out piece by piece.
 */
export function spokenChange(before: ChatView | null, after: ChatView): string | null {
  const last = after.turns.at(-1);
  const isNew = last !== undefined && before?.turns.at(-1)?.index !== last.index;
  if (isNew) return spokenTurn(last);
  const { trouble } = after.status;
  return trouble !== null && before?.status.trouble !== trouble ? trouble : null;
}

function spokenTurn(turn: TurnView): string {
  const options = turn.options.map((option, index) => `${'ABCDE'.charAt(index)}: ${option}.`).join(' ');
  const code = turn.code === null ? '' : t('The agent proposes code.');
  return [turn.prose, options, code].filter((part) => part !== '').join(' ');
}
