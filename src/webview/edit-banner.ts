import { html, nothing, type TemplateResult } from 'lit';
import type { EditTarget } from '../core/webview-protocol.ts';
import { LETTERS } from './question-card.ts';
import { t } from './l10n.ts';

/** What the words in the composer would replace, and the way out. */
export function editBanner(
  target: EditTarget | null,
  on: { readonly keep: () => void; readonly cancel: () => void },
): TemplateResult | typeof nothing {
  if (target === null) return nothing;
  const option = target.at === 'option';
  return html`<p class="editing" role="status">
    <span>${meaning(target)}</span>
    ${
      option
        ? html`<button
            class="icon"
            aria-label=${t('Send as own words instead')}
            title=${t('Send as own words instead (Esc: leave it)')}
            @click=${on.keep}
          >
            <span class="codicon codicon-close" aria-hidden="true"></span>
          </button>`
        : html`<button
            class="icon"
            aria-label=${t('Leave it as it is')}
            title=${t('Leave it as it is (Esc)')}
            @click=${on.cancel}
          >
            <span class="codicon codicon-close" aria-hidden="true"></span>
          </button>`
    }
  </p>`;
}

function meaning(target: EditTarget): string {
  switch (target.at) {
    case 'option':
      return t('Editing answer {letter}', { letter: LETTERS[target.option] ?? '' });
    case 'request':
      return t('Editing your request. It goes on in a branch; this one stays.');
    case 'reply':
      return t('Editing your reply to turn {turn}. It goes on in a branch; this one stays.', { turn: target.turn + 1 });
    default:
      return target satisfies never;
  }
}
