import { importInto, prepareImport } from '../../../src/app/import.ts';
import type { Message } from '../../../src/core/message.ts';
import { openJournal } from '../../../src/store/journal.ts';

/** Puts a conversation of so many turns, some short and some with code, into a store that may not exist yet. */
export function plantLongConversation(store: string, id: string, turns: number): void {
  const messages: Message[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const code = turn % 5 === 0 ? `\n\n\`\`\`python\ndef step_${turn}(x):\n    return x + ${turn}\n\`\`\`` : '';
    messages.push(
      { role: 'user', content: `Reply ${turn}: ${'of some length '.repeat(turn % 4)}` },
      { role: 'assistant', content: `Question ${turn}? ${'It has **words**. '.repeat((turn % 7) * 4)}${code}` },
    );
  }
  const journal = openJournal(store);
  try {
    importInto(journal, 'long', prepareImport('long', [{ line: 1, value: { episode_id: id, messages } }]));
  } finally {
    journal.close();
  }
}
