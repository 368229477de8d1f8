import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { createRef, ref } from 'lit/directives/ref.js';
import { repeat } from 'lit/directives/repeat.js';
import { parseAction } from '../core/agent-protocol.ts';
import { applyToView } from '../core/chat-view.ts';
import type { ChatView, HostMessage, StatusView, TurnView } from '../core/webview-protocol.ts';
import './composer.ts';
import type { ComposerElement, ComposerIntent } from './composer.ts';
import { chatHeader } from './header.ts';
import { connectHost, type HostBridge } from './host.ts';
import { t } from './l10n.ts';
import { prose } from './prose.ts';
import './turn.ts';
import { bubble, mark, type TurnIntent } from './turn.ts';

/** Closer to the end than this, px, the reader follows what is new. */
const NEAR_END = 48;

/** The whole chat: what the host says is true, drawn; what the developer does, sent. */
export class ChatElement extends LitElement {
  static override readonly properties = { current: { state: true }, said: { state: true } };

  declare private current: { readonly view: ChatView; readonly seq: number } | null;
  /** The newest finished sentence, for screen readers. */
  declare private said: string;

  readonly #host: HostBridge = connectHost();
  readonly #composer = createRef<ComposerElement>();
  readonly #scroller = createRef<HTMLElement>();
  readonly #content = createRef<HTMLElement>();
  readonly #growth = new ResizeObserver(() => {
    this.#stayAtEnd();
  });
  #follow = true;
  #awaitingSnapshot = true;

  constructor() {
    super();
    this.current = null;
    this.said = '';
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#host.listen(
      (message) => {
        this.#receive(message);
      },
      () => {
        this.#resync();
      },
    );
    document.addEventListener('keydown', this.#onKey);
    this.addEventListener('click', this.#onLink);
    this.#host.post({ type: 'ready' });
  }

  protected override render(): TemplateResult {
    if (this.current === null) return html`<p class="loading">${t('Opening the conversation…')}</p>`;
    const { view } = this.current;
    const { status } = view;
    const open = openQuestion(view);
    return html`
      ${chatHeader(view, {
        consent: (scope) => {
          this.#host.post({ type: 'consent', episode: view.episode, scope });
        },
        chooseServer: () => {
          this.#host.post({ type: 'choose_server' });
        },
      })}
      <main ${ref(this.#scroller)} @scroll=${this.#onScroll} tabindex="-1" aria-busy=${status.running !== null}>
        <div ${ref(this.#content)}>
          ${view.request === null ? this.#welcome(status) : bubble(view.request, null)}
          ${
            view.earlier === 0
              ? nothing
              : html`<button
                  class="link earlier"
                  @click=${() => {
                    this.#host.post({ type: 'earlier' });
                  }}
                >
                  ${view.earlier === 1 ? t('Show 1 earlier turn') : t('Show {count} earlier turns', { count: view.earlier })}
                </button>`
          }
          ${repeat(
            view.turns,
            (turn) => turn.index,
            (turn) =>
              html`<tw-turn .turn=${turn} ?open=${open?.index === turn.index} .onIntent=${this.#onTurn}></tw-turn>`,
          )}
          ${streaming(status)} ${brokenOff(status)} ${this.#continue(status)}
        </div>
      </main>
      <footer class="composer">
        <tw-composer
          ${ref(this.#composer)}
          .offer=${status.offer}
          .question=${open?.index ?? null}
          .options=${open?.options.length ?? 0}
          .context=${status.context}
          .onIntent=${this.#onComposer}
        ></tw-composer>
      </footer>
      <div class="sr-only" aria-live="polite">${this.said}</div>
    `;
  }

  protected override updated(): void {
    const content = this.#content.value;
    // What is drawn later (a font, a turn that comes into sight) grows too.
    if (content) this.#growth.observe(content);
    this.#stayAtEnd();
  }

  #stayAtEnd(): void {
    const scroller = this.#scroller.value;
    if (scroller && this.#follow) scroller.scrollTop = scroller.scrollHeight;
  }

  #welcome(status: StatusView): TemplateResult {
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
                  html`<button class="example" title=${t('Put this into the message')} @click=${this.#take(example)}>
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

  #continue(status: StatusView): TemplateResult | typeof nothing {
    if (status.offer === 'wait') return html`<p class="mark">${t('Another window is waiting for the agent.')}</p>`;
    if (status.offer === 'new') {
      return html`<div class="trouble">
        <p>${status.trouble ?? t('This conversation is over.')}</p>
        <button class="primary" @click=${this.#post('new')}>${t('New Conversation')}</button>
      </div>`;
    }
    if (status.offer !== 'continue') return nothing;
    return html`<div class="trouble" role="status">
      <p>
        <span class="codicon codicon-warning" aria-hidden="true"></span>
        ${status.trouble ?? t('The agent has not answered yet.')}
      </p>
      <button class="primary" @click=${this.#post('continue')}>${t('Continue')}</button>
    </div>`;
  }

  #receive(message: HostMessage): void {
    const before = this.current?.view ?? null;
    const next = applyToView(this.current, message);
    if (next === null) {
      this.#resync();
      return;
    }
    this.current = next;
    switch (message.type) {
      case 'snapshot': {
        this.#awaitingSnapshot = false;
        const other = before?.episode !== message.view.episode;
        if (other) this.#follow = true;
        void this.updateComplete.then(() => {
          this.#composer.value?.restore(message.view.draft, { always: other });
        });
        break;
      }
      case 'update':
        this.#announce(before, next.view);
        break;
      case 'accepted':
        this.#follow = true;
        this.#composer.value?.accepted(message.id);
        break;
      case 'refused':
        this.#composer.value?.refused(message.id, message.message);
        break;
      case 'focus':
        this.#composer.value?.focusField();
        break;
      case 'files':
        this.#composer.value?.files(message.query, message.paths);
        break;
      case 'delta':
        break;
      default:
        message satisfies never;
    }
  }

  /** One question for a snapshot, however many messages follow the gap. */
  #resync(): void {
    if (this.#awaitingSnapshot) return;
    this.#awaitingSnapshot = true;
    this.#host.post({ type: 'ready' });
  }

  /** Finished sentences only: what streams would be read out piece by piece. */
  #announce(before: ChatView | null, after: ChatView): void {
    const last = after.turns.at(-1);
    const isNew = last !== undefined && before?.turns.at(-1)?.index !== last.index;
    if (isNew) this.said = spoken(last);
    else if (after.status.trouble !== null && before?.status.trouble !== after.status.trouble) {
      this.said = after.status.trouble;
    }
  }

  readonly #take = (example: string) => () => {
    this.#composer.value?.begin(example);
  };

  readonly #post = (type: 'new' | 'continue') => () => {
    const episode = this.current?.view.episode ?? null;
    this.#host.post(type === 'new' ? { type } : { type, episode });
  };

  readonly #onTurn = (intent: TurnIntent): void => {
    const view = this.current?.view;
    if (view === undefined) return;
    const { episode } = view;
    const id = crypto.randomUUID();
    switch (intent.type) {
      case 'edit': {
        const text = view.turns.find((turn) => turn.index === intent.turn)?.options[intent.option];
        if (text !== undefined) this.#composer.value?.edit(intent, text);
        return;
      }
      case 'choose':
        this.#host.post({ ...intent, type: 'choose', episode, id });
        // The card's buttons are about to go; from here the next question's letters work.
        this.#scroller.value?.focus({ preventScroll: true });
        return;
      case 'copy':
      case 'insert':
      case 'apply':
      case 'reject':
        this.#host.post({ type: intent.type, turn: intent.turn, episode });
        return;
      default:
        intent satisfies never;
    }
  };

  readonly #onComposer = (intent: ComposerIntent): void => {
    const episode = this.current?.view.episode ?? null;
    switch (intent.type) {
      case 'send':
      case 'draft':
        this.#host.post({ ...intent, episode });
        return;
      case 'hotkey':
        this.#hotkey(intent.letter, false);
        return;
      case 'skip': {
        const open = this.current === null ? null : openQuestion(this.current.view);
        if (open !== null) this.#host.post({ type: 'skip', episode, id: crypto.randomUUID(), turn: open.index });
        return;
      }
      case 'stop':
        this.#host.post({ type: 'stop', episode });
        return;
      case 'find_files':
      case 'attach':
      case 'detach':
      case 'toggle_active':
        this.#host.post(intent);
        return;
      default:
        intent satisfies never;
    }
  };

  #hotkey(option: number, edit: boolean): void {
    const open = this.current === null ? null : openQuestion(this.current.view);
    if (open === null || option >= open.options.length) return;
    this.#onTurn({ type: edit ? 'edit' : 'choose', turn: open.index, option });
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    const offer = this.current?.view.status.offer;
    if (event.key === 'Escape' && offer === 'stop' && !event.isComposing) {
      event.preventDefault();
      event.stopPropagation();
      this.#onComposer({ type: 'stop' });
      return;
    }
    const writing = event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLSelectElement;
    if (writing || event.altKey || event.ctrlKey || event.metaKey || event.repeat) return;
    const letter = /^[a-eA-E]$/.test(event.key) ? event.key.toUpperCase().charCodeAt(0) - 65 : -1;
    if (letter >= 0) this.#hotkey(letter, event.shiftKey);
    else if (event.key === 'Enter' && event.target instanceof HTMLElement && event.target.dataset['href']) {
      this.#openLink(event.target.dataset['href']);
    }
  };

  readonly #onLink = (event: Event): void => {
    const link = event.target instanceof Element ? event.target.closest<HTMLElement>('a[data-href]') : null;
    if (link?.dataset['href']) this.#openLink(link.dataset['href']);
  };

  #openLink(href: string): void {
    this.#host.post({ type: 'open_link', href });
  }

  readonly #onScroll = (event: Event): void => {
    const { scrollHeight, scrollTop, clientHeight } = event.currentTarget as HTMLElement;
    this.#follow = scrollHeight - scrollTop - clientHeight < NEAR_END;
  };
}

