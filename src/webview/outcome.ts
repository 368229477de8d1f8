import { html, nothing, type TemplateResult } from 'lit';
import type { ChatView } from '../core/webview-protocol.ts';
import { rating, type OnRating } from './rating.ts';
import { t } from './l10n.ts';

/** What the whole conversation came to, once there is something to judge, and the way on to the next task. */
export function outcome(
  { turns, status }: ChatView,
  on: OnRating & { readonly newTask: () => void },
): TemplateResult | typeof nothing {
  const judged = status.rating.thumb !== null || status.rating.note !== null;
  const answered = turns.at(-1)?.kind === 'answer';
  if (status.running !== null || !(judged || answered)) return nothing;
  return html`<section class="outcome" aria-label=${t('Outcome of this task')}>
    <span class="asked">${t('Did it do what you wanted?')}</span>
    ${rating(status.rating, { up: t('It did what I wanted'), down: t('It did not do what I wanted') }, on)}
    <button
      class="secondary"
      title=${t('Start a new conversation; this one stays in the history')}
      @click=${on.newTask}
    >
      ${t('New Task')}
    </button>
    ${
      status.rating.note === null
        ? nothing
        : html`<p class="mark note">
            <span class="codicon codicon-note" aria-hidden="true"></span><span dir="auto">${status.rating.note}</span>
          </p>`
    }
  </section>`;
}
