import type { Offer } from '../core/webview-protocol.ts';
import { t } from './l10n.ts';

/** What the empty field says: what may be written there now, or why nothing may. */
export function placeholder(
  offer: Offer,
  { branching, hasOptions }: { readonly branching: boolean; readonly hasOptions: boolean },
): string {
  if (branching) return t('Say it otherwise');
  switch (offer) {
    case 'request':
      return t('What should be written?');
    case 'reply':
      return hasOptions ? t('Or answer in your own words') : t('Answer, or say what to change');
    case 'stop':
      return t('The agent is writing. Esc stops it.');
    case 'continue':
      return t('Continue first');
    case 'wait':
      return t('Another window is busy with this conversation');
    case 'new':
      return t('This conversation is closed');
    case 'blocked':
      return t('Nothing can be sent; the reason is above');
    default:
      return offer satisfies never;
  }
}
