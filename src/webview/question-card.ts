import { html, nothing, type TemplateResult } from 'lit';
import type { TurnView } from '../core/webview-protocol.ts';
import { visibleControls } from '../core/visible-controls.ts';
import { t } from './l10n.ts';
import type { OnTurnIntent } from './turn.ts';

/** The letters of the options, which are also their keys. */
export const LETTERS = ['A', 'B', 'C', 'D', 'E'] as const;

/** How a card is drawn besides what its turn says. */
export interface CardState {
  /** The developer may answer it now. */
  readonly open: boolean;
  /** The option that was clicked and is on its way, or is being edited in the composer; null: none is. */
  readonly picked: number | null;
  /** An answer that was given may be changed, in a branch. */
  readonly mayChange: boolean;
}

/**
 * The options of a question. Open, each is a button: a click sends it, Shift+click or the pencil takes it to the composer
 * first. Answered, it is read-only and shows what was chosen. Of a question that was cut short the options are read, not taken.
 */
export function questionCard(turn: TurnView, state: CardState, onIntent: OnTurnIntent): TemplateResult {
  if (turn.options.length === 0) return html``;
  if (state.open) return openCard(turn, state, onIntent);
  return turn.state === 'stopped' ? cutShort(turn) : answeredCard(turn, state, onIntent);
}

function openCard(turn: TurnView, { picked }: CardState, onIntent: OnTurnIntent): TemplateResult {
  const last = LETTERS[turn.options.length - 1] ?? 'E';
  return html`<fieldset class="card" data-turn=${turn.index}>
    <legend class="sr-only">
      ${t('Answer with a click or press A to {last}, press S to skip, or answer in your own words below', { last })}
    </legend>
    ${turn.options.map(
      (option, index) =>
        html`<div class="option">
          <button
            class="choice"
            data-option=${index}
            aria-pressed=${index === picked}
            aria-keyshortcuts="${LETTERS[index]} Alt+${LETTERS[index]}"
            title=${t('Send this answer ({letter}). Shift+click to edit it first.', { letter: LETTERS[index] ?? '' })}
            @click=${(event: MouseEvent) => {
              onIntent({ type: event.shiftKey ? 'edit' : 'choose', turn: turn.index, option: index });
            }}
          >
            ${optionText(turn, index, option)}
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

function answeredCard(turn: TurnView, { mayChange }: CardState, onIntent: OnTurnIntent): TemplateResult {
  const reply = turn.replies[0];
  const taken = reply?.kind === 'option' || reply?.kind === 'edited_option' ? reply : null;
  return html`<fieldset class="card answered">
    <legend class="sr-only">${reply === undefined ? t('Not answered') : t('Answered')}</legend>
    ${turn.options.map((option, index) => {
      const chosen = taken?.option === option;
      return html`<div class=${chosen ? 'option chosen' : 'option'}>
        <button class="choice" disabled aria-pressed=${chosen}>
          ${optionText(turn, index, option)}
          ${!chosen ? nothing : taken.kind === 'option' ? said('check', t('your answer')) : said('edit', t('edited by you'))}
        </button>
        ${
          chosen && taken.kind === 'option' && mayChange
            ? html`<button
                class="icon"
                aria-label=${t('Change this answer')}
                title=${t('Change this answer (goes on in a branch)')}
                @click=${() => {
                  onIntent({ type: 'edit_reply', turn: turn.index });
                }}
              >
                <span class="codicon codicon-edit" aria-hidden="true"></span>
              </button>`
            : nothing
        }
      </div>`;
    })}
  </fieldset>`;
}

function cutShort(turn: TurnView): TemplateResult {
  return html`<ul class="card answered" aria-label=${t('Options, cut short')}>
    ${turn.options.map(
      (option, index) => html`<li class="option"><span class="choice">${optionText(turn, index, option)}</span></li>`,
    )}
  </ul>`;
}

function optionText(turn: TurnView, index: number, option: string): TemplateResult {
  return html`<span class="answer">
      <span class="key" aria-hidden="true">${LETTERS[index]}</span>
      <span class="text" dir="auto">${visibleControls(option)}</span>
    </span>
    ${turn.recommended === index ? html`<span class="badge">${t('Recommended')}</span>` : nothing}`;
}

function said(icon: string, words: string): TemplateResult {
  return html`<span class="said"><span class="codicon codicon-${icon}" aria-hidden="true"></span>${words}</span>`;
}
