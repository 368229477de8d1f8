import { html, nothing, type TemplateResult } from 'lit';
import type { StatusView } from '../core/webview-protocol.ts';
import { t } from './l10n.ts';

/** What an empty chat says: what will happen, what this model was made for, and what stands in the way. */
export function welcome(status: StatusView, onExample: (example: string) => void): TemplateResult {
  return html`<section class="welcome">
    <h2>${t('It asks first, then it codes')}</h2>
    <p>${t('Say what you need. The agent asks about what is open, then proposes code that you accept or reject.')}</p>
    <p>${t('Beside the chat you see what each of your answers was worth to it.')}</p>
    ${
      status.examples.length === 0
        ? nothing
        : html`<p class="try">${t('What this model was made for:')}</p>
            ${status.examples.map(
              (example) =>
                html`<button
                  class="example"
                  title=${t('Put this into the message')}
                  @click=${() => {
                    onExample(example);
                  }}
                >
                  ${example}
                </button>`,
            )}`
    }
    ${
      status.offer === 'blocked' && status.warning !== null
        ? html`<p class="problem" role="alert">${status.warning}</p>`
        : nothing
    }
  </section>`;
}
