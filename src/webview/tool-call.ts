import { html, type TemplateResult } from 'lit';
import { t } from './l10n.ts';
import { visibleControls } from '../core/visible-controls.ts';
import type { CallView, ReplyView, TurnView } from '../core/webview-protocol.ts';

/** What a tool does, for people: its icon, and what it is called while it runs or when it is done. */
function words(name: string, result: ReplyView | null): readonly [icon: string, verb: string] {
  const done = result !== null;
  switch (name) {
    case 'read_file':
      return ['file', done ? t('Read') : t('Reading')];
    case 'list_files':
      return ['list-tree', done ? t('Listed the files') : t('Listing the files')];
    case 'search':
      return ['search', done ? t('Searched') : t('Searching')];
    case 'diagnostics':
      return ['warning', done ? t('Looked at the problems') : t('Looking at the problems')];
    case 'run_tests':
      if (result !== null) return ['beaker', result.kind === 'test' ? t('Ran the tests') : t('The tests were not run')];
      return ['beaker', t('Running the tests')];
    default:
      return ['tools', name];
  }
}

/** The tools that a turn called, a row each, and what each gave back, to be unfolded: the very words that the model read. */
export function toolCalls({ calls, replies }: Pick<TurnView, 'calls' | 'replies'>): TemplateResult {
  return html`<div class="calls">${calls.map((call, at) => row(call, replies[at] ?? null))}</div>`;
}

function row({ name, detail }: CallView, result: ReplyView | null): TemplateResult {
  const [icon, verb] = words(name, result);
  const title = html`<span class="codicon codicon-${icon}" aria-hidden="true"></span><span class="verb">${verb}</span
    ><code class="name">${visibleControls(detail)}</code>`;
  if (result === null) return html`<p class="call open">${title}</p>`;
  return html`<details class="call">
    <summary>${title}</summary>
    <pre tabindex="0" dir="auto">${visibleControls(result.text)}</pre>
  </details>`;
}

/** What a test run or the developer's edit of a proposal said, to be unfolded. */
export function aside({ kind, text }: ReplyView): TemplateResult {
  const [icon, title] =
    kind === 'test' ? ['beaker', firstLine(text)] : ['edit', t('You accepted it with changes of your own')];
  return html`<details class="call aside">
    <summary>
      <span class="codicon codicon-${icon}" aria-hidden="true"></span><span class="verb">${title}</span>
    </summary>
    <pre tabindex="0" dir="auto">${visibleControls(text)}</pre>
  </details>`;
}

/** A command that waits for the developer's word; nothing runs before it. */
export function approval(asked: { readonly command: string }, decide: (run: boolean) => void): TemplateResult {
  return html`<section class="approval" role="group" aria-label=${t('The agent wants to run the tests')}>
    <p>${t('The agent wants to run the tests of this workspace. This runs in its folder:')}</p>
    <pre tabindex="0"><code>${visibleControls(asked.command)}</code></pre>
    <footer>
      <button
        class="primary"
        @click=${() => {
          decide(true);
        }}
      >
        ${t('Run')}
      </button>
      <button
        class="secondary"
        @click=${() => {
          decide(false);
        }}
      >
        ${t('Do Not Run')}
      </button>
    </footer>
  </section>`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
