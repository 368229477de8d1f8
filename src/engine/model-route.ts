import { TurnwiseError } from '../core/error.ts';
import { ENGINE_VERSION, type Engine } from './engine.ts';

/** `GET /v1/models`: the one model, with what a scorer's client has to know about it under `turnwise`. */
export function listModels(engine: Engine): object {
  const { id, template, tokenizerSha, templateSha, card } = engine.description;
  return {
    object: 'list',
    data: [
      {
        id,
        object: 'model',
        created: 0,
        owned_by: 'turnwise',
        max_model_len: engine.contextSize,
        turnwise: {
          model_sha: engine.sha,
          tokenizer_sha: tokenizerSha,
          template_sha: templateSha,
          template: template?.source ?? null,
          eot: template?.endOfTurn ?? [],
          bos: template?.bosToken ?? null,
          eos: template?.eosToken ?? null,
          context_size: engine.contextSize,
          version: ENGINE_VERSION,
          gpu: engine.gpu,
          scoring_problem: problemOf(engine),
          card,
        },
      },
    ],
  };
}

/** `GET /health`. */
export function tellHealth(engine: Engine): object {
  return {
    status: 'ok',
    pid: process.pid,
    version: ENGINE_VERSION,
    model: engine.description.id,
    model_sha: engine.sha,
    scoring_problem: problemOf(engine),
  };
}

/** Throws `usage`/`model_not_served` for another model's name; without a name the one model is meant. */
export function checkModel(engine: Engine, asked: string | null | undefined): void {
  if (asked == null || asked === engine.description.id) return;
  throw new TurnwiseError(
    'usage',
    'model_not_served',
    `This engine serves ${engine.description.id} and nothing else; ask for that.`,
  );
}

function problemOf({ scoringProblem }: Engine): object | null {
  return scoringProblem && { reason: scoringProblem.reason, message: scoringProblem.message };
}
