import { html, nothing, type TemplateResult } from 'lit';
import type { Figure, ReviewHead, ReviewRow } from '../../core/review-protocol.ts';
import { t } from '../l10n.ts';

/** A_t = z + beta * gate * s * A_int (spec S7), with the ledger's numbers in it; each term says more on hover and on focus. */
export function creditLine(head: ReviewHead, row: ReviewRow): TemplateResult {
  if (row.advantage.value === null) {
    return html`<p class="credit muted">${row.total.value === null ? row.total.label : row.against}</p>`;
  }
  const aInt = row.aInt.value === null ? { value: null, label: '0' } : row.aInt;
  return html`<div class="credit" role="group" aria-label=${t('How the advantage came about')}>
    ${term('A', row.advantage, 'advantage', row.index, 'result')}
    <span class="op">=</span>
    ${term('z', head.z.value === null ? { value: null, label: '0' } : head.z, 'z', row.index)}
    <span class="op">+</span>
    ${term('β', head.beta, 'beta', row.index)}
    <span class="op">·</span>
    ${term('gate', head.gate, 'gate', row.index)}
    <span class="op">·</span>
    ${term('s', head.scale, 'scale', row.index)}
    <span class="op">·</span>
    ${term('A_int', aInt, 'a_int', row.index)}
    <span class="against muted">${row.against}</span>
  </div>`;
}

function term(name: string, { label }: Figure, tip: string, turn: number, kind = ''): TemplateResult {
  return html`<button class=${`term ${kind}`} data-tip=${tip} data-turn=${turn}>
    <span class="name">${name === 'A_int' ? html`A<sub>int</sub>` : name}</span>
    <span class="num" data-figure=${tip}>${label}</span>
  </button>`;
}

/** The arithmetic of an episode and a turn as the command line prints it. */
export function arithmetic(head: ReviewHead, row: ReviewRow): TemplateResult | typeof nothing {
  if (head.arithmetic.length === 0) return nothing;
  return html`<details class="arithmetic">
    <summary>Arithmetic, as <code>turnwise credit --explain</code> prints it</summary>
    ${[...head.arithmetic, ...row.arithmetic].map((line) => html`<p class="formula">${line}</p>`)}
  </details>`;
}
