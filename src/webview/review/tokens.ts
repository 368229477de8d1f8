import { html, nothing, type TemplateResult } from 'lit';
import type { TokenRuns } from '../../core/review-protocol.ts';
import { signed } from '../../core/review.ts';
import { WORDS } from './words.ts';
import { t } from '../l10n.ts';

/** |D_j| in nats from which a word is tinted one step more; the same for every turn, so that tints can be compared. */
export const TINTS = [0.1, 0.25, 0.5, 1, 2, 4] as const;

/** The step of a shift, 0 to 6. */
export function tintOf(shift: number): number {
  return TINTS.filter((from) => Math.abs(shift) >= from).length;
}

/** The next action, every word tinted by its D_j: above the line what the reply made likelier, dashed what it made less likely. */
export function tokenText(runs: TokenRuns, chosen: number | null): TemplateResult {
  return html`<div
    class="tokens"
    dir="auto"
    role="group"
    aria-label=${t('Words of the next action, tinted by what the reply did to them')}
  >
    ${runs.shifts.map((shift, at) => {
      const step = tintOf(shift);
      const side = shift < 0 ? 'neg' : 'pos';
      return html`<span
        class=${`t t${step} ${step === 0 ? '' : side}${at === chosen ? ' chosen' : ''}`}
        data-at=${at}
        tabindex=${at === (chosen ?? 0) ? 0 : -1}
        >${runs.texts === null ? '▪' : shownText(runs.texts[at] ?? '')}</span
      >`;
    })}
  </div>`;
}

/** What the tints mean. */
export function tokenLegend(): TemplateResult {
  const step = (side: 'pos' | 'neg', at: number): TemplateResult =>
    html`<span class=${`t t${at} ${side}`}>${side === 'pos' ? '+' : '−'}${TINTS[at - 1]}</span>`;
  const steps = TINTS.map((_, at) => at + 1);
  return html`<div class="legend tokens-legend">
    <span>${WORDS.legendAgainst}</span>
    <span class="swatches">
      ${[...steps].reverse().map((at) => step('neg', at))}${steps.map((at) => step('pos', at))}
    </span>
    <span>${WORDS.legendTokens}</span>
  </div>`;
}

/** The words that mattered most, by name. */
export function largest(runs: TokenRuns, choose: (at: number) => void): TemplateResult | typeof nothing {
  if (runs.largest.length === 0) return nothing;
  return html`<ol class="largest" aria-label=${t('The largest shifts')}>
    ${runs.largest.map((at) => {
      const shift = runs.shifts[at] ?? 0;
      return html`<li>
        <button
          class=${`t t${tintOf(shift)} ${shift < 0 ? 'neg' : 'pos'}`}
          @click=${() => {
            choose(at);
          }}
        >
          <bdi class="name">${visible(runs.texts?.[at] ?? `word ${at + 1}`)}</bdi>
          <span class="num">${signed(shift, 2)}</span>
        </button>
      </li>`;
    })}
  </ol>`;
}

/** Both log-probs of one word. */
export function probe(runs: TokenRuns, at: number | null): TemplateResult {
  const shift = at === null ? undefined : runs.shifts[at];
  if (at === null || shift === undefined) return html`<p class="probe muted">${WORDS.probe}</p>`;
  const count = runs.counts[at] ?? 1;
  return html`<p class="probe" role="status">
    <bdi class="name">${visible(runs.texts?.[at] ?? `word ${at + 1}`)}</bdi>
    <span
      >log p <b data-figure="factual">${signed(runs.factual[at] ?? 0, 3)}</b> ${WORDS.withReply},
      <b data-figure="masked">${signed(runs.masked[at] ?? 0, 3)}</b> ${WORDS.without}</span
    >
    <span>D <b data-figure="shift">${signed(shift, 3)}</b></span>
    <span class="muted"
      >${times(shift)}${count === 1 ? '' : ` · ${count} tokens, one character: their log-probs added up`}</span
    >
  </p>`;
}

/** e^|D|: how many times as likely the reply made it, or how many times less. */
function times(shift: number): string {
  const factor = Math.exp(Math.abs(shift));
  const shown = factor >= 1000 ? 'over 1,000' : factor >= 10 ? factor.toFixed(0) : factor.toFixed(2);
  return `${shift < 0 ? '÷' : '×'} ${shown}`;
}

/** A line break alone would show no tint. */
function shownText(text: string): string {
  return /^\n+$/.test(text) ? text.replaceAll('\n', '↵\n') : text;
}

/** A word in a list: what cannot be seen is written out. */
export function visible(text: string): string {
  const written = text.replaceAll('\n', '↵').replaceAll('\t', '→').replace(/^ | $/g, '␣');
  return written === '' ? '∅' : written;
}
