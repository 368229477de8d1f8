import * as vscode from 'vscode';
import {
  EPISODE_STATES,
  FILTER_MARKS,
  NO_FILTER,
  SINCE,
  type EpisodeFilter,
  type Since,
} from '../core/episode-filter.ts';
import type { Host } from './host.ts';
import { markWords, sinceWords, standingWords } from './review-words.ts';

/** One line of the picker: what it adds to a filter. */
interface Choice extends vscode.QuickPickItem {
  readonly add: Partial<EpisodeFilter>;
}

/** Asks what the list is to be narrowed to; several of one kind are "or", kinds are "and". Nothing ticked: everything. */
export async function filterEpisodes({ tree }: Host): Promise<void> {
  const { index, filter } = tree.view;
  const chosen = await vscode.window.showQuickPick(choices(index.models(), filter), {
    title: vscode.l10n.t('Show Only These Conversations'),
    placeHolder: vscode.l10n.t('Tick what they may be; none: all are shown'),
    canPickMany: true,
    matchOnDescription: true,
  });
  if (chosen === undefined) return;
  tree.view.filter = chosen.map(({ add }) => add).reduce<EpisodeFilter>(joined, NO_FILTER);
}

export function clearFilter({ tree }: Host): void {
  tree.view.filter = NO_FILTER;
}

/** Two filters of the picker as one; of two periods the longer, of reviewed and not reviewed neither. */
export function joined(filter: EpisodeFilter, add: Partial<EpisodeFilter>): EpisodeFilter {
  const both = filter.reviewed !== null && add.reviewed != null && filter.reviewed !== add.reviewed;
  return {
    states: [...filter.states, ...(add.states ?? [])],
    models: [...filter.models, ...(add.models ?? [])],
    marks: [...filter.marks, ...(add.marks ?? [])],
    since: longer(filter.since, add.since ?? null),
    reviewed: both ? null : (add.reviewed ?? filter.reviewed),
  };
}

function longer(a: Since | null, b: Since | null): Since | null {
  return SINCE.findLast((since) => since === a || since === b) ?? null;
}

function choices(models: readonly string[], filter: EpisodeFilter): Choice[] {
  const kind = (label: string): Choice => ({ label, kind: vscode.QuickPickItemKind.Separator, add: {} });
  return [
    kind(vscode.l10n.t('Review')),
    { label: vscode.l10n.t('not reviewed'), add: { reviewed: false }, picked: filter.reviewed === false },
    { label: vscode.l10n.t('reviewed'), add: { reviewed: true }, picked: filter.reviewed === true },
    kind(vscode.l10n.t('Marks')),
    ...FILTER_MARKS.map((id): Choice => ({
      label: markWords(id).title,
      detail: markWords(id).rule,
      add: { marks: [id] },
      picked: filter.marks.includes(id),
    })),
    kind(vscode.l10n.t('Scores')),
    ...EPISODE_STATES.map((state): Choice => ({
      label: standingWords()[state],
      add: { states: [state] },
      picked: filter.states.includes(state),
    })),
    kind(vscode.l10n.t('Date')),
    ...SINCE.map((since): Choice => ({ label: sinceWords()[since], add: { since }, picked: filter.since === since })),
    ...(models.length === 0 ? [] : [kind(vscode.l10n.t('Models that spoke'))]),
    ...models.map((model): Choice => ({
      label: model,
      add: { models: [model] },
      picked: filter.models.includes(model),
    })),
  ];
}
