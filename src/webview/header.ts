import { html, nothing, type TemplateResult } from 'lit';
import { consentScopeSchema, type ConsentScope } from '../core/event.ts';
import type { ChatView } from '../core/webview-protocol.ts';

const SCOPES: Record<ConsentScope, { readonly label: string; readonly icon: string; readonly meaning: string }> = {
  'local-only': {
    label: 'Local only',
    icon: 'lock',
    meaning: 'Stays on this machine: in no export, and never scored by another machine.',
  },
  exportable: { label: 'Exportable', icon: 'export', meaning: 'May be part of a dataset that you export.' },
  excluded: { label: 'Excluded', icon: 'circle-slash', meaning: 'In no dataset, ever, and not scored elsewhere.' },
};

/** Who may have this conversation, which server writes, and what has to be known about either. */
export function chatHeader(
  { episode, status }: ChatView,
  on: { readonly consent: (scope: ConsentScope) => void; readonly chooseServer: () => void },
): TemplateResult {
  const { consent, chatServer, notice, warning } = status;
  return html`<header class="top">
    <div class="chips">
      <label class="chip" title=${SCOPES[consent].meaning}>
        <span class="codicon codicon-${SCOPES[consent].icon}" aria-hidden="true"></span>
        <span class="sr-only">Who may have this conversation</span>
        <select
          .value=${consent}
          ?disabled=${episode === null}
          @change=${(event: Event) => {
            const chosen = consentScopeSchema.safeParse((event.currentTarget as HTMLSelectElement).value);
            if (chosen.success) on.consent(chosen.data);
          }}
        >
          ${consentScopeSchema.options.map(
            (scope) => html`<option value=${scope} ?selected=${scope === consent}>${SCOPES[scope].label}</option>`,
          )}
        </select>
        <span class="codicon codicon-chevron-down" aria-hidden="true"></span>
      </label>
      <button
        class="chip"
        title=${chatServer.remote ? 'Chats with a server on another machine' : 'Chats on this machine'}
        aria-label="Chat server: ${chatServer.name}. Choose another"
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
