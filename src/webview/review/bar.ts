import { html, nothing, type TemplateResult } from 'lit';
import type { Bar } from '../../core/review-protocol.ts';
import { vars } from './vars.ts';

/**
 * One diverging bar: what is left of the zero line made the next action less likely, what is right of it likelier. The column around
 * it holds the range (`--low`, `--high`), so that a new scale moves every bar and draws none of them again.
 */
export function bar({ value, noise, placeholders }: Bar, banded: boolean): TemplateResult {
  const side = value === null || value === 0 ? 'zero' : value > 0 ? 'pos' : 'neg';
  return html`<span class="bar" data-side=${side} aria-hidden="true">
    ${banded ? html`<i class="band"></i>` : nothing}<i class="axis"></i>
    ${value === null ? nothing : html`<i class="fill" ${vars({ from: Math.min(0, value), to: Math.max(0, value) })}></i>`}
    ${placeholders === null ? nothing : html`<i class="whisker placeholders" ${vars({ from: placeholders[0], to: placeholders[1] })}></i>`}
    ${noise === null ? nothing : html`<i class="whisker noise" ${vars({ from: noise[0], to: noise[1] })}></i>`}
  </span>`;
}
