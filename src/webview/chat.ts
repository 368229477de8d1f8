import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { createRef, ref } from 'lit/directives/ref.js';
import { repeat } from 'lit/directives/repeat.js';
import { Announcements } from './announcements.ts';
import { belowTurns, type OutcomeIntent } from './below-turns.ts';
import { applyToView } from '../core/chat-view.ts';
import { splitContext } from '../core/context-text.ts';
import type { ChatView, HostMessage } from '../core/webview-protocol.ts';
import type { CodeElement } from './code-block.ts';
import './composer.ts';
import type { ComposerElement, ComposerIntent } from './composer.ts';
import { requestWords } from './developer-words.ts';
import { FollowEnd } from './follow-end.ts';
import { chatHeader } from './header.ts';
import { HighlightRequest, Highlights } from './highlights.ts';
import { connectHost, type HostBridge } from './host.ts';
import { t } from './l10n.ts';
import { openQuestion } from './open-question.ts';
import './turn-list.ts';
import type { TurnIntent } from './turn.ts';
import { welcome } from './welcome.ts';

/** The whole chat: what the host says is true, drawn; what the developer does, sent. */
export class ChatElement extends LitElement {
  static override readonly properties = {
    current: { state: true },
    said: { state: true },
    news: { state: true },
    picked: { state: true },
  };

  declare private current: { readonly view: ChatView; readonly seq: number } | null;
  /** The newest finished sentences, for screen readers; a number each, since the same words may come twice. */
  declare private said: readonly (readonly [number, string])[];
  /** Whether the newest is out of sight. */
  declare private news: boolean;
  /** The option of the open question that is on its way, or in the composer to be edited. */
  declare private picked: { readonly turn: number; readonly option: number } | null;

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
  readonly #announcements = new Announcements();
  /** Where another version was asked for: that place stays in sight. */
  #place: string | null = null;
  #awaitingSnapshot = true;

  constructor() {
    super();
    this.current = null;
    this.said = [];
    this.news = false;
    this.picked = null;
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
          ${view.request === null ? welcome(status, this.#take) : requestWords(view.request, status, { edit: this.#editRequest, intent: this.#onTurn })}
          ${
            view.earlier === 0
              ? nothing
              : html`<button class="link earlier" ${ref(this.#watchTop)} @click=${this.#askEarlier}>
                  ${view.earlier === 1 ? t('Show 1 earlier turn') : t('Show {count} earlier turns', { count: view.earlier })}
                </button>`
          }
          <tw-turns
            .turns=${view.turns}
            .open=${open?.index ?? null}
            .picked=${this.picked}
            ?mayBranch=${status.mayBranch}
            ?busy=${status.running !== null}
            .onIntent=${this.#onTurn}
          ></tw-turns>
          ${belowTurns(view, { post: this.#post, intent: this.#onTurn, approve: this.#onApproval })}
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
      <div class="sr-only" aria-live="polite" aria-relevant="additions">
        ${repeat(
          this.said,
          ([number]) => number,
          ([, words]) => html`<p>${words}</p>`,
        )}
      </div>
    `;
  }

  protected override updated(): void {
    const [scroller, content] = [this.#scroller.value, this.#content.value];
    if (scroller && content) this.#follow.watch(scroller, content);
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
        if (other && this.#place === null) this.#follow.toEnd();
        else if (other) this.#follow.leave();
        void this.updateComplete.then(() => {
          this.#composer.value?.restore(message.view.draft, message.view.edit, { always: other });
          if (other) this.#keepPlace();
        });
        break;
      }
      case 'update':
        break;
      case 'accepted':
        this.#follow.toEnd();
        this.#composer.value?.accepted(message.id);
        break;
      case 'refused':
        this.picked = null;
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
    this.#announce(before, next.view);
  }

  /** The keyboard and the eye stay where another version was asked for. */
  #keepPlace(): void {
    const place = this.#place;
    this.#place = null;
    if (place === null) return;
    const switcher = this.querySelector<HTMLElement>(`[data-place="${place}"]`);
    switcher?.scrollIntoView({ block: 'center' });
    switcher?.querySelector('button')?.focus({ preventScroll: true });
  }

  /** One question for a snapshot, however many messages follow the gap. */
  #resync(): void {
    if (this.#awaitingSnapshot) return;
    this.#awaitingSnapshot = true;
    this.#host.post({ type: 'ready' });
  }

  /** Finished sentences only: what streams would be read out piece by piece. A few stay, so that none is lost in a burst. */
  #announce(before: ChatView | null, after: ChatView): void {
    const words = this.#announcements.next(before, after);
    if (words !== null) this.said = [...this.said.slice(-7), [(this.said.at(-1)?.[0] ?? 0) + 1, words]];
    if (openQuestion(after)?.index !== this.picked?.turn) this.picked = null;
  }

  readonly #take = (example: string): void => {
    this.#composer.value?.begin(example);
  };

  readonly #editRequest = (words: string): void => {
    this.#composer.value?.edit({ at: 'request' }, words);
  };

  readonly #post = (type: 'new' | 'continue') => () => {
    const episode = this.current?.view.episode ?? null;
    this.#host.post(type === 'new' ? { type } : { type, episode });
  };

  readonly #onTurn = (intent: TurnIntent | OutcomeIntent): void => {
    const view = this.current?.view;
    if (view === undefined) return;
    const { episode } = view;
    const id = crypto.randomUUID();
    switch (intent.type) {
      case 'edit': {
        const text = view.turns.find((turn) => turn.index === intent.turn)?.options[intent.option];
        if (text === undefined) return;
        this.#composer.value?.edit({ at: 'option', turn: intent.turn, option: intent.option }, text);
        this.picked = intent;
        return;
      }
      case 'edit_reply': {
        const text = view.turns.find((turn) => turn.index === intent.turn)?.replies.at(-1)?.text;
        if (text !== undefined)
          this.#composer.value?.edit({ at: 'reply', turn: intent.turn }, splitContext(text).words);
        return;
      }
      case 'rate':
        this.#host.post({ type: 'rate', episode, turn: intent.turn, thumb: intent.thumb });
        return;
      case 'note':
        this.#host.post({ type: 'note', episode, turn: intent.turn });
        return;
      case 'regenerate':
        this.#host.post({ type: 'regenerate', episode, turn: intent.turn });
        return;
      case 'show_version':
        this.#place = intent.place;
        this.#host.post({ type: 'show_version', episode, target: intent.target });
        return;
      case 'choose':
        this.picked = intent;
        this.#host.post({ ...intent, type: 'choose', episode, id });
        // The card's buttons are about to go; from here the next question's letters work.
        this.#scroller.value?.focus({ preventScroll: true });
        return;
      case 'copy':
      case 'insert':
      case 'run_tests':
      case 'apply':
      case 'reject':
        this.#host.post({ type: intent.type, turn: intent.turn, episode });
        return;
      default:
        intent satisfies never;
    }
  };

  readonly #onApproval = (run: boolean): void => {
    this.#host.post({ type: 'approve', episode: this.current?.view.episode ?? null, run });
  };

  readonly #onComposer = (intent: ComposerIntent): void => {
    const episode = this.current?.view.episode ?? null;
    switch (intent.type) {
      case 'edit_draft':
        if (intent.edit?.target.at !== 'option') this.picked = null;
        this.#host.post({ ...intent, episode });
        return;
      case 'send':
      case 'edit_request':
      case 'edit_reply':
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
    else if (/^[sS]$/.test(event.key)) this.#onComposer({ type: 'skip' });
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
