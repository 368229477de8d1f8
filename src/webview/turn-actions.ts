import { html, nothing, type TemplateResult } from 'lit';
import type { TurnView } from '../core/webview-protocol.ts';
import { figuresDetail, figuresText } from './figures.ts';
import { rating } from './rating.ts';
import type { OnTurnIntent } from './turn.ts';
import { versionSwitcher } from './version-switcher.ts';
import { t } from './l10n.ts';

/** What may be done about a turn now. */
export interface TurnMoves {
  readonly mayBranch: boolean;
  /** An action runs in this window. */
  readonly busy: boolean;
}

/** The quiet row under what the agent said: its versions, another go, what the developer thinks of it, what it cost. */
export function turnActions(turn: TurnView, { mayBranch, busy }: TurnMoves, onIntent: OnTurnIntent): TemplateResult {
  const { index } = turn;
  const show = (target: string): void => {
    onIntent({ type: 'show_version', target, place: `action-${index}` });
  };
  // What is inherited was said, and is rated, in the conversation that it comes from.
  const own = turn.state !== 'inherited';
  return html`<div class="turn-actions" role="toolbar" aria-label=${t('Turn {turn}', { turn: index + 1 })}>
      ${versionSwitcher(turn.versions, { what: t('Turn {turn}', { turn: index + 1 }), place: `action-${index}`, busy }, show)}
      ${
        mayBranch
          ? html`<button
              class="icon"
              aria-label=${t('Ask again')}
              title=${t('Ask again: another answer here, in a branch')}
              @click=${() => {
                onIntent({ type: 'regenerate', turn: index });
              }}
            >
              <span class="codicon codicon-refresh" aria-hidden="true"></span>
            </button>`
          : nothing
      }
      ${
        own
          ? rating(turn.rating, ratingLabels(turn.kind), {
              thumb: (thumb) => {
                onIntent({ type: 'rate', turn: index, thumb });
              },
              note: () => {
                onIntent({ type: 'note', turn: index });
              },
            })
          : nothing
      }
      ${
        own
          ? nothing
          : html`<span class="inherited" title=${t('From the conversation this one branched off')}>
              <span class="codicon codicon-git-branch" aria-hidden="true"></span>
              <span class="sr-only">${t('From the conversation this one branched off')}</span>
            </span>`
      }
      ${
        turn.figures === null
          ? nothing
          : html`<span class="figures" title=${figuresDetail(turn.figures)}>${figuresText(turn.figures)}</span>`
      }
    </div>
    ${
      turn.rating.note === null
        ? nothing
        : html`<p class="mark note">
            <span class="codicon codicon-note" aria-hidden="true"></span><span dir="auto">${turn.rating.note}</span>
          </p>`
    }`;
}

function ratingLabels(kind: TurnView['kind']): { readonly up: string; readonly down: string } {
  switch (kind) {
    case 'question':
      return { up: t('This question was worth asking'), down: t('This question was not worth asking') };
    case 'answer':
      return { up: t('Good answer'), down: t('Bad answer') };
    case 'tool_call':
      return { up: t('This was worth looking up'), down: t('This was not worth looking up') };
    default:
      return kind satisfies never;
  }
}
