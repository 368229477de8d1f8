import { z } from 'zod';
import type { Backend, ScorerFacts, ScoreRequest, ScoreResult, ScoreSequence } from '../core/backend.ts';
import { TurnwiseError } from '../core/error.ts';
import { calibrationOfCard, cardMeasurementsSchema } from '../core/model-card.ts';
import { packedTokensSchema, unpackTokens } from '../core/packed-tokens.ts';
import { checkScores } from './check-scores.ts';
import { openJsonClient, type JsonClient } from './json-client.ts';
import { wireNumberSchema } from './prompt-rows.ts';

const NAME = 'engine';

const modelsSchema = z.object({
  data: z.tuple([
    z.object({
      id: z.string(),
      turnwise: z.object({
        model_sha: z.string(),
        tokenizer_sha: z.string(),
        template_sha: z.string().nullable(),
        template: z.string().nullable(),
        eot: z.array(z.string()),
        bos: z.string().nullable(),
        eos: z.string().nullable(),
        context_size: z.int().positive(),
        version: z.string(),
        scoring_problem: z.object({ reason: z.string(), message: z.string() }).nullable(),
        card: z
          .object({
            toy: z.boolean().optional(),
            agent_prompt: z.string().nullable().optional(),
            ...cardMeasurementsSchema.shape,
          })
          .nullable(),
      }),
    }),
  ]),
});
type ServedModel = z.infer<typeof modelsSchema>['data'][0];

const idsSchema = z.array(z.int().nonnegative());
const tokenizedSchema = z.object({ tokens: z.array(idsSchema) });
const detokenizedSchema = z.object({ text: z.string() });
const progressSchema = z.object({ tokens_done: z.number() });
const scoresSchema = z.object({
  logprobs: z.array(z.array(wireNumberSchema)),
  distributions: z.array(z.array(packedTokensSchema)).optional(),
  tokens_evaluated: z.int().nonnegative(),
  tokens_reused: z.int().nonnegative(),
});

/** The local engine as a scorer: exact, and at the causal limit. `token` is the one of its start. */
export function openEngineBackend({ url, token }: { readonly url: string; readonly token: string }): Backend {
  const client = openJsonClient({ name: 'The local engine', url, key: token });
  let known: Promise<ScorerFacts> | null = null;

  return {
    name: NAME,
    facts(signal) {
      known ??= learn(client, signal).catch((thrown: unknown) => {
        known = null; // the next call may find it running
        throw thrown;
      });
      return known;
    },
    async tokenize(texts, signal) {
      if (texts.length === 0) return [];
      const { tokens } = await client.post('/tokenize', { text: texts }, tokenizedSchema, signal);
      if (tokens.length === texts.length) return tokens;
      throw client.protocolError('wrong_count', `${tokens.length} token lists for ${texts.length} texts`);
    },
    async detokenize(ids, signal) {
      return (await client.post('/detokenize', { tokens: ids }, detokenizedSchema, signal)).text;
    },
    score: (sequences, options) => score(client, sequences, options),
    close: () => Promise.resolve(),
  };
}

async function learn(client: JsonClient, signal?: AbortSignal): Promise<ScorerFacts> {
  const answer = await client.get('/v1/models', z.unknown(), signal);
  const parsed = modelsSchema.safeParse(answer);
  if (!parsed.success) {
    throw new TurnwiseError(
      'unsupported',
      'not_an_engine',
      `What answers at ${client.url} is not a Turnwise engine of this version; start one with "turnwise serve".`,
    );
  }
  const [served] = parsed.data.data;
  const { scoring_problem: problem } = served.turnwise;
  if (problem) throw new TurnwiseError('unsupported', problem.reason, problem.message);
  return factsOf(served);
}

function factsOf({ id, turnwise }: ServedModel): ScorerFacts {
  const { template, card } = turnwise;
  if (template === null) {
    throw new TurnwiseError(
      'unsupported',
      'no_template',
      `${id} carries no chat template, so conversations cannot be rendered for it; choose an instruction-tuned model.`,
    );
  }
  return {
    identity: {
      id,
      revision: turnwise.model_sha,
      tokenizer_sha: turnwise.tokenizer_sha,
      template_sha: turnwise.template_sha,
      backend: NAME,
      version: turnwise.version,
    },
    // One scoring sequence: a second request would only wait.
    capabilities: {
      reusesPrefix: true,
      deterministic: true,
      countsTokens: true,
      concurrency: 1,
      distributions: 'full',
    },
    advice: [],
    render: null,
    template: { source: template, endOfTurn: turnwise.eot, bosToken: turnwise.bos, eosToken: turnwise.eos },
    contextSize: turnwise.context_size,
    notice:
      card?.toy === true ? `${id} is a toy: it shows that the machinery works, not that the model is clever.` : null,
    placebo: card?.placebo ? { mean: card.placebo.mean, sd: card.placebo.sd, n: card.placebo.n } : null,
    calibration: calibrationOfCard(card ?? {}),
    takesAgentPrompt: card?.agent_prompt !== null,
  };
}

async function score(
  client: JsonClient,
  sequences: readonly ScoreSequence[],
  { signal, session, onProgress, distributions: wanted }: ScoreRequest = {},
): Promise<ScoreResult> {
  if (sequences.length === 0) return { logprobs: [], tokensEvaluated: 0, tokensReused: 0 };
  const wire = sequences.map(({ ids, from, to }) => ({ ids, from, to }));
  for await (const line of client.postForLines(
    '/score',
    { sequences: wire, session, distributions: wanted, stream: true },
    signal,
  )) {
    const progress = progressSchema.safeParse(line);
    if (progress.success) {
      onProgress?.(progress.data.tokens_done);
      continue;
    }
    const answer = scoresSchema.safeParse(line);
    if (!answer.success) throw client.protocolError('malformed_answer', 'something else than scores');
    const { logprobs, tokens_evaluated: tokensEvaluated, tokens_reused: tokensReused } = answer.data;
    checkScores('The local engine', sequences, logprobs);
    if (wanted === undefined) return { logprobs, tokensEvaluated, tokensReused };
    const distributions = (answer.data.distributions ?? []).map((row) => row.flatMap((one) => unpackTokens(one) ?? []));
    // One too few, and every position behind it would be read against its neighbour.
    if (sequences.some(({ from, to }, at) => distributions[at]?.length !== to - from)) {
      throw client.protocolError('short_rows', 'fewer distributions than scored positions');
    }
    return { logprobs, distributions, tokensEvaluated, tokensReused };
  }
  throw client.protocolError('cut_off', 'half an answer');
}
