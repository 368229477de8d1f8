import * as vscode from 'vscode';
import { TurnwiseError } from '../core/error.ts';
import { titleSchema } from '../core/event.ts';
import { wordsOf } from '../core/gist.ts';
import { oneLine } from '../core/review.ts';
import type { EpisodeFacts } from '../store/list-episodes.ts';
import type { SearchHit } from '../store/search.ts';
import type { Host } from './host.ts';

/** From a key to the search, ms: the index is asked when the fingers rest. */
const REST_MS = 120;
/** Events looked at for a query; those of one conversation are shown as one. */
const HITS = 100;

/** A conversation as the search offers it. */
export interface Found extends vscode.QuickPickItem {
  readonly episode: string;
}

/** Finds conversations by the words in them, as one types, and opens the chosen one in the chat. */
export async function searchEpisodes(host: Host): Promise<void> {
  const episode = await new Promise<string | null>((resolve) => {
    const picker = vscode.window.createQuickPick<Found>();
    picker.title = vscode.l10n.t('Search the Conversations');
    picker.placeholder = vscode.l10n.t('Words of yours or of the agent, in any order');
    const show = (): void => {
      picker.busy = false;
      picker.items = foundBy(host, picker.value);
    };
    let resting: NodeJS.Timeout | undefined;
    picker.onDidChangeValue(() => {
      clearTimeout(resting);
      picker.busy = true;
      resting = setTimeout(show, REST_MS);
    });
    picker.onDidAccept(() => {
      const [chosen] = picker.activeItems;
      if (chosen === undefined) return;
      resolve(chosen.episode);
      picker.hide();
    });
    picker.onDidHide(() => {
      clearTimeout(resting);
      picker.dispose();
      resolve(null);
    });
    show();
    picker.show();
  });
  if (episode === null) return;
  await host.openEpisode(episode);
  await host.chat.focus();
}

/** Asks what a conversation is to be called; nothing typed: by its request again. */
export async function renameEpisode(host: Host, episode: string | null): Promise<void> {
  const id = episode ?? host.session.episode;
  const facts = host.journal.episodes().find((one) => one.id === id);
  if (facts === undefined) {
    throw new TurnwiseError(
      'usage',
      'no_episode',
      vscode.l10n.t('No conversation is chosen; open one, then try again.'),
    );
  }
  const answer = await vscode.window.showInputBox({
    title: vscode.l10n.t('Rename Conversation'),
    prompt: vscode.l10n.t('Empty: it is called by its request again.'),
    value: nameOfEpisode(facts),
    validateInput: (text) =>
      text.trim() === '' || titleSchema.safeParse(text.trim()).success
        ? null
        : vscode.l10n.t('One line of at most 200 characters.'),
  });
  if (answer === undefined) return;
  const title = answer.trim() === '' || answer.trim() === requestOf(facts) ? null : answer.trim();
  await host.session.setTitle(facts.id, title);
  host.tree.refresh();
}

/** What a conversation is called: as the developer named it, else by its request. */
export function nameOfEpisode(facts: Pick<EpisodeFacts, 'title' | 'request'>): string {
  return facts.title ?? requestOf(facts);
}

function requestOf({ request }: Pick<EpisodeFacts, 'request'>): string {
  return oneLine(wordsOf(request ?? vscode.l10n.t('New conversation')), 80);
}

/** What matches a query, the newest first; all conversations where nothing is asked. */
function foundBy({ journal }: Host, query: string): Found[] {
  const known = new Map(journal.episodes().map((facts) => [facts.id, facts]));
  if (query.trim() === '') return [...known.values()].map((facts) => itemOf(facts, null));
  const first = new Map<string, SearchHit>();
  for (const hit of journal.search.find(query, { limit: HITS })) {
    if (!first.has(hit.episodeId)) first.set(hit.episodeId, hit);
  }
  return [...first].flatMap(([id, hit]) => {
    const facts = known.get(id);
    return facts === undefined ? [] : [itemOf(facts, hit)];
  });
}

function itemOf(facts: EpisodeFacts, hit: SearchHit | null): Found {
  const icon = facts.parent === null ? 'comment' : 'git-branch';
  const when = new Date(facts.startedAt).toLocaleString();
  return {
    episode: facts.id,
    label: `$(${icon}) ${plain(nameOfEpisode(facts))}`,
    description: when,
    ...(hit === null ? {} : { detail: passage(hit) }),
    // The index has decided; the editor's own matching would hide what it found elsewhere in the text.
    alwaysShow: true,
  };
}

function passage({ who, snippet }: SearchHit): string {
  const { before, match, after } = snippet;
  const text = plain(`${before}${match}${after}`.replace(/\s+/g, ' ').trim());
  return who === 'developer' ? vscode.l10n.t('You: …{text}…', { text }) : vscode.l10n.t('Agent: …{text}…', { text });
}

/** Words are never icons: `$(name)` in a label would be drawn as one. */
function plain(text: string): string {
  return text.replaceAll('$(', '$\u200b(');
}
