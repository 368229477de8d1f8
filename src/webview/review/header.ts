import { html, nothing, type TemplateResult } from 'lit';
import type { Axis, Figure, ReviewHead, ReviewPageMessage, ReviewRow } from '../../core/review-protocol.ts';
import { vars } from './vars.ts';
import { excludedTurns, WORDS } from './words.ts';

/** What the episode is, what it came to, and who says so. */
export function reviewHeader(
  head: ReviewHead,
  excluded: number,
  actions: {
    readonly openChat: () => void;
    readonly score: () => void;
    readonly post: (message: ReviewPageMessage) => void;
  },
): TemplateResult {
  const { scoredBy, progress } = head;
  return html`<header class="head">
    <div class="titles">
      <h1 dir="auto">${head.title}</h1>
      ${override(head, actions.post)}
      <button class="icon" title=${WORDS.openChat} aria-label=${WORDS.openChat} @click=${actions.openChat}>
        <span class="codicon codicon-comment-discussion" aria-hidden="true"></span>
      </button>
      <button class="icon" title=${WORDS.scoreNow} aria-label=${WORDS.scoreNow} @click=${actions.score}>
        <span class="codicon codicon-refresh" aria-hidden="true"></span>
      </button>
    </div>
    <p class="about muted">
      ${head.about} ·
      ${scoredBy === null ? WORDS.nobody : html`${scoredBy.name}, ${scoredBy.how}`}${excluded === 0 ? nothing : html` · ${excludedTurns(excluded)}`}
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

/** What the reviewer says of the whole conversation. */
function override(
  { override: { excluded, reviewed }, changed }: ReviewHead,
  post: (message: ReviewPageMessage) => void,
): TemplateResult {
  return html`<span class="switches">
    <button
      class="toggle"
      aria-pressed=${reviewed}
      title=${changed ? WORDS.review.changed : WORDS.review.wholeSeen}
      @click=${() => {
        post({ type: 'reviewed', turn: null, reviewed: !reviewed });
      }}
    >
      <span class="codicon codicon-${changed ? 'history' : 'check-all'}" aria-hidden="true"></span>
      ${changed ? WORDS.review.again : WORDS.review.whole}
    </button>
    <button
      class="toggle"
      aria-pressed=${excluded}
      title=${WORDS.review.wholeExcluded}
      @click=${() => {
        post({ type: 'exclude', turn: null, excluded: !excluded });
      }}
    >
      <span class="codicon codicon-circle-slash" aria-hidden="true"></span>
      ${excluded ? WORDS.review.excluded : WORDS.review.exclude}
    </button>
  </span>`;
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
export function legend({ band, noise }: ReviewHead, rows: readonly ReviewRow[]): TemplateResult {
  const drawn = rows.some(({ mean }) => mean.noise !== null && mean.noise[0] < mean.noise[1]);
  const any = (read: (row: ReviewRow) => unknown): boolean => rows.some((row) => read(row) !== null);
  const entry = (kind: string, words: string): TemplateResult =>
    html`<span><i class=${`key ${kind}`} aria-hidden="true"></i>${words}</span>`;
  return html`<div class="legend">
    ${noise === null ? nothing : drawn ? entry('noise', noise) : html`<span>${noise}</span>`}
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
