import { html, nothing, type TemplateResult } from 'lit';
import { parseAction } from '../core/agent-protocol.ts';
import type { StatusView } from '../core/webview-protocol.ts';
import { MOST_DRAWN } from './capped.ts';
import { codeBlock } from './code-block.ts';
import { t } from './l10n.ts';
import { growingProse } from './prose.ts';
import { mark } from './turn.ts';
import { visibleControls } from '../core/visible-controls.ts';

/** What the agent has written so far, read as it will be read when it is whole. */
export function runningAction({ running, marker }: StatusView): TemplateResult | typeof nothing {
  if (running === null) return nothing;
  if (running.text === '') {
    return html`<article class="agent" aria-label=${t('The agent is thinking')}>
      <p class="thinking"><i></i><i></i><i></i></p>
    </article>`;
  }
  return html`<article class="agent" aria-label=${t('The agent is writing')}>${soFar(running.text, marker)}</article>`;
}

/** What the agent had said when its action broke off: to read, not part of the conversation. */
export function brokenOff({ partial, marker }: StatusView): TemplateResult | typeof nothing {
  if (partial.trim() === '') return nothing;
  return html`<article class="agent broken" aria-label=${t('The agent broke off')}>
    ${soFar(partial, marker)} ${mark('debug-disconnect', t('Broke off here'))}
  </article>`;
}

/** A message whose end is missing. Of one that grows beyond all measure only the newest words are drawn. */
function soFar(text: string, marker: string): TemplateResult {
  if (text.length > MOST_DRAWN) {
    return html`${mark('ellipsis', t('{count} characters so far; these are the last:', { count: text.length.toLocaleString() }))}
      <pre class="plain" dir="auto">${visibleControls(text.slice(-MOST_DRAWN / 10))}</pre>`;
  }
  const parsed = parseAction(text, { marker });
  if (parsed.kind === 'question') return growingProse(text);
  return html`${growingProse(parsed.message)}
    <section class="proposal">${codeBlock({ code: parsed.code, language: null, growing: true })}</section>`;
}
