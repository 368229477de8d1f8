import { html, nothing, type TemplateResult } from 'lit';
import type { GroupView, ReviewPageMessage } from '../../core/review-protocol.ts';
import { cell } from './compare.ts';
import { vars } from './vars.ts';
import { WORDS } from './words.ts';
import { t } from '../l10n.ts';

/** Episodes of one task side by side, turn under turn; branches part at the line. */
export function taskTab(
  view: GroupView | null,
  post: (message: ReviewPageMessage) => void,
): TemplateResult | typeof nothing {
  if (view === null) return html`<p class="help">${WORDS.none}</p>`;
  const { low, high } = view.axis;
  const columns = Array.from({ length: view.turns }, (_, at) => at);
  return html`<section class="task" aria-label=${WORDS.tabs.task} ${vars({ low, high })}>
    <p>${view.words}</p>
    <p class="figures">
      <span>${WORDS.task.mean} <b class="num">${view.mean.label}</b></span>
      <span>${WORDS.task.sd} <b class="num">${view.sd.label}</b></span>
      <span>${WORDS.task.gate} <b class="num">${view.gate.label}</b></span>
      ${view.episodes.every(({ fork }) => fork === null) ? nothing : html`<span class="muted">┊ ${WORDS.task.fork}</span>`}
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label=${t('Conversations of this task')}>
      <table>
        <thead>
          <tr>
            <th scope="col">${t('Conversation')}</th>
            <th scope="col">${t('Outcome')}</th>
            ${columns.map((turn) => html`<th scope="col">${turn + 1}</th>`)}
            <th scope="col">${WORDS.stats.total}</th>
          </tr>
        </thead>
        <tbody>
          ${view.episodes.map(
            (episode) =>
              html`<tr class=${episode.shown ? 'shown' : ''}>
                <th scope="row" data-depth=${Math.min(episode.depth, 3)}>
                  ${
                    episode.shown
                      ? html`<span dir="auto">${episode.title}</span> <span class="muted">${WORDS.task.here}</span>`
                      : html`<button
                          class="link"
                          dir="auto"
                          @click=${() => {
                            post({ type: 'open_episode', episode: episode.id });
                          }}
                        >
                          ${episode.title}
                        </button>`
                  }
                </th>
                <td class="num">${episode.outcome.label}</td>
                ${columns.map((turn) => {
                  const own = episode.turns.find(({ index }) => index === turn);
                  return html`<td
                    class=${`${turn === episode.fork ? 'fork' : ''} ${own?.inherited === true ? 'inherited' : ''}`}
                  >
                    ${own === undefined ? nothing : cell(own.total)}
                  </td>`;
                })}
                <td class="num">${episode.total.label}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}
