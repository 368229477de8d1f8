import type { ChatView, TurnView } from '../core/webview-protocol.ts';

/** The question that waits for the developer; null when none does. Of one that was stopped, the options may be cut short. */
export function openQuestion(view: ChatView): TurnView | null {
  const last = view.turns.at(-1);
  const whole = last?.kind === 'question' && last.state !== 'stopped';
  const open = whole && view.status.offer === 'reply' && last.replies.length === 0;
  return open ? last : null;
}
