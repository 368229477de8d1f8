import { z } from 'zod';
import { recover } from '../../src/app/recover.ts';
import { TurnwiseError } from '../../src/core/error.ts';
import { EVENT_VERSION, eventBodySchema } from '../../src/core/event.ts';
import { reduce } from '../../src/core/reduce.ts';
import { openJournal, type Journal } from '../../src/store/journal.ts';

// A process with a store open, of whichever version it was built from: does what it is told, line by line, until the lines end.
const orderSchema = z.discriminatedUnion('do', [
  z.object({ do: z.literal('open'), path: z.string() }),
  z.object({ do: z.literal('append'), episode: z.string(), bodies: z.array(z.unknown()) }),
  z.object({ do: z.literal('look'), episode: z.string() }),
  z.object({ do: z.literal('recover') }),
  z.object({ do: z.literal('find'), word: z.string() }),
  z.object({ do: z.literal('claim') }),
  z.object({ do: z.literal('finish') }),
  z.object({ do: z.literal('memo') }),
]);

let journal: Journal | null = null;
let job: ReturnType<Journal['queue']['claim']> = null;

function follow(order: z.infer<typeof orderSchema>): unknown {
  if (order.do === 'open') {
    journal = openJournal(order.path);
    return { readOnly: journal.readOnly, knows: EVENT_VERSION };
  }
  if (journal === null) throw new Error('Nothing is open yet.');
  const open = journal;
  switch (order.do) {
    case 'append':
      return open.append(
        order.episode,
        order.bodies.map((body) => eventBodySchema.parse(body)),
      ).length;
    case 'look': {
      const events = open.read(order.episode);
      const { skippedEvents, ignored } = reduce(events);
      return { events: events.map(({ body }) => body), skippedEvents, ignored: ignored.length };
    }
    case 'recover':
      return recover(open, { isAlive: () => false }).interrupted;
    case 'find':
      return open.search.find(order.word).map(({ episodeId }) => episodeId);
    case 'claim':
      job = open.queue.claim('worker', 'scorer', 'options', 60_000);
      return job?.episodeId ?? null;
    case 'finish':
      return job === null ? null : open.queue.finish('worker', job);
    case 'memo':
      open.memo.set('key', 'value');
      return open.memo.get('key');
    default:
      return order satisfies never;
  }
}

process.stdin.setEncoding('utf8');
let rest = '';
for await (const text of process.stdin) {
  const lines = `${rest}${String(text)}`.split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) {
    let answer: unknown;
    try {
      answer = { done: follow(orderSchema.parse(JSON.parse(line))) };
    } catch (thrown) {
      answer = thrown instanceof TurnwiseError ? { refused: thrown.reason } : { failed: String(thrown) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}
