import { html, type TemplateResult } from 'lit';
import type { ChatView } from '../core/webview-protocol.ts';
import { outcome } from './outcome.ts';
import { brokenOff, runningAction } from './running-action.ts';
import { standstill } from './standstill.ts';
import { approval } from './tool-call.ts';
import type { TurnIntent } from './turn.ts';

/** What is asked for about the conversation as a whole. */
export type OutcomeIntent =
  | { readonly type: 'rate'; readonly turn: null; readonly thumb: 0 | 1 | null }
  | { readonly type: 'note'; readonly turn: null };

/** What stands under the turns: the action that runs or broke off, why it does not go on, and what it all came to. */
export function belowTurns(
  view: ChatView,
  on: {
    readonly post: (type: 'new' | 'continue') => () => void;
    /** The developer's word on a command that waits for it. */
    readonly approve: (run: boolean) => void;
    readonly intent: (intent: TurnIntent | OutcomeIntent) => void;
  },
): TemplateResult {
  const { status } = view;
  return html`${status.approval === null ? runningAction(status) : approval(status.approval, on.approve)}
  ${brokenOff(status)}
  ${standstill(view, {
    post: on.post,
    retry: (turn) => {
      on.intent({ type: 'regenerate', turn });
    },
    show: (target, place) => {
      on.intent({ type: 'show_version', target, place });
    },
  })}
  ${outcome(view, {
    thumb: (thumb) => {
      on.intent({ type: 'rate', turn: null, thumb });
    },
    note: () => {
      on.intent({ type: 'note', turn: null });
    },
    newTask: on.post('new'),
  })}`;
}
