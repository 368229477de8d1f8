import { Overrides } from '../../src/app/overrides.ts';
import { REVIEW_LABELS } from '../../src/core/override.ts';
import { openJournal } from '../../src/store/journal.ts';

// Started by overrides.test.ts: one of two reviewers at work on one conversation at once. It notes the turns of its own and
// labels the one that both label, as fast as it can, and takes its own last label back at the end.
const [, , path = '', me = '0', rounds = '10'] = process.argv;
const journal = openJournal(path);
const overrides = new Overrides(journal);
for (let round = 0; round < Number(rounds); round += 1) {
  await overrides.set('talk', Number(me), { field: 'note', value: `reviewer ${me}, round ${round}` });
  await overrides.set('talk', 2, { field: 'label', value: REVIEW_LABELS[(round + Number(me)) % 5] ?? 'unclear' });
}
await overrides.undo('talk');
journal.close();