customElements.define('tw-chat', ChatElement);

/** The question that waits for the developer; null when none does. Of one that was stopped, the options may be cut short. */
function openQuestion(view: ChatView): TurnView | null {
  const last = view.turns.at(-1);
  const whole = last?.kind === 'question' && last.state !== 'stopped';
  const open = whole && view.status.offer === 'reply' && last.replies.length === 0;
  return open ? last : null;
}

/** What the agent had said when its action broke off: to read, not part of the conversation. */
function brokenOff({ partial, marker }: StatusView): TemplateResult | typeof nothing {
  if (partial.trim() === '') return nothing;
  return html`<article class="agent broken" aria-label=${t('The agent broke off')}>
    ${soFar(partial, marker)} ${mark('debug-disconnect', t('Broke off here'))}
  </article>`;
}

/** What the agent has written so far, read as it will be read when it is whole. */
function streaming({ running, marker }: StatusView): TemplateResult | typeof nothing {
  if (running === null) return nothing;
  if (running.text === '') {
    return html`<article class="agent" aria-label=${t('The agent is thinking')}>
      <p class="thinking"><i></i><i></i><i></i></p>
    </article>`;
  }
  return html`<article class="agent" aria-label=${t('The agent is writing')}>${soFar(running.text, marker)}</article>`;
}

/** A message whose end is missing. */
function soFar(text: string, marker: string): TemplateResult {
  const parsed = parseAction(text, { marker });
  if (parsed.kind === 'question') return prose(text);
  return html`${prose(parsed.message)}
    <section class="proposal">
      <pre><code>${parsed.code}</code></pre>
    </section>`;
}

function spoken(turn: TurnView): string {
  const options = turn.options.map((option, index) => `${'ABCDE'.charAt(index)}: ${option}.`).join(' ');
  const code = turn.code === null ? '' : t('The agent proposes code.');
  return [turn.prose, options, code].filter((part) => part !== '').join(' ');
}
