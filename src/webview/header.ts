import { html, nothing, type TemplateResult } from 'lit';
import { consentScopeSchema, type ConsentScope } from '../core/event.ts';
import type { ChatView } from '../core/webview-protocol.ts';
import { t } from './l10n.ts';

const scopes = (): Record<
  ConsentScope,
  { readonly label: string; readonly icon: string; readonly meaning: string }
> => ({
  'local-only': {
    label: t('Local only'),
    icon: 'lock',
    meaning: t('Stays on this machine: in no export, and never scored by another machine.'),
  },
  exportable: { label: t('Exportable'), icon: 'export', meaning: t('May be part of a dataset that you export.') },
  excluded: {
    label: t('Excluded'),
    icon: 'circle-slash',
    meaning: t('In no dataset, ever, and not scored elsewhere.'),
  },
});

/** Who may have this conversation, which server writes, and what has to be known about either. */
export function chatHeader(
  { episode, status }: ChatView,
  on: { readonly consent: (scope: ConsentScope) => void; readonly chooseServer: () => void },
): TemplateResult {
  const { consent, chatServer, notice, warning } = status;
  const known = scopes();
  return html`<header class="top">
    <div class="chips">
      <label class="chip" title=${known[consent].meaning}>
        <span class="codicon codicon-${known[consent].icon}" aria-hidden="true"></span>
        <span class="sr-only">${t('Who may have this conversation')}</span>
        <select
          .value=${consent}
          ?disabled=${episode === null}
          @change=${(event: Event) => {
            const chosen = consentScopeSchema.safeParse((event.currentTarget as HTMLSelectElement).value);
            if (chosen.success) on.consent(chosen.data);
          }}
        >
          ${consentScopeSchema.options.map(
            (scope) => html`<option value=${scope} ?selected=${scope === consent}>${known[scope].label}</option>`,
          )}
        </select>
        <span class="codicon codicon-chevron-down" aria-hidden="true"></span>
      </label>
      <button
        class="chip"
        title=${chatServer.remote ? t('Chats with a server on another machine') : t('Chats on this machine')}
        aria-label=${t('Chat server: {name}. Choose another', { name: chatServer.name })}
        @click=${on.chooseServer}
      >
        <span class="codicon codicon-${chatServer.remote ? 'cloud' : 'server-process'}" aria-hidden="true"></span>
        <span class="name">${chatServer.name}</span>
      </button>
    </div>
    ${notice === null ? nothing : remark('info', notice)} ${warning === null ? nothing : remark('warning', warning)}
  </header>`;
}

function remark(icon: string, words: string): TemplateResult {
  return html`<p class="remark ${icon}">
    <span class="codicon codicon-${icon}" aria-hidden="true"></span><span>${words}</span>
  </p>`;
}
