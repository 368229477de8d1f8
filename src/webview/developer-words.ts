import { html, nothing, type TemplateResult } from 'lit';
import { splitContext } from '../core/context-text.ts';
import { visibleControls } from '../core/visible-controls.ts';
import type { StatusView, VersionsView } from '../core/webview-protocol.ts';
import { capped } from './capped.ts';
import { attachments } from './context-chips.ts';
import type { OnTurnIntent } from './turn.ts';
import { versionSwitcher } from './version-switcher.ts';
import { t } from './l10n.ts';

/** What may be done about words of the developer; null where they cannot be edited. */
export interface WordsMoves {
  readonly versions: VersionsView | null;
  /** Names the place in the page: `request`, or `reply-` and the turn. */
  readonly place: string;
  readonly busy: boolean;
  readonly edit: (() => void) | null;
  readonly show: (episode: string) => void;
}

/** The developer's words, as typed, and what was attached to them, with their versions and a pencil under them. */
export function developerWords(text: string, label: string | null, moves: WordsMoves | null): TemplateResult {
  const { words, attachments: attached } = splitContext(text);
  return html`<article class="developer" aria-label=${t('You')}>
    ${label === null ? nothing : html`<span class="label">${label}</span>`}
    <div class="words" dir="auto">${capped(words, plain)}</div>
    ${attachments(attached)}
    ${moves === null || (moves.versions === null && moves.edit === null) ? nothing : wordsActions(moves)}
  </article>`;
}

/** Words as they stand, with nothing in them that acts unseen. */
function plain(text: string): TemplateResult {
  return html`${visibleControls(text)}`;
}

/** The versions of words, and the pencil that makes another one. */
export function wordsActions({ versions, place, busy, edit, show }: WordsMoves): TemplateResult {
  const what = place === 'request' ? t('Your request') : t('Your reply');
  return html`<div class="words-actions">
    ${versionSwitcher(versions, { what, place, busy }, show)}
    ${
      edit === null
        ? nothing
        : html`<button
            class="icon"
            aria-label=${place === 'request' ? t('Edit your request') : t('Edit your reply')}
            title=${t('Edit and send again (goes on in a branch)')}
            @click=${edit}
          >
            <span class="codicon codicon-edit" aria-hidden="true"></span>
          </button>`
    }
  </div>`;
}

/** The request, above all turns. */
export function requestWords(
  request: string,
  { mayBranch, requestVersions, running }: StatusView,
  on: { readonly edit: (words: string) => void; readonly intent: OnTurnIntent },
): TemplateResult {
  return developerWords(request, null, {
    versions: requestVersions,
    place: 'request',
    busy: running !== null,
    edit: mayBranch
      ? () => {
          on.edit(splitContext(request).words);
        }
      : null,
    show: (target) => {
      on.intent({ type: 'show_version', target, place: 'request' });
    },
  });
}
