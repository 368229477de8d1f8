import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { Mark, ReviewRow } from '../../core/review-protocol.ts';
import { REVIEW_LABELS } from '../../core/override.ts';
import { bar } from './bar.ts';
import { WORDS } from './words.ts';
import { t } from '../l10n.ts';

/** One turn in the list. It is drawn again only when its own row is another one. */
export class ReviewRowElement extends LitElement {
  static override readonly properties = {
    row: { attribute: false },
    banded: { type: Boolean },
  };

  declare row: ReviewRow | null;
  /** Placebo gains are known, and drawn behind the second bar. */
  declare banded: boolean;

  constructor() {
    super();
    this.row = null;
    this.banded = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override shouldUpdate(changed: PropertyValues<this>): boolean {
    return changed.has('row') || changed.has('banded');
  }

  protected override render(): TemplateResult | typeof nothing {
    const { row } = this;
    if (row === null) return nothing;
    const known = row.total.value !== null;
    return html`
      <span class="no"><span class="sr-only">${WORDS.turn} </span>${row.index + 1}</span>
      <span class="words">
        <span class="said" dir="auto">${row.said}</span>
        <span class="reply" dir="auto">${row.reply ?? nothing}</span>
      </span>
      <span class="flags">${flags(row)}</span>
      ${
        known
          ? html`<span class="column total">
                ${bar(row.total, false)}<span class="num" data-figure="total">${row.total.label}</span>
                <span class="sr-only">${WORDS.total}</span>
              </span>
              <span class="column mean">
                ${bar(row.mean, this.banded)}<span class="num" data-figure="mean">${row.mean.label}</span>
                <span class="sr-only">${WORDS.aToken}</span>
              </span>
              <span class="num advantage" data-tip="advantage" data-turn=${row.index} data-figure="advantage"
                >${row.advantage.value === null ? '–' : row.advantage.label}</span
              ><span class="sr-only">${row.advantage.value === null ? row.against : WORDS.advantage}</span>`
          : html`<span class="unknown" data-pending=${row.pending}>${row.total.label}</span>`
      }
    `;
  }
}

customElements.define('tw-review-row', ReviewRowElement);

function flags({ marks, caution, override, index }: ReviewRow): TemplateResult {
  const { label, excluded, note, reviewed } = override;
  return html`${marks.map((mark) => flag(MARK_ICONS[mark.id] ?? 'bookmark', mark, index))}
  ${caution === null ? nothing : flag('warning', { title: t('Caution'), rule: caution }, index)}
  ${note === null ? nothing : icon('note', t('Has a note'))}
  ${excluded ? icon('circle-slash', WORDS.review.excluded) : nothing}
  ${
    label !== null
      ? html`<span class="label" title=${WORDS.labels[label]}>${REVIEW_LABELS.indexOf(label) + 1}</span>`
      : reviewed
        ? icon('check', WORDS.review.seen)
        : nothing
  }`;
}

/** Shapes, so that marks can be told apart without colour. */
export const MARK_ICONS: Readonly<Record<string, string>> = {
  honourable_failure: 'heart',
  premature_answer: 'rocket',
  all_was_said: 'mute',
  own_sake: 'refresh',
  acted_against: 'arrow-swap',
};

function flag(name: string, { title, rule }: Pick<Mark, 'title' | 'rule'>, turn: number): TemplateResult {
  return html`<span
    class="codicon codicon-${name} flag"
    role="img"
    aria-label=${title}
    data-tip="text"
    data-turn=${turn}
    data-title=${title}
    data-text=${rule}
  ></span>`;
}

function icon(name: string, title: string): TemplateResult {
  return html`<span class="codicon codicon-${name} flag" role="img" aria-label=${title} title=${title}></span>`;
}
