import type { Engine } from './engine.ts';
import { errorBody, parseBody, type Exchange } from './http.ts';
import { scoreRequestSchema } from './requests.ts';
import type { EngineScores } from './scorer.ts';
import type { ScoreSequence } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';
import { packTokens } from '../core/packed-tokens.ts';

const KEEP_ALIVE_MS = 15_000;

/** `POST /score`: token sequences in, log-probs of their [from, to) out, in nats. */
export async function answerScore(engine: Engine, { body, signal, response }: Exchange): Promise<object | undefined> {
  const { sequences, session, stream, distributions } = parseBody(scoreRequestSchema, body);
  const scorer = engine.scorer();
  for (const { ids } of sequences) {
    engine.checkIds(ids);
    engine.checkLength(ids);
  }
  if (distributions === 'full') refuseTooMuch(sequences, engine.vocabularySize);
  if (!stream) return answerOf(await scorer.score(sequences, { signal, session, distributions }));
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
    line(answerOf(await scorer.score(sequences, { signal, session, distributions, onProgress })));
  } catch (thrown) {
    line(errorBody(thrown));
  } finally {
    clearInterval(alive);
  }
  response.end();
  return undefined;
}

/** Whole vocabularies in one answer: so many numbers, 8 bytes each on the wire, and no more. */
const MOST_NUMBERS = 2 ** 25;

function refuseTooMuch(sequences: readonly ScoreSequence[], vocabulary: number): void {
  const positions = sequences.reduce((sum, { from, to }) => sum + to - from, 0);
  if (positions * vocabulary <= MOST_NUMBERS) return;
  throw new TurnwiseError(
    'input',
    'distributions_too_large',
    `${positions} distributions over ${vocabulary} tokens are more than one answer holds; use kl_topk, or score shorter conversations.`,
  );
}

function answerOf({ logprobs, distributions, evaluated, reused, limit }: EngineScores): object {
  const told = distributions === null ? {} : { distributions: distributions.map((row) => row.map(packTokens)) };
  return { logprobs, ...told, tokens_evaluated: evaluated, tokens_reused: reused, tokens_limit: limit };
}
