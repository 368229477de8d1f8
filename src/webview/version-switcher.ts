import { html, nothing, type TemplateResult } from 'lit';
import type { VersionsView } from '../core/webview-protocol.ts';
import { t } from './l10n.ts';

/**
 * "2 of 3" with the way to the version before and after; nothing where there is only one. `place` names it in the page, so that
 * the eye and the keyboard stay where they were when another version is shown.
 */
export function versionSwitcher(
  versions: VersionsView | null,
  { what, place, busy }: { readonly what: string; readonly place: string; readonly busy: boolean },
  show: (episode: string) => void,
): TemplateResult | typeof nothing {
  if (versions === null) return nothing;
  const { shown, count, previous, next } = versions;
  return html`<span
    class="versions"
    role="group"
    aria-label=${t('{what}: version {shown} of {count}', { what, shown, count })}
    data-place=${place}
  >
    ${step(t('Previous version'), 'chevron-left', previous)}
    <span aria-hidden="true">${t('{shown} of {count}', { shown, count })}</span>
    ${step(t('Next version'), 'chevron-right', next)}
  </span>`;

  // Not disabled in earnest: a button that is would drop the keyboard's focus at the first and the last version.
  function step(label: string, icon: string, episode: string | null): TemplateResult {
    const off = episode === null || busy;
    return html`<button
      class="icon"
      aria-label=${label}
      title=${busy ? t('Stop the agent first') : label}
      aria-disabled=${off}
      @click=${() => {
        if (episode !== null && !busy) show(episode);
      }}
    >
      <span class="codicon codicon-${icon}" aria-hidden="true"></span>
    </button>`;
  }
}
