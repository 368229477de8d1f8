import { html, nothing, type TemplateResult } from 'lit';
import type { TurnView } from '../core/webview-protocol.ts';
import { codeBlock } from './code-block.ts';
import { t } from './l10n.ts';
import type { OnTurnIntent } from './turn.ts';

/** Proposed code with what can be done about it; nothing is written before the developer accepts it in the diff editor. */
export function proposal(turn: TurnView, onIntent: OnTurnIntent): TemplateResult {
  const ask = (type: 'copy' | 'insert' | 'apply' | 'reject' | 'run_tests') => () => {
    onIntent({ type, turn: turn.index });
  };
  const empty = turn.code === null || turn.code === '';
  const mayDecide = !empty && turn.state !== 'inherited';
  return html`<section class="proposal" aria-label=${t('Proposed code')}>
    <header>
      <span class="title">${verdict(turn)}</span>
      ${
        empty
          ? nothing
          : html`<button class="icon" aria-label=${t('Copy code')} title=${t('Copy')} @click=${ask('copy')}>
                <span class="codicon codicon-copy" aria-hidden="true"></span>
              </button>
              ${
                mayDecide
                  ? html`<button
                      class="icon"
                      aria-label=${t('Insert code at cursor')}
                      title=${t('Insert at Cursor')}
                      @click=${ask('insert')}
                    >
                      <span class="codicon codicon-insert" aria-hidden="true"></span>
                    </button>`
                  : nothing
              }`
      }
    </header>
    ${empty ? html`<p class="mark">${t('The agent answered without code.')}</p>` : codeBlock({ code: turn.code ?? '', language: null })}
    ${
      mayDecide && turn.decision !== 'accepted'
        ? html`<footer>
            <button
              class="primary"
              title=${t('Show the change in the diff editor, then accept or reject it')}
              @click=${ask('apply')}
            >
              ${t('Apply…')}
            </button>
            ${
              turn.decision === 'rejected'
                ? nothing
                : html`<button class="secondary" @click=${ask('reject')}>${t('Reject')}</button>`
            }
          </footer>`
        : nothing
    }
    ${
      turn.testCommand === null
        ? nothing
        : html`<footer>
            <button
              class="secondary"
              title=${t('Run {command} in the folder of this workspace', { command: turn.testCommand })}
              @click=${ask('run_tests')}
            >
              ${t('Run Tests')}
            </button>
            <code class="command">${turn.testCommand}</code>
          </footer>`
    }
  </section>`;
}

function verdict({ decision, tests }: TurnView): TemplateResult {
  switch (decision) {
    case 'accepted':
      return html`<span class="codicon codicon-check" aria-hidden="true"></span> ${t('Accepted')}${
          tests === null ? nothing : html`, ${t('{passed} of {total} tests passed', tests)}`
        }`;
    case 'rejected':
      return html`<span class="codicon codicon-close" aria-hidden="true"></span> ${t('Rejected')}`;
    case null:
      return html`${t('Proposed code')}`;
    default:
      return decision satisfies never;
  }
}
