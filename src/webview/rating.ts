import { html, type TemplateResult } from 'lit';
import type { RatingView } from '../core/webview-protocol.ts';
import { t } from './l10n.ts';

/** What is asked for: a thumb (null takes it back), or to be asked for a note. */
export interface OnRating {
  readonly thumb: (thumb: 0 | 1 | null) => void;
  readonly note: () => void;
}

/** Two thumbs and a note; a second click on a thumb takes it back. `labels` say what up and down mean. */
export function rating(
  { thumb, note }: RatingView,
  labels: { readonly up: string; readonly down: string },
  on: OnRating,
): TemplateResult {
  const button = (value: 0 | 1, label: string, icon: string): TemplateResult =>
    html`<button
      class="icon"
      aria-label=${label}
      title=${label}
      aria-pressed=${thumb === value}
      @click=${() => {
        on.thumb(thumb === value ? null : value);
      }}
    >
      <span class="codicon codicon-${icon}${thumb === value ? '-filled' : ''}" aria-hidden="true"></span>
    </button>`;
  const noteLabel = note === null ? t('Add a note') : t('Change the note');
  return html`${button(1, labels.up, 'thumbsup')} ${button(0, labels.down, 'thumbsdown')}
    <button class="icon" aria-label=${noteLabel} title=${noteLabel} aria-haspopup="dialog" @click=${on.note}>
      <span class="codicon codicon-note" aria-hidden="true"></span>
    </button>`;
}
