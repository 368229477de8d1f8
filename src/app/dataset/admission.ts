import type { DatasetRow } from '../../core/dataset/schema.ts';
import type { RefusalReason } from '../../core/dataset/manifest.ts';
import type { EpisodeState } from '../../core/episode-state.ts';

/** Whether an episode may be exported, by which right, or why not. */
export type Admission =
  | { readonly consent: DatasetRow['consent'] }
  | { readonly consent: null; readonly reason: Exclude<RefusalReason, 'secret_found'> };

/**
 * Privacy's gate. `excluded` keeps any episode in. What a developer said in the chat leaves only when it was released
 * (`exportable`). A simulated developer has nothing to consent to. An import came from a file that the person who exports
 * brought in, so it may go out again as `imported`, unless the file says that a real developer spoke: then only when released.
 */
export function admission(state: EpisodeState): Admission {
  const { scope, grantedAt } = state.consent;
  if (scope === 'excluded') return { consent: null, reason: 'excluded' };
  // What a newer version recorded may well be that the consent was taken back.
  if (state.skippedEvents > 0) return { consent: null, reason: 'newer_events' };
  if (state.phase === 'acting') return { consent: null, reason: 'action_running' };
  if (!state.turns.some((turn) => turn.state !== 'inherited')) return { consent: null, reason: 'no_action' };
  if (scope === 'exportable' && grantedAt !== null) return { consent: { scope, granted_at: grantedAt } };
  if (state.source === 'simulated') return { consent: { scope: 'simulated', granted_at: null } };
  if (state.importedRow !== null && state.source !== 'real_developer') {
    return { consent: { scope: 'imported', granted_at: null } };
  }
  return { consent: null, reason: 'no_consent' };
}
