import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { ReplyView, TurnView } from '../core/webview-protocol.ts';
import { prose } from './prose.ts';
import { proposal } from './proposal.ts';
import { developerWords, wordsActions, type WordsMoves } from './developer-words.ts';
import { questionCard } from './question-card.ts';
import { aside, toolCalls } from './tool-call.ts';
import { turnActions } from './turn-actions.ts';
import { t } from './l10n.ts';

/** What a click inside a turn asks for. */
export type TurnIntent =
  | { readonly type: 'choose'; readonly turn: number; readonly option: number }
  | { readonly type: 'edit'; readonly turn: number; readonly option: number }
  | { readonly type: 'copy' | 'insert' | 'apply' | 'reject' | 'run_tests'; readonly turn: number }
  | { readonly type: 'regenerate'; readonly turn: number }
  | { readonly type: 'edit_reply'; readonly turn: number }
  | { readonly type: 'note'; readonly turn: number }
  | { readonly type: 'rate'; readonly turn: number; readonly thumb: 0 | 1 | null }
  /** `place` is where it was asked for, so that it stays in sight. */
  | { readonly type: 'show_version'; readonly target: string; readonly place: string };

export type OnTurnIntent = (intent: TurnIntent) => void;

/** One turn of the chat. It is drawn again only when its own turn changed, never for a token elsewhere. */
export class TurnElement extends LitElement {
  static override readonly properties = {
    turn: { attribute: false },
    open: { type: Boolean },
    drawnFirst: { attribute: false },
    asleep: { attribute: false },
    picked: { attribute: false },
    mayBranch: { type: Boolean },
    busy: { type: Boolean },
    onIntent: { attribute: false },
  };

  declare turn: TurnView | null;
  /** The developer may answer it now. */
  declare open: boolean;
  /** Whether it draws its content before it first comes near the window. */
  declare drawnFirst: boolean;
  /** Far from the window in a long list: nothing is drawn, and its stretch keeps its place. */
  declare asleep: boolean;
  /** The option that is on its way or in the composer; null: none is. */
  declare picked: number | null;
  declare mayBranch: boolean;
  /** An action runs in this window. */
  declare busy: boolean;
  declare onIntent: OnTurnIntent;

  constructor() {
    super();
    this.turn = null;
    this.open = false;
    this.drawnFirst = true;
    this.asleep = false;
    this.picked = null;
    this.mayBranch = false;
    this.busy = false;
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
    const own = new Set<PropertyKey>(['turn', 'onIntent']);
    if (!this.hasUpdated || changed.has('asleep')) return true;
    if (this.asleep) return false;
    if ([...changed.keys()].some((key) => !own.has(key))) return true;
    return JSON.stringify(changed.get('turn')) !== JSON.stringify(this.turn);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { turn } = this;
    if (turn === null || this.asleep) return nothing;
    const replies = turn.kind === 'tool_call' ? turn.replies.slice(turn.calls.length) : turn.replies;
    return html`
      <article class="agent ${turn.kind}" aria-label=${t('Turn {turn}, agent', { turn: turn.index + 1 })}>
        ${this.#body(turn)} ${turn.state === 'stopped' ? mark('debug-stop', t('Stopped')) : nothing}
        ${turnActions(turn, this, this.onIntent)}
      </article>
      ${replies.map((said, at) => reply(said, at === replies.length - 1 ? this.#words(turn) : null))}
    `;
  }

  /** The last words after an action are what another reply would replace. */
  #words({ index, replies, replyVersions }: TurnView): WordsMoves {
    const kind = replies.at(-1)?.kind;
    const theirs = kind !== 'tool' && kind !== 'test' && kind !== 'edit';
    return {
      versions: replyVersions,
      place: `reply-${index}`,
      busy: this.busy,
      edit:
        this.mayBranch && theirs
          ? () => {
              this.onIntent({ type: 'edit_reply', turn: index });
            }
          : null,
      show: (target) => {
        this.onIntent({ type: 'show_version', target, place: `reply-${index}` });
      },
    };
  }

  #body(turn: TurnView): TemplateResult {
    switch (turn.kind) {
      case 'answer':
        return html`${turn.prose === '' ? nothing : prose(turn.prose)} ${proposal(turn, this.onIntent)}`;
      case 'question':
        return html`${prose(turn.prose)}
        ${questionCard(turn, { open: this.open, picked: this.picked, mayChange: this.mayBranch }, this.onIntent)}`;
      case 'tool_call':
        return html`${turn.prose === '' ? nothing : prose(turn.prose)} ${toolCalls(turn)}`;
      default:
        return turn.kind satisfies never;
    }
  }
}

customElements.define('tw-turn', TurnElement);

/** What the developer said; an option that was clicked as it stood is shown by its card alone. */
function reply({ kind, text }: ReplyView, moves: WordsMoves | null): TemplateResult | typeof nothing {
  switch (kind) {
    case 'option':
      // The card has the pencil.
      return moves === null || moves.versions === null ? nothing : wordsActions({ ...moves, edit: null });
    case 'skipped':
      return developerWords(text, t('Skipped'), moves);
    case 'rejected':
      return developerWords(text, t('Rejected'), moves);
    case 'edit':
      return aside({ kind, text, option: null });
    case 'tool':
      return developerWords(text, t('Tool'), moves);
    case 'test':
      return aside({ kind, text, option: null });
    case 'typed':
    case 'edited_option':
      return developerWords(text, null, moves);
    default:
      return kind satisfies never;
  }
}

/** A small remark with an icon under what it is about. */
export function mark(icon: string, text: string): TemplateResult {
  return html`<p class="mark"><span class="codicon codicon-${icon}" aria-hidden="true"></span> ${text}</p>`;
}
