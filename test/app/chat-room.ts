import { expect } from 'vitest';
import type { ChatPorts } from '../../src/app/chat-ports.ts';
import { ChatSession } from '../../src/app/chat-session.ts';
import type { ChatView, EditView } from '../../src/core/webview-protocol.ts';
import { openJournal, type Journal } from '../../src/store/journal.ts';
import { temporaryStore } from '../store/temporary-store.ts';
import { eventually } from '../eventually.ts';
import { sampling, scriptedChat, type Line } from './scripted-chat.ts';
import { calm } from '../core/calm.ts';

/** A chat without a window, and everything that it tells. */
export interface Room {
  readonly session: ChatSession;
  readonly journal: Journal;
  readonly views: ChatView[];
  readonly deltas: string[];
  readonly drafts: Map<string | null, string>;
  readonly edits: Map<string | null, EditView | null>;
  /** Until the agent is silent and the developer is due. */
  readonly silent: () => Promise<void>;
}

/** A session on a store of its own, or a given one, with an agent that says these lines. */
export function room(lines: readonly Line[], extra: Partial<ChatPorts> = {}): Room {
  const journal = extra.journal ?? openJournal(temporaryStore());
  const backend = scriptedChat(lines);
  const views: ChatView[] = [];
  const deltas: string[] = [];
  const drafts = new Map<string | null, string>();
  const edits = new Map<string | null, EditView | null>();
  const session = new ChatSession({
    journal,
    connect: () => Promise.resolve({ backend, notice: null }),
    options: () => ({
      marker: 'I WANT TO ANSWER:',
      maxTurns: 4,
      skipSentence: 'You choose.',
      sampling,
      takesAgentPrompt: false,
    }),
    surroundings: () => calm,
    drafts: {
      get: (id) => drafts.get(id) ?? '',
      set: (id, text) => void drafts.set(id, text),
      edit: (id) => edits.get(id) ?? null,
      setEdit: (id, edit) => void edits.set(id, edit),
    },
    onView: (view) => void views.push(structuredClone(view)),
    onDelta: (_turn, text) => void deltas.push(text),
    onState: () => undefined,
    ...extra,
  });
  const silent = (): Promise<void> =>
    eventually(() => {
      expect(session.acting).toBe(false);
    });
  return { session, journal, views, deltas, drafts, edits, silent };
}

/** The types of the open conversation's events, in order. */
export const kinds = ({ journal, session }: Room): string[] =>
  journal.read(session.episode ?? '').map(({ body }) => body.type);
