import { html, nothing, type TemplateResult } from 'lit';
import type { CompareView, Figure, ReviewPageMessage } from '../../core/review-protocol.ts';
import { bar } from './bar.ts';
import { vars } from './vars.ts';
import { WORDS } from './words.ts';
import { t } from '../l10n.ts';

/** Two scorings of one episode, bar beside bar; what changes its sign is named. */
export function compareTab(
  view: CompareView | null,
  post: (message: ReviewPageMessage) => void,
): TemplateResult | typeof nothing {
  if (view === null) return nothing;
  if (view.b === null) return html`<p class="help">${view.remark}</p>`;
  const choose = (side: 'a' | 'b') => (event: Event) => {
    if (!(event.target instanceof HTMLSelectElement)) return;
    post({ type: 'compare', a: view.a ?? '', b: view.b ?? '', [side]: event.target.value });
  };
  const side = (which: 'a' | 'b', label: string): TemplateResult =>
    html`<label
      >${label}
      <select @change=${choose(which)}>
        ${view.scorings.map(
          ({ key, name, how, shown }) =>
            html`<option value=${key} ?selected=${key === view[which]}>
              ${name} · ${how}${shown ? ` (${t('shown')})` : ''}
            </option>`,
        )}
      </select></label
    >`;
  const { low, high } = view.axis;
  return html`<section class="compare" aria-label=${WORDS.tabs.compare} ${vars({ low, high })}>
    <div class="sides">${side('a', WORDS.compare.first)} ${side('b', WORDS.compare.second)}</div>
    <p class="figures">
      <span
        >${WORDS.compare.agreement} <b class="num" data-figure="agreement">${view.agreement.label}</b>
        <span class="muted">(Spearman's ρ)</span></span
      >
      <span>${WORDS.compare.difference} <b class="num">${view.difference.label}</b></span>
    </p>
    <p class="muted">${view.remark}</p>
    <table>
      <thead>
        <tr>
          <th scope="col">${WORDS.turn}</th>
          <th scope="col">${WORDS.compare.first}</th>
          <th scope="col">${WORDS.compare.second}</th>
          <th scope="col"><span class="sr-only">${t('Sign')}</span></th>
        </tr>
      </thead>
      <tbody>
        ${view.turns.map(
          ({ index, said, a, b, flips }) =>
            html`<tr class=${flips ? 'flips' : ''}>
              <th scope="row"><span class="no">${index + 1}</span> <span class="said" dir="auto">${said}</span></th>
              <td>${cell(a)}</td>
              <td>${cell(b)}</td>
              <td>
                ${flips ? html`<span class="codicon codicon-arrow-swap" aria-hidden="true"></span> ${WORDS.flips}` : nothing}
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}

/** A bar and its number, or why there is none. */
export function cell(figure: Figure): TemplateResult {
  if (figure.value === null) return html`<span class="muted">${figure.label}</span>`;
  return html`<span class="cell"
    >${bar({ ...figure, noise: null, placeholders: null }, false)}<span class="num">${figure.label}</span></span
  >`;
}
