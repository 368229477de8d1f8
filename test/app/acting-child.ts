import { Conversation } from '../../src/app/conversation.ts';
import type { ChatBackend } from '../../src/core/backend.ts';
import { openJournal } from '../../src/store/journal.ts';
import { sampling } from './scripted-chat.ts';

// Started by recover.test.ts: begins an action that never ends, and prints its episode once the model speaks.
const [, , path = ''] = process.argv;
const chat: ChatBackend = {
  name: 'endless',
  async *stream() {
    yield { type: 'delta', text: 'Whi' };
    await new Promise((resolve) => setTimeout(resolve, 600_000));
  },
};
const talk = await Conversation.start({ journal: openJournal(path), chat, sampling }, { source: 'simulated' });
await talk.request('Convert it.');
for await (const event of talk.act()) if (event.type === 'delta') process.stdout.write(`${talk.id}\n`);
