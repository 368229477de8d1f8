import { join } from 'node:path';
import type { EventBody, EventOf, EventType } from '../../../src/core/event.ts';
import { openJournal, type Journal } from '../../../src/store/journal.ts';
import type { Server } from '../../host/server.mjs';

/** What is on the disk of this editor, read by a reader of its own. */
export function readStore<T>(server: Server, read: (journal: Journal) => T): T {
  const path = join(server.home, 'user/User/globalStorage/turnwise.turnwise/turnwise.sqlite');
  const journal = openJournal(path, { readOnly: true });
  try {
    return read(journal);
  } finally {
    journal.close();
  }
}

/** The events of the newest conversation, oldest first. */
export function newestEvents(server: Server): EventBody[] {
  return readStore(server, (journal) => {
    const [newest] = journal.episodes();
    const bodies = newest === undefined ? [] : journal.read(newest.id).map(({ body }) => body);
    return bodies.filter((body) => body.type !== 'newer_event');
  });
}

/** The newest conversation's events of one type, oldest first. */
export function eventsOf<T extends EventType>(server: Server, type: T): EventOf<T>[] {
  return newestEvents(server).filter((body): body is EventOf<T> => body.type === type);
}
