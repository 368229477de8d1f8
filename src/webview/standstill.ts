import { html, nothing, type TemplateResult } from 'lit';
import type { ChatView } from '../core/webview-protocol.ts';
import { versionSwitcher } from './version-switcher.ts';
import { t } from './l10n.ts';

/** Why the conversation does not go on by itself, and every way on: in place, in a branch, in another version, or anew. */
export function standstill(
  { status, turns }: ChatView,
  on: {
    readonly post: (type: 'new' | 'continue') => () => void;
    /** Another go at the turn that is due, in a branch. */
    readonly retry: (turn: number) => void;
    readonly show: (episode: string, place: string) => void;
  },
): TemplateResult | typeof nothing {
  if (status.offer === 'wait') return html`<p class="mark">${t('Another window is waiting for the agent.')}</p>`;
  if (status.offer === 'new') {
    return html`<div class="trouble">
      <p>${status.trouble ?? t('This conversation is over.')}</p>
      <button class="primary" @click=${on.post('new')}>${t('New Conversation')}</button>
    </div>`;
  }
  if (status.offer !== 'continue') return nothing;
  const due = (turns.at(-1)?.index ?? -1) + 1;
  const place = `action-${due}`;
  return html`<div class="trouble" role="status">
    <p>
      <span class="codicon codicon-warning" aria-hidden="true"></span>
      ${status.trouble ?? t('The agent has not answered yet.')}
    </p>
    <button class="primary" title=${t('Ask again, here')} @click=${on.post('continue')}>${t('Continue')}</button>
    ${
      status.trouble === null || !status.mayBranch
        ? nothing
        : html`<button
            class="secondary"
            title=${t('Ask again in a branch; what was said here stays')}
            @click=${() => {
              on.retry(due);
            }}
          >
            ${t('Retry in a Branch')}
          </button>`
    }
    ${versionSwitcher(
      status.nextVersions,
      { what: t('Turn {turn}', { turn: due + 1 }), place, busy: false },
      (target) => {
        on.show(target, place);
      },
    )}
  </div>`;
}
