import { writeSync } from 'node:fs';
import { openJournal } from '../../src/store/journal.ts';
import { started } from '../core/event-arbitrary.ts';

// Started by kill.test.ts: appends numbered words for ever and says so on stdout after each append. With `die-at N` it
// kills itself right after the N-th acknowledgement; as a `liar` it acknowledges before it appends.
const [, , path = '', episodeId = '', dieAt = '0', manner = 'honest'] = process.argv;
const journal = openJournal(path);

// Only this process writes to its episode, so the number of the next event is known before it is stored.
let next = journal.read(episodeId).length;
const acknowledge = (): void => {
  writeSync(1, `${next}\n`);
  if (next >= Number(dieAt) && Number(dieAt) > 0) process.kill(process.pid, 'SIGKILL');
};
for (;;) {
  if (manner === 'liar') acknowledge();
  try {
    const words = {
      type: 'request_accepted',
      text: `${episodeId} number ${next} ${'.'.repeat((next * 97) % 3000)}`,
    } as const;
    journal.append(episodeId, [next === 0 ? started : words], { expectedSeq: next });
  } catch (thrown) {
    // Two of these run at once; the other one's turn is no reason to stop.
    if (thrown instanceof Error && 'reason' in thrown && thrown.reason === 'store_locked') continue;
    throw thrown;
  }
  if (manner !== 'liar') acknowledge();
  next += 1;
}
