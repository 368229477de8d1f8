import { html, nothing, type ReactiveController, type ReactiveControllerHost, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { attachmentLabel, type Attachment } from '../core/context-text.ts';
import type { ContextChip } from '../core/webview-protocol.ts';
import { visibleControls } from '../core/visible-controls.ts';
import { t } from './l10n.ts';

/** What a click on a chip asks for. */
export type ChipIntent = { readonly type: 'detach'; readonly chip: string } | { readonly type: 'toggle_active' };

/** What the chips do with the page around them. */
export interface ChipPorts {
  readonly within: HTMLElement;
  readonly field: () => HTMLElement | undefined;
  readonly ask: (intent: ChipIntent) => void;
}

/**
 * What goes with the next message: a chip each, which can be taken away; the file in the editor can be switched on. Whoever
 * takes one away by keyboard stays among the chips, whoever clicks goes on writing.
 */
export class ContextChips implements ReactiveController {
  readonly #ports: ChipPorts;
  /** Place of a chip that is being taken away by keyboard, and of how many. */
  #leaving: { readonly at: number; readonly of: number } | null = null;

  constructor(host: ReactiveControllerHost, ports: ChipPorts) {
    this.#ports = ports;
    host.addController(this);
  }

  hostUpdated(): void {
    if (this.#leaving === null) return;
    const left = this.#ports.within.querySelectorAll<HTMLElement>('.context button');
    if (left.length >= this.#leaving.of) return;
    const next = left[Math.min(this.#leaving.at, left.length - 1)] ?? this.#ports.field();
    this.#leaving = null;
    next?.focus();
  }

  list(chips: readonly ContextChip[]): TemplateResult | typeof nothing {
    if (chips.length === 0) return nothing;
    return html`<ul class="context" aria-label=${t('Goes with the message')}>
      ${repeat(
        chips,
        ({ id }) => id,
        (chip, at) =>
          html`<li>
            ${
              chip.kind === 'active'
                ? activeChip(chip, this.#ports.ask)
                : chosenChip(chip, ({ detail }) => {
                    // A click that no pointer made.
                    if (detail === 0) this.#leaving = { at, of: chips.length };
                    else this.#ports.field()?.focus();
                    this.#ports.ask({ type: 'detach', chip: chip.id });
                  })
            }
          </li>`,
      )}
    </ul>`;
  }
}

function activeChip({ label, title, on }: ContextChip, onIntent: (intent: ChipIntent) => void): TemplateResult {
  const says = on
    ? t('{file} goes with the message; click to leave it out', { file: title })
    : t('Attach {file}, the file in the editor', { file: title });
  return html`<button
    class="attachment toggle"
    aria-pressed=${on}
    aria-label=${t('Attach the open file {file}', { file: label })}
    title=${says}
    @click=${() => {
      onIntent({ type: 'toggle_active' });
    }}
  >
    <span class="codicon codicon-${on ? 'file' : 'add'}" aria-hidden="true"></span><span class="name">${label}</span>
  </button>`;
}

function chosenChip({ kind, label, title }: ContextChip, leave: (event: MouseEvent) => void): TemplateResult {
  return html`<span class="attachment" title=${title}>
    <span class="codicon codicon-${kind === 'selection' ? 'selection' : 'file'}" aria-hidden="true"></span
    ><span class="name">${label}</span
    ><button class="icon" aria-label=${t('Leave out {file}', { file: label })} title=${t('Leave out')} @click=${leave}>
      <span class="codicon codicon-close" aria-hidden="true"></span>
    </button>
  </span>`;
}

/** What went with a message that was sent, each to be unfolded: the very words that the model read. */
export function attachments(all: readonly Attachment[]): TemplateResult | typeof nothing {
  if (all.length === 0) return nothing;
  return html`<div class="attached">
    ${all.map((attachment) => {
      const label = attachmentLabel(attachment);
      return html`<details>
        <summary title=${label}>
          <span class="codicon codicon-${attachment.range === null ? 'file' : 'selection'}" aria-hidden="true"></span
          ><span class="name">${label.split('/').at(-1)}</span>
        </summary>
        <pre tabindex="0"><code>${visibleControls(attachment.text)}</code></pre>
      </details>`;
    })}
  </div>`;
}
