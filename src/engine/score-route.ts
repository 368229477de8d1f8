import type { Engine } from './engine.ts';
import { errorBody, parseBody, type Exchange } from './http.ts';
import { scoreRequestSchema } from './requests.ts';
import type { EngineScores } from './scorer.ts';

const KEEP_ALIVE_MS = 15_000;

/** `POST /score`: token sequences in, log-probs of their [from, to) out, in nats. */
export async function answerScore(engine: Engine, { body, signal, response }: Exchange): Promise<object | undefined> {
  const { sequences, session, stream } = parseBody(scoreRequestSchema, body);
  const scorer = engine.scorer();
  for (const { ids } of sequences) {
    engine.checkIds(ids);
    engine.checkLength(ids);
  }
  if (!stream) return answerOf(await scorer.score(sequences, { signal, session }));
  const line = (value: object): void => {
    response.write(`${JSON.stringify(value)}\n`);
  };
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  // A reader gives up on a silent connection; while this request waits its turn, a blank line shows that it is alive.
  const alive = setInterval(() => response.write('\n'), KEEP_ALIVE_MS);
  try {
    const onProgress = (tokensDone: number): void => {
      line({ tokens_done: tokensDone });
    };
    line(answerOf(await scorer.score(sequences, { signal, session, onProgress })));
  } catch (thrown) {
    line(errorBody(thrown));
  } finally {
    clearInterval(alive);
  }
  response.end();
  return undefined;
}

function answerOf({ logprobs, evaluated, reused, limit }: EngineScores): object {
  return { logprobs, tokens_evaluated: evaluated, tokens_reused: reused, tokens_limit: limit };
}
