// What the extension adds to the time to the first token: words said through the chat session (durable journal, agent, client) until
// the first delta that the page is sent, against a bare request to the same server, in turns. The server answers at once, so
// that nothing hides behind its own time.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChatSession } from '../src/app/chat-session.ts';
import { openChat } from '../src/backends/chat.ts';
import { openJournal } from '../src/store/journal.ts';
import { calm } from '../test/core/calm.ts';
import { startModelServer } from '../test/vscode/browser/model-server.ts';
import { median, spread, type Figure } from './figures.ts';

/** Goal, ms. */
const ADDED_MS = 5;
/** The first requests open connections and compile code. */
const WARM = 5;

/** Times of paired requests and their difference. `runs` pairs are measured. */
export async function measureFirstToken(runs: number): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'turnwise-bench-'));
  const server = await startModelServer(() => ({ say: 'Which unit should the result have?' }));
  const journal = openJournal(join(folder, 'store.sqlite'));
  try {
    let heard: (() => void) | null = null;
    const backend = openChat({ url: server.url, apiKey: null, model: 'stand-in', name: 'stand-in' });
    const session = new ChatSession({
      journal,
      connect: () => Promise.resolve({ backend, notice: null }),
      options: () => ({
        marker: 'I WANT TO ANSWER:',
        maxTurns: 10,
        skipSentence: 'Use your judgement.',
        takesAgentPrompt: true,
        sampling: { temperature: 0, top_p: 1, top_k: null, seed: null, max_tokens: 64 },
      }),
      surroundings: () => calm,
      drafts: { get: () => '', set: () => undefined, edit: () => null, setEdit: () => undefined },
      onView: () => undefined,
      onState: () => undefined,
      onDelta: () => {
        heard?.();
        heard = null;
      },
    });
    const through = async (): Promise<number> => {
      await session.open(null);
      const began = performance.now();
      const first = new Promise<void>((resolve) => {
        heard = resolve;
      });
      await session.send('Convert the length that is given to another unit.', null);
      await first;
      const took = performance.now() - began;
      await session.spoken();
      return took;
    };
    const ours: number[] = [];
    const bare: number[] = [];
    for (let run = -WARM; run < runs; run += 1) {
      const order = run % 2 === 0 ? [through, () => direct(server.url)] : [() => direct(server.url), through];
      const [a = Number.NaN, b = Number.NaN] = [await order[0]?.(), await order[1]?.()];
      if (run < 0) continue;
      ours.push(run % 2 === 0 ? a : b);
      bare.push(run % 2 === 0 ? b : a);
    }
    const added = ours.map((value, at) => value - (bare[at] ?? Number.NaN));
    const base = median(bare);
    return [
      {
        name: 'time to first token, through the extension',
        value: median(ours),
        unit: 'ms',
        spread: spread(ours),
        runs,
        baseline: { name: 'bare request', value: base, ratio: median(ours) / base },
        goal: null,
      },
      {
        name: 'time to first token, added (paired)',
        value: median(added),
        unit: 'ms',
        spread: spread(added),
        runs,
        baseline: null,
        goal: { atMost: ADDED_MS },
      },
    ];
  } finally {
    journal.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The same words sent with nothing around them, until the first piece of text. */
async function direct(url: string): Promise<number> {
  const began = performance.now();
  const response = await fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'stand-in',
      stream: true,
      messages: [{ role: 'user', content: 'Convert the length that is given to another unit.' }],
    }),
  });
  let text = '';
  let took = Number.NaN;
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece;
    if (Number.isNaN(took) && /"content":"[^"]/.test(text)) took = performance.now() - began;
  }
  return took;
}
