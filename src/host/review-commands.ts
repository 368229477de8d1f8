import * as vscode from 'vscode';
import { reduce } from '../core/reduce.ts';
import { TurnwiseError } from '../core/error.ts';
import { NO_OVERRIDE, NOTE_LIMIT, REVIEW_LABELS, type Override, type ReviewLabel } from '../core/override.ts';
import type { Host } from './host.ts';
import { reviewEpisode } from './review-source.ts';
import { changeWords, labelWords } from './review-words.ts';

/** What a command of the review is about. */
interface Target {
  readonly episode: string;
  /** Null: the whole episode. */
  readonly turn: number | null;
}

/** Labels the chosen row: by a number from 1 to 5 (a key), else by asking. */
export async function labelRow(host: Host, argument: unknown): Promise<void> {
  const target = targetOf(host, typeof argument === 'number' ? undefined : argument);
  const key = typeof argument === 'number' ? REVIEW_LABELS[argument - 1] : undefined;
  const value = key ?? (await askLabel(held(host, target)));
  if (value !== undefined) await host.overrides.set(target.episode, target.turn, { field: 'label', value });
}

/** Asks for the reviewer's note on the chosen row; an empty one takes it away. */
export async function noteRow(host: Host, argument: unknown): Promise<void> {
  const target = targetOf(host, argument);
  const value = await vscode.window.showInputBox({
    title: vscode.l10n.t('Note of the Review'),
    prompt: vscode.l10n.t('It goes along when the conversation is exported. Empty: no note.'),
    value: held(host, target).note ?? '',
    validateInput: (text) =>
      text.trim().length <= NOTE_LIMIT ? null : vscode.l10n.t('At most {limit} characters.', { limit: NOTE_LIMIT }),
  });
  if (value !== undefined) await host.overrides.set(target.episode, target.turn, { field: 'note', value });
}

/** Leaves the chosen turn or episode out of what is trained on, or takes it in again. */
export async function excludeRow(host: Host, argument: unknown): Promise<void> {
  const target = targetOf(host, argument);
  const value = !held(host, target).excluded;
  await host.overrides.set(target.episode, target.turn, { field: 'excluded', value });
}

/** Ticks the chosen turn or episode off, or takes the tick away. */
export async function tickRow(host: Host, argument: unknown): Promise<void> {
  const target = targetOf(host, argument);
  const value = !held(host, target).reviewed;
  await host.overrides.set(target.episode, target.turn, { field: 'reviewed', value });
}

/** Takes back the newest change of this window. */
export async function undoReview(host: Host): Promise<void> {
  const taken = await host.overrides.undo(null);
  vscode.window.setStatusBarMessage(
    taken === null
      ? vscode.l10n.t('Nothing of this window is left to take back')
      : vscode.l10n.t('Taken back: {change}', { change: changeWords(taken.change) }),
    3000,
  );
}

/** Opens the newest conversation that nobody has looked through, of those that the list shows. */
export function nextToReview(host: Host): void {
  const { index, filter } = host.tree.view;
  const next = index.filtered(filter).find(({ reviewable, reviewed }) => reviewable && !reviewed);
  if (next === undefined) {
    void vscode.window.showInformationMessage(vscode.l10n.t('Nothing is left to review here.'));
    return;
  }
  reviewEpisode(host, next.id);
}

async function askLabel({ label }: Override): Promise<ReviewLabel | null | undefined> {
  const items = REVIEW_LABELS.map((value, at) => ({
    label: `${at + 1}  ${labelWords()[value]}`,
    description: meanings()[value],
    value: value,
  }));
  const none = { label: vscode.l10n.t('no label'), description: '', value: null };
  const chosen = await vscode.window.showQuickPick(label === null ? items : [...items, none], {
    title: vscode.l10n.t('Was It Worth Asking?'),
    placeHolder: label ?? vscode.l10n.t('The keys 1 to 5 do the same in the list'),
  });
  return chosen?.value;
}

const meanings = (): Readonly<Record<ReviewLabel, string>> => ({
  harmful: vscode.l10n.t('it misled the agent, or sent the work the wrong way'),
  needless: vscode.l10n.t('the answer was known already, or asked for its own sake'),
  unclear: vscode.l10n.t('it cannot be told'),
  useful: vscode.l10n.t('the work came out better for it'),
  essential: vscode.l10n.t('without it, it would be wrong'),
});

function held({ journal }: Host, { episode, turn }: Target): Override {
  const state = reduce(journal.read(episode));
  return turn === null ? state.override : (state.turns[turn]?.override ?? NO_OVERRIDE);
}

/** The row that a command was called on, else the one that is chosen in the list; a fact stands for the turn above it. */
function targetOf({ tree }: Host, argument: unknown): Target {
  const target = rowTarget(argument) ?? rowTarget(tree.view.chosen);
  if (target !== null) return target;
  throw new TurnwiseError('usage', 'no_row', 'No row is chosen; choose a turn or a conversation under Episodes.');
}

function rowTarget(row: unknown): Target | null {
  if (typeof row !== 'object' || row === null || !('id' in row) || typeof row.id !== 'string') return null;
  const { type, id, episode, turn } = row as { type?: unknown; id: string; episode?: unknown; turn?: unknown };
  if (type === 'episode') return { episode: id, turn: null };
  if (typeof episode !== 'string') return null;
  const index = typeof turn === 'object' && turn !== null && 'index' in turn ? turn.index : turn;
  return typeof index === 'number' ? { episode, turn: index } : null;
}
