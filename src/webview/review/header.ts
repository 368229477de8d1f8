import { html, nothing, type TemplateResult } from 'lit';
import type { Axis, Figure, ReviewHead, ReviewRow } from '../../core/review-protocol.ts';
import { vars } from './vars.ts';
import { WORDS } from './words.ts';

/** What the episode is, what it came to, and who says so. */
export function reviewHeader(
  head: ReviewHead,
  actions: { readonly openChat: () => void; readonly score: () => void },
): TemplateResult {
  const { scoredBy, progress } = head;
  return html`<header class="head">
    <div class="titles">
      <h1 dir="auto">${head.title}</h1>
      <button class="icon" title=${WORDS.openChat} aria-label=${WORDS.openChat} @click=${actions.openChat}>
        <span class="codicon codicon-comment-discussion" aria-hidden="true"></span>
      </button>
      <button class="icon" title=${WORDS.scoreNow} aria-label=${WORDS.scoreNow} @click=${actions.score}>
        <span class="codicon codicon-refresh" aria-hidden="true"></span>
      </button>
    </div>
    <p class="about muted">
      ${head.about} · ${scoredBy === null ? WORDS.nobody : html`${scoredBy.name}, ${scoredBy.how}`}
    </p>
    <div class="stats">
      ${stat('total', head.total)} ${stat('outcome', head.outcome)} ${stat('z', head.z)} ${stat('gate', head.gate)}
      ${stat('scale', head.scale)}
      ${
        progress === null
          ? nothing
          : html`<button
              class="stat progress"
              data-tip="text"
              data-title=${WORDS.stats.reviewed}
              data-text=${WORDS.tips.reviewed}
            >
              <span class="num">${progress.words}</span>
              <span class="name"
                ><span class="meter" aria-hidden="true"
                  ><i ${vars({ share: progress.total === 0 ? 0 : progress.reviewed / progress.total })}></i></span
                >${WORDS.stats.reviewed}</span
              >
            </button>`
      }
    </div>
    ${
      scoredBy?.stale == null
        ? nothing
        : html`<p class="remark"><span class="codicon codicon-history" aria-hidden="true"></span> ${scoredBy.stale}</p>`
    }
  </header>`;
}

function stat(name: keyof typeof WORDS.stats, { value, label }: Figure): TemplateResult {
  return html`<button class="stat" data-tip=${name} data-unknown=${value === null}>
    <span class="num" data-figure=${`head-${name}`}>${label}</span>
    <span class="name">${WORDS.stats[name]}</span>
  </button>`;
}

/** Names of the columns, and the ticks of both axes. */
export function columnHeads(head: ReviewHead): TemplateResult {
  return html`<div class="heads" aria-hidden="true">
    <span class="turnhead">${WORDS.turn}</span>
    <span class="column total"><span class="name">${WORDS.total}</span>${ticks(head.axes.total)}</span>
    <span class="column mean" title=${head.estimator.equation}
      ><span class="name">${head.estimator.name}</span>${ticks(head.axes.mean)}</span
    >
    <span class="advantage">${WORDS.advantage}</span>
  </div>`;
}

/** The ends and the zero line; what stands between reads from the bars' own numbers. */
function ticks({ low, high, ticks: all }: Axis): TemplateResult {
  const shown = all.filter(({ value }) => value === low || value === 0 || value === high);
  return html`<span class="ticks"
    >${shown.map(
      ({ value, label }) =>
        html`<i class=${value === low ? 'first' : value === high ? 'last' : ''} ${vars({ from: value ?? 0 })}
          >${label}</i
        >`,
    )}</span
  >`;
}

/** What the strokes mean; only those that are drawn. */
export function legend({ band }: ReviewHead, rows: readonly ReviewRow[]): TemplateResult {
  const any = (read: (row: ReviewRow) => unknown): boolean => rows.some((row) => read(row) !== null);
  const entry = (kind: string, words: string): TemplateResult =>
    html`<span><i class=${`key ${kind}`} aria-hidden="true"></i>${words}</span>`;
  return html`<div class="legend">
    ${any(({ mean }) => mean.noise) ? entry('noise', WORDS.legend.noise) : nothing}
    ${any(({ mean }) => mean.placeholders) ? entry('placeholders', WORDS.legend.placeholders) : nothing}
    ${
      band === null
        ? nothing
        : html`<button class="link" data-tip="text" data-title=${WORDS.legend.band} data-text=${band.words}>
            <i class="key band" aria-hidden="true"></i>${WORDS.legend.band}
          </button>`
    }
  </div>`;
}
