import { TurnwiseError } from '../../src/core/error.ts';
import { openJournal } from '../../src/store/journal.ts';
import { started } from '../core/event-arbitrary.ts';

// Started by faults.test.ts: opens a store as somebody whom permissions stop, and prints what happened.
const [, , path = ''] = process.argv;
const NOBODY = 65534;
if (process.getuid?.() === 0) {
  process.setgid?.(NOBODY);
  process.setuid?.(NOBODY);
}

function outcome(work: () => unknown): string {
  try {
    work();
    return 'went through';
  } catch (thrown) {
    return thrown instanceof TurnwiseError ? `${thrown.fault} ${thrown.reason}` : String(thrown);
  }
}

function look(): unknown {
  const journal = openJournal(path);
  try {
    return {
      events: journal.read('e').length,
      readOnly: journal.readOnly,
      append: outcome(() => journal.append('e', [started])),
      score: outcome(() => {
        journal.putScore('k', 1);
      }),
    };
  } finally {
    journal.close();
  }
}

let seen: unknown;
const open = outcome(() => {
  seen = look();
});
process.stdout.write(JSON.stringify(seen ?? { open }));
