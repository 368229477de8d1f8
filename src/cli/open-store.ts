import { existsSync } from 'node:fs';
import { TurnwiseError } from '../core/error.ts';
import { openJournal, type Journal } from '../store/journal.ts';

/** Opens a store that is there already, for a command that writes to it. Throws `no_store`, and why it cannot be written. */
export function openStore(path: string): Journal {
  if (!existsSync(path)) {
    throw new TurnwiseError('input', 'no_store', `There is no store at ${path}; check the path.`);
  }
  const journal = openJournal(path);
  if (journal.readOnly === null) return journal;
  journal.close();
  throw new TurnwiseError('environment', 'store_read_only', journal.readOnly);
}
