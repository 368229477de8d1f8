import { html, nothing, type TemplateResult } from 'lit';
import type { TurnView } from '../core/webview-protocol.ts';
import { visibleControls } from '../core/visible-controls.ts';
import { t } from './l10n.ts';
import type { OnTurnIntent } from './turn.ts';

/** The letters of the options, which are also their keys. */
export const LETTERS = ['A', 'B', 'C', 'D', 'E'] as const;

/**
 * The options of a question. Open, each is a button: a click sends it, Shift+click or the pencil takes it to the composer
 * first. Answered, it is read-only and shows what was chosen.
 */
export function questionCard(turn: TurnView, open: boolean, onIntent: OnTurnIntent): TemplateResult {
  if (turn.options.length === 0) return html``;
  if (open) return openCard(turn, onIntent);
  const reply = turn.replies[0];
  return html`<ul class="card answered" aria-label=${t('Options')}>
    ${turn.options.map((option, index) => {
      const chosen = reply?.kind === 'option' && reply.option === option;
      const edited = reply?.kind === 'edited_option' && reply.option === option;
      return html`<li class=${chosen || edited ? 'option chosen' : 'option'}>
        <span class="key" aria-hidden="true">${LETTERS[index]}</span>
        <span class="text" dir="auto">${visibleControls(option)}</span>
        ${chosen ? said('check', t('your answer')) : edited ? said('edit', t('edited by you')) : nothing}
      </li>`;
    })}
  </ul>`;
}

function openCard(turn: TurnView, onIntent: OnTurnIntent): TemplateResult {
  const last = LETTERS[turn.options.length - 1] ?? 'E';
  return html`<fieldset class="card" data-turn=${turn.index}>
    <legend class="sr-only">
      ${t('Answer with a click or press A to {last}, or in your own words below', { last })}
    </legend>
    ${turn.options.map(
      (option, index) =>
        html`<div class="option">
          <button
            class="choice"
            data-option=${index}
            aria-keyshortcuts="${LETTERS[index]} Alt+${LETTERS[index]}"
            title=${t('Send this answer ({letter}). Shift+click to edit it first.', { letter: LETTERS[index] ?? '' })}
            @click=${(event: MouseEvent) => {
              onIntent({ type: event.shiftKey ? 'edit' : 'choose', turn: turn.index, option: index });
            }}
          >
            <span class="key" aria-hidden="true">${LETTERS[index]}</span>
            <span class="text" dir="auto">${visibleControls(option)}</span>
          </button>
          <button
            class="icon"
            aria-label=${t('Edit answer {letter} before sending', { letter: LETTERS[index] ?? '' })}
            title=${t('Edit before sending')}
            @click=${() => {
              onIntent({ type: 'edit', turn: turn.index, option: index });
            }}
          >
            <span class="codicon codicon-edit" aria-hidden="true"></span>
          </button>
        </div>`,
    )}
  </fieldset>`;
}

function said(icon: string, words: string): TemplateResult {
  return html`<span class="said"><span class="codicon codicon-${icon}" aria-hidden="true"></span>${words}</span>`;
}
