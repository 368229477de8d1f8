import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { ReplyView, TurnView } from '../core/webview-protocol.ts';
import { splitContext } from '../core/context-text.ts';
import { attachments } from './context-chips.ts';
import { t } from './l10n.ts';
import { prose } from './prose.ts';
import { capped } from './capped.ts';
import { proposal } from './proposal.ts';
import { visibleControls } from '../core/visible-controls.ts';
import { questionCard } from './question-card.ts';
import { aside, toolCalls } from './tool-call.ts';

/** What a click inside a turn asks for. */
export type TurnIntent =
  | { readonly type: 'choose'; readonly turn: number; readonly option: number }
  | { readonly type: 'edit'; readonly turn: number; readonly option: number }
  | { readonly type: 'copy' | 'insert' | 'apply' | 'reject'; readonly turn: number };

export type OnTurnIntent = (intent: TurnIntent) => void;

/** One turn of the chat. It is drawn again only when its own turn changed, never for a token elsewhere. */
export class TurnElement extends LitElement {
  static override readonly properties = {
    turn: { attribute: false },
    open: { type: Boolean },
    drawnFirst: { attribute: false },
    asleep: { attribute: false },
    onIntent: { attribute: false },
  };

  declare turn: TurnView | null;
  /** The developer may answer it now. */
  declare open: boolean;
  /** Whether it draws its content before it first comes near the window. */
  declare drawnFirst: boolean;
  /** Far from the window in a long list: nothing is drawn, and the browser remembers how tall it was. */
  declare asleep: boolean;
  declare onIntent: OnTurnIntent;

  constructor() {
    super();
    this.turn = null;
    this.open = false;
    this.drawnFirst = true;
    this.asleep = false;
    this.onIntent = () => undefined;
  }

  // In the light DOM: one stylesheet, and one tree for find-in-page and screen readers.
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override willUpdate(): void {
    if (!this.hasUpdated && !this.drawnFirst) this.asleep = true;
  }

  protected override shouldUpdate(changed: PropertyValues<this>): boolean {
    if (changed.has('open') || changed.has('asleep') || !this.hasUpdated) return true;
    if (this.asleep) return false;
    return JSON.stringify(changed.get('turn')) !== JSON.stringify(this.turn);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { turn } = this;
    if (turn === null || this.asleep) return nothing;
    return html`
      <article class="agent" aria-label=${t('Turn {turn}, agent', { turn: turn.index + 1 })}>
        ${this.#body(turn)} ${turn.state === 'stopped' ? mark('debug-stop', t('Stopped')) : nothing}
        ${turn.state === 'inherited' ? mark('git-branch', t('From the conversation this one branched off')) : nothing}
      </article>
      ${(turn.kind === 'tool_call' ? turn.replies.slice(turn.calls.length) : turn.replies).map(reply)}
    `;
  }

  #body(turn: TurnView): TemplateResult {
    switch (turn.kind) {
      case 'answer':
        return html`${turn.prose === '' ? nothing : prose(turn.prose)} ${proposal(turn, this.onIntent)}`;
      case 'question':
        return html`${prose(turn.prose)} ${questionCard(turn, this.open, this.onIntent)}`;
      case 'tool_call':
        return html`${turn.prose === '' ? nothing : prose(turn.prose)} ${toolCalls(turn)}`;
      default:
        return turn.kind satisfies never;
    }
  }
}

customElements.define('tw-turn', TurnElement);

/** What the developer said; an option that was clicked as it stood is shown by its card alone. */
function reply({ kind, text }: ReplyView): TemplateResult | typeof nothing {
  switch (kind) {
    case 'option':
      return nothing;
    case 'skipped':
      return bubble(text, t('Skipped'));
    case 'rejected':
      return bubble(text, t('Rejected'));
    case 'edit':
      return aside({ kind, text, option: null });
    case 'tool':
      return bubble(text, t('Tool'));
    case 'test':
      return aside({ kind, text, option: null });
    case 'typed':
    case 'edited_option':
      return bubble(text, null);
    default:
      return kind satisfies never;
  }
}

/** The developer's words, as typed. */
export function bubble(text: string, label: string | null): TemplateResult {
  const { words, attachments: attached } = splitContext(text);
  return html`<article class="developer" aria-label=${t('You')}>
    ${label === null ? nothing : html`<span class="label">${label}</span>`}
    <div class="words" dir="auto">${capped(words, plain)}</div>
    ${attachments(attached)}
  </article>`;
}

/** Words as they stand, with nothing in them that acts unseen. */
function plain(text: string): TemplateResult {
  return html`${visibleControls(text)}`;
}

/** A small remark with an icon under what it is about. */
export function mark(icon: string, text: string): TemplateResult {
  return html`<p class="mark"><span class="codicon codicon-${icon}" aria-hidden="true"></span> ${text}</p>`;
}
