import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Conversation } from '../src/app/conversation.ts';
import { seededRandom } from '../src/app/demo/random.ts';
import { startEngine } from '../src/app/engine-process.ts';
import { openChat } from '../src/backends/chat.ts';
import { reduce } from '../src/core/reduce.ts';
import { openJournal } from '../src/store/journal.ts';

export interface EngineDeaths {
  readonly line: string;
  readonly wrong: readonly string[];
}

/** Pieces of an answer that are heard before the engine dies; the toy says more than that before it ends. */
const LATEST_PIECE = 12;

/**
 * Kills the real engine in the middle of its answers. What was said stays, told as failed; no half answer is counted as a
 * whole one, and an answer that was whole before the engine died is there.
 */
export async function killEngines(folder: string, seed: number, times: number): Promise<EngineDeaths> {
  const random = seededRandom(`engines ${seed}`);
  const home = join(folder, 'engines');
  mkdirSync(home);
  const journal = openJournal(join(home, 'store.db'));
  const wrong: string[] = [];
  const seen = { failed: 0, whole: 0 };
  try {
    for (let time = 0; time < times; time += 1) {
      const piece = 1 + Math.floor(random() * LATEST_PIECE);
      const engine = await startEngine({ threads: 1, contextSize: 512 });
      const chat = openChat({ url: engine.url, apiKey: engine.token, model: null, name: 'engine' });
      const sampling = { temperature: 1, top_p: 1, top_k: null, seed: seed + time, max_tokens: 200 };
      try {
        const talk = await Conversation.start({ journal, chat, sampling }, { source: 'simulated' });
        await talk.request('Write a function that averages a list of numbers and skips what is missing.');
        let heard = '';
        let pieces = 0;
        for await (const event of talk.act()) {
          if (event.type !== 'delta') continue;
          heard += event.text;
          pieces += 1;
          if (pieces === piece) process.kill(engine.pid, 'SIGKILL');
        }
        const events = journal.read(talk.id);
        const state = reduce(events);
        const last = events.at(-1)?.body;
        const halved = last?.type === 'action_failed' && last.partial === heard;
        // Its end had come already, in the same breath as the piece at which the engine died: nothing of it is missing.
        const ended = last?.type === 'action_asked' || last?.type === 'action_answered';
        const whole = ended && last.generation.text === heard && last.generation.finish === 'stop';
        seen[halved ? 'failed' : 'whole'] += 1;
        if (!halved && !whole)
          wrong.push(`engine ${time}: killed at piece ${piece}, its action ended as ${last?.type ?? '?'}`);
        if (state.ignored.length > 0 || state.running !== null) wrong.push(`engine ${time}: the talk does not reduce`);
      } finally {
        await engine.close();
      }
    }
  } finally {
    journal.close();
  }
  return {
    line: `engines killed in mid-answer: ${times}; ${seen.failed} answers told as failed with what was said, ${seen.whole} were whole before`,
    wrong,
  };
}
