import * as vscode from 'vscode';
import type { EpisodeStanding, FilterWords, Since } from '../core/episode-filter.ts';
import { FAILED_BELOW, NOTHING_BELOW, TOLD_FROM, type MarkId } from '../core/marks/mark.ts';
import type { OverrideChange, ReviewLabel } from '../core/override.ts';

/** Where an episode stands, in the editor's language. */
export const standingWords = (): Readonly<Record<EpisodeStanding, string>> => ({
  queued: vscode.l10n.t('queued'),
  scoring: vscode.l10n.t('scoring'),
  scored: vscode.l10n.t('scored'),
  stale: vscode.l10n.t('stale'),
  failed: vscode.l10n.t('failed'),
  cancelled: vscode.l10n.t('cancelled'),
  unscored: vscode.l10n.t('not scored yet'),
  unscorable: vscode.l10n.t('not scorable'),
  unreadable: vscode.l10n.t('cannot be read'),
});

export const sinceWords = (): Readonly<Record<Since, string>> => ({
  today: vscode.l10n.t('today'),
  week: vscode.l10n.t('the last 7 days'),
  month: vscode.l10n.t('the last 30 days'),
});

/** What a filter says of itself. */
export const filterVocabulary = (): FilterWords => ({
  standing: standingWords(),
  since: sinceWords(),
  mark: (id) => markWords(id).title,
  or: vscode.l10n.t('or'),
  reviewed: vscode.l10n.t('reviewed'),
  unreviewed: vscode.l10n.t('not reviewed'),
});

/** A mark and its rule, as `core/marks` says them in English; a test holds both together. */
export function markWords(id: MarkId): { readonly title: string; readonly rule: string } {
  const numbers = { told: TOLD_FROM, nothing: NOTHING_BELOW, failed: FAILED_BELOW };
  switch (id) {
    case 'honourable_failure':
      return {
        title: vscode.l10n.t('honourable failure'),
        rule: vscode.l10n.t(
          'The outcome failed (below {failed}), and yet this reply told the agent something: {told} nats or more in total, and more a token than a placebo gains.',
          numbers,
        ),
      };
    case 'premature_answer':
      return {
        title: vscode.l10n.t('premature answer'),
        rule: vscode.l10n.t(
          'The agent answered before any reply had told it something ({told} nats or more in total, and more a token than a placebo gains), and the outcome failed (below {failed}).',
          numbers,
        ),
      };
    case 'all_was_said':
      return {
        title: vscode.l10n.t('asked although all was said'),
        rule: vscode.l10n.t(
          'This reply told the agent nothing (less than {nothing} nats in total, either way), no other reply told it more, and the outcome was good all the same ({failed} or more): the request had said it all.',
          numbers,
        ),
      };
    case 'own_sake':
      return {
        title: vscode.l10n.t('asked for its own sake'),
        rule: vscode.l10n.t(
          'This reply told the agent nothing (less than {nothing} nats in total, either way), while another reply of the conversation told it something ({told} nats or more).',
          numbers,
        ),
      };
    case 'acted_against':
      return {
        title: vscode.l10n.t('acted against the reply'),
        rule: vscode.l10n.t(
          'What the agent did next was less likely for this reply than without it: −{told} nats or less in total, and less a token than a placebo gains.',
          numbers,
        ),
      };
    default:
      return id satisfies never;
  }
}

/** The labels; what is kept and exported is the English word. */
export const labelWords = (): Readonly<Record<ReviewLabel, string>> => ({
  harmful: vscode.l10n.t('harmful'),
  needless: vscode.l10n.t('needless'),
  unclear: vscode.l10n.t('unclear'),
  useful: vscode.l10n.t('useful'),
  essential: vscode.l10n.t('essential'),
});

/** A change of a reviewer, for an undo to name. */
export function changeWords({ field, value }: OverrideChange): string {
  switch (field) {
    case 'label':
      return value === null
        ? vscode.l10n.t('no label')
        : vscode.l10n.t('label “{label}”', { label: labelWords()[value] });
    case 'note':
      return value === null ? vscode.l10n.t('no note') : vscode.l10n.t('note');
    case 'excluded':
      return value ? vscode.l10n.t('left out') : vscode.l10n.t('taken in again');
    case 'reviewed':
      return value ? vscode.l10n.t('reviewed') : vscode.l10n.t('not reviewed');
    default:
      return field satisfies never;
  }
}
