import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { createRef, ref } from 'lit/directives/ref.js';
import { applyToView } from '../core/chat-view.ts';
import type { ChatView, HostMessage, StatusView, TurnView } from '../core/webview-protocol.ts';
import type { CodeElement } from './code-block.ts';
import './composer.ts';
import type { ComposerElement, ComposerIntent } from './composer.ts';
import { FollowEnd } from './follow-end.ts';
import { chatHeader } from './header.ts';
import { HighlightRequest, Highlights } from './highlights.ts';
import { connectHost, type HostBridge } from './host.ts';
import { t } from './l10n.ts';
import { brokenOff, runningAction } from './running-action.ts';
import { spokenChange } from './spoken.ts';
import './turn-list.ts';
import { bubble, type TurnIntent } from './turn.ts';
import { welcome } from './welcome.ts';

/** The whole chat: what the host says is true, drawn; what the developer does, sent. */
export class ChatElement extends LitElement {
  static override readonly properties = { current: { state: true }, said: { state: true }, news: { state: true } };

  declare private current: { readonly view: ChatView; readonly seq: number } | null;
  /** The newest finished sentence, for screen readers. */
  declare private said: string;
  /** Whether the newest is out of sight. */
  declare private news: boolean;

  readonly #host: HostBridge = connectHost();
  readonly #composer = createRef<ComposerElement>();
  readonly #scroller = createRef<HTMLElement>();
  readonly #content = createRef<HTMLElement>();
  readonly #follow = new FollowEnd(() => {
    this.news = !this.#follow.following;
  });
  readonly #highlights = new Highlights((message) => {
    this.#host.post(message);
  });
  /** Where the next earlier turns are asked for; near it a reader who goes up gets them without asking. */
  readonly #top = new IntersectionObserver(
    (entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting) && !this.#follow.following) this.#askEarlier();
    },
    { rootMargin: '600px 0px 0px 0px' },
  );
  #earlierAsked = -1;
  #awaitingSnapshot = true;

  constructor() {
    super();
    this.current = null;
    this.said = '';
    this.news = false;
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
    this.addEventListener(HighlightRequest.type, (request) => {
      if (request instanceof HighlightRequest) this.#highlights.ask(request);
    });
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
      <main ${ref(this.#scroller)} tabindex="-1" aria-busy=${status.running !== null}>
        <div class="content" ${ref(this.#content)}>
          ${view.request === null ? welcome(status, this.#take) : bubble(view.request, null)}
          ${
            view.earlier === 0
              ? nothing
              : html`<button class="link earlier" ${ref(this.#watchTop)} @click=${this.#askEarlier}>
                  ${view.earlier === 1 ? t('Show 1 earlier turn') : t('Show {count} earlier turns', { count: view.earlier })}
                </button>`
          }
          <tw-turns .turns=${view.turns} .open=${open?.index ?? null} .onIntent=${this.#onTurn}></tw-turns>
          ${runningAction(status)} ${brokenOff(status)} ${this.#continue(status)}
        </div>
        ${
          this.news
            ? html`<button class="newest" title=${t('Jump to the newest')} @click=${this.#toNewest}>
                <span class="codicon codicon-arrow-down" aria-hidden="true"></span>
                ${status.running === null ? t('Newest') : t('The agent is writing')}
              </button>`
            : nothing
        }
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
    const [scroller, content] = [this.#scroller.value, this.#content.value];
    if (scroller && content) this.#follow.watch(scroller, content);
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
    const placed = message.type === 'earlier' ? this.#follow.hold() : null;
    this.current = next;
    switch (message.type) {
      case 'snapshot': {
        this.#awaitingSnapshot = false;
        const other = before?.episode !== message.view.episode;
        if (other) this.#follow.toEnd();
        void this.updateComplete.then(() => {
          this.#composer.value?.restore(message.view.draft, { always: other });
        });
        break;
      }
      case 'update':
        this.said = spokenChange(before, next.view) ?? this.said;
        break;
      case 'accepted':
        this.#follow.toEnd();
        this.#composer.value?.accepted(message.id);
        break;
      case 'refused':
        this.#composer.value?.refused(message.id, message.message);
        break;
      case 'focus':
        this.#composer.value?.focusField();
        break;
      case 'earlier':
        void this.updateComplete.then(placed);
        break;
      case 'highlighted':
        this.#highlights.take(message.request, message.highlight);
        break;
      case 'theme':
        this.#highlights.forget();
        for (const code of this.querySelectorAll<CodeElement>('tw-code')) code.refresh();
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

  readonly #take = (example: string): void => {
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

  readonly #toNewest = (): void => {
    this.#follow.toEnd();
    this.#scroller.value?.focus({ preventScroll: true });
  };

  readonly #watchTop = (button: Element | undefined): void => {
    this.#top.disconnect();
    if (button) this.#top.observe(button);
  };

  /** Once for each state of the list: the button stays in sight until the turns have come. */
  readonly #askEarlier = (): void => {
    const earlier = this.current?.view.earlier ?? 0;
    if (earlier === 0 || this.#earlierAsked === earlier) return;
    this.#earlierAsked = earlier;
    this.#host.post({ type: 'earlier' });
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
