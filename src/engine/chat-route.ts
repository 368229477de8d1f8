import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Engine } from './engine.ts';
import { logprobsMode, type GeneratedToken, type GenerateRequest, type GenerationEnd } from './generate.ts';
import { errorBody, parseBody, type Exchange } from './http.ts';
import { checkModel } from './model-route.ts';
import { chatRequestSchema, type ChatRequest } from './requests.ts';

/** `POST /v1/chat/completions`, streamed as server-sent events or in one piece. */
export async function answerChat(engine: Engine, { body, signal, response }: Exchange): Promise<object | undefined> {
  const request = parseBody(chatRequestSchema, body);
  checkModel(engine, request.model);
  const promptIds = engine.tokenize(engine.render(request.messages, true));
  engine.checkLength(promptIds);
  const call: ChatCall = {
    engine,
    request,
    promptIds,
    generation: {
      promptIds,
      temperature: request.temperature,
      topP: request.top_p,
      topK: request.top_k,
      seed: request.seed,
      maxTokens: request.max_completion_tokens ?? request.max_tokens ?? null,
      stop: request.stop,
    },
    head: {
      id: `chatcmpl-${randomUUID()}`,
      created: Math.floor(Date.now() / 1000),
      model: engine.description.id,
    },
  };
  if (!request.stream) return await inOnePiece(call, signal);
  await streamed(call, response, signal);
  return undefined;
}

interface ChatCall {
  readonly engine: Engine;
  readonly request: ChatRequest;
  readonly promptIds: readonly number[];
  readonly generation: GenerateRequest;
  readonly head: { readonly id: string; readonly created: number; readonly model: string };
}

async function inOnePiece(call: ChatCall, signal: AbortSignal): Promise<object> {
  const { engine, request, promptIds, generation, head } = call;
  const tokens: GeneratedToken[] = [];
  const end = await engine.generator.generate(generation, (token) => tokens.push(token), signal);
  const content = tokens.map(({ text }) => text).join('') + end.text;
  return {
    ...head,
    object: 'chat.completion',
    ...promptFields(call),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content },
        finish_reason: end.finish,
        logprobs: request.logprobs ? { content: tokens.map((token) => logprobEntry(engine, token)) } : null,
        ...(request.return_token_ids ? { token_ids: tokens.map(({ id }) => id) } : {}),
      },
    ],
    usage: usageOf(promptIds, tokens.length, end),
  };
}

/** The status line waits for the prompt to be evaluated, so that failures before the first token keep their status. */
async function streamed(call: ChatCall, response: ServerResponse, signal: AbortSignal): Promise<void> {
  const { engine, request, promptIds, generation, head } = call;
  const send = (data: object): void => {
    response.write(`data: ${JSON.stringify(data)}\n\n`);
  };
  const chunk = (choice: object, extra: object = {}): void => {
    send({ ...head, object: 'chat.completion.chunk', ...extra, choices: [{ index: 0, ...choice }] });
  };
  const begin = (): void => {
    if (response.headersSent) return;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    chunk({ delta: { role: 'assistant', content: '' }, finish_reason: null }, promptFields(call));
  };
  let count = 0;
  try {
    const end = await engine.generator.generate(
      generation,
      (token) => {
        begin();
        count += 1;
        chunk({
          delta: { content: token.text },
          finish_reason: null,
          ...(request.logprobs ? { logprobs: { content: [logprobEntry(engine, token)] } } : {}),
          ...(request.return_token_ids ? { token_ids: [token.id] } : {}),
        });
      },
      signal,
    );
    begin();
    chunk({ delta: end.text === '' ? {} : { content: end.text }, finish_reason: end.finish });
    if (request.stream_options?.include_usage) {
      send({ ...head, object: 'chat.completion.chunk', choices: [], usage: usageOf(promptIds, count, end) });
    }
    response.end('data: [DONE]\n\n');
  } catch (thrown) {
    if (!response.headersSent) throw thrown;
    send(errorBody(thrown)); // too late for a status
    response.end();
  }
}

function promptFields({ request, promptIds, generation }: ChatCall): object {
  return {
    ...(request.return_token_ids ? { prompt_token_ids: promptIds } : {}),
    ...(request.logprobs ? { logprobs_mode: logprobsMode(generation) } : {}),
  };
}

function logprobEntry(engine: Engine, { id, logprob }: GeneratedToken): object {
  const token = engine.detokenize([id]);
  return { token, logprob, bytes: [...Buffer.from(token)], top_logprobs: [] };
}

function usageOf(promptIds: readonly number[], completion: number, { cachedTokens }: GenerationEnd): object {
  return {
    prompt_tokens: promptIds.length,
    completion_tokens: completion,
    total_tokens: promptIds.length + completion,
    prompt_tokens_details: { cached_tokens: cachedTokens },
  };
}
