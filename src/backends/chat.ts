import { z } from 'zod';
import type { ChatBackend, ChatEvent, GenerationRecord, Sampling, ToolOffer } from '../core/backend.ts';
import type { Message } from '../core/message.ts';
import { startCapture, type Capture, type CapturedTokens } from './chat-capture.ts';
import { dialectOf, type ChatDialect } from './chat-dialect.ts';
import { explain, isAbsent, mayBeAboutParameters } from './chat-failure.ts';
import { isAboutTools, toolParams, wireMessages } from './chat-tools.ts';
import { openChatWire, type ChatWire } from './chat-wire.ts';
import { openJsonClient } from './json-client.ts';

export interface ChatServer {
  /** With or without the final `/v1`. */
  readonly url: string;
  readonly apiKey: string | null;
  /** Null: the first model that the server lists. */
  readonly model: string | null;
  /** What the server is called in sentences and records. */
  readonly name: string;
  /** Longest silence, ms, and largest answer, bytes; default: those of every server. */
  readonly silenceMs?: number | undefined;
  readonly maxAnswerBytes?: number | undefined;
}

/** What a server tells about the model before it speaks; unknown is null. */
interface ModelFacts {
  readonly id: string;
  readonly revision: string | null;
  readonly version: string | null;
  readonly templateSha: string | null;
  readonly tokenizerSha: string | null;
  /** Who it says serves the model; null where it does not. */
  readonly ownedBy: string | null;
}

/**
 * How much is asked for beside the text. `vendor`: token ids, top_k; `standard`: OpenAI's own parameters; `plain`: no
 * log-probs and no seed either, as some models refuse them. A server that refuses one level is asked the next.
 */
const LEVELS = ['vendor', 'standard', 'plain'] as const;
type Level = (typeof LEVELS)[number];
/** Silence after which a question about an answer that has come is given up. */
const AFTERTHOUGHT_MS = 10_000;

/** Everything that one request is made of. */
interface Asking {
  readonly model: string;
  readonly dialect: ChatDialect;
  readonly messages: readonly Message[];
  readonly sampling: Sampling;
  readonly tools: ToolOffer | undefined;
  readonly signal: AbortSignal;
}

/** Chats with any OpenAI-compatible server. Failures are events, never exceptions; nothing is sent twice but a refused parameter. */
export function openChat(server: ChatServer): ChatBackend {
  const wire = openChatWire({ ...server, url: baseUrl(server.url), key: server.apiKey });
  let level: Level = 'vendor';
  let refusesTools = false;
  let facts: ModelFacts | null = null;
  let dialect: ChatDialect | null = null;
  // For what is asked behind an answer: nobody should wait long for that.
  const json = openJsonClient({ name: server.name, url: server.url, key: server.apiKey, silenceMs: AFTERTHOUGHT_MS });

  async function* stream(
    messages: readonly Message[],
    {
      sampling,
      signal,
      tools,
    }: { readonly sampling: Sampling; readonly signal?: AbortSignal; readonly tools?: ToolOffer | undefined },
  ): AsyncGenerator<ChatEvent, void, void> {
    const capture = startCapture();
    /** What the server was told of belongs to what it said. */
    const noted = (event: ChatEvent): ChatEvent =>
      tools === undefined || refusesTools || !('record' in event)
        ? event
        : { ...event, record: { ...event.record, offered_tools: tools.definitions.map(({ name }) => name) } };
    // Ours, so that a reader that walks away ends the request as well.
    const leaving = new AbortController();
    const both = signal ? AbortSignal.any([signal, leaving.signal]) : leaving.signal;
    try {
      facts ??= await learn(wire, server.model, both);
      dialect ??= dialectOf(facts.ownedBy, json);
      const chunks = await open({ model: facts.id, dialect, messages, sampling, tools, signal: both });
      for await (const chunk of chunks) {
        const text = capture.take(chunk);
        if (text !== '') yield { type: 'delta', text };
      }
      if (both.aborted) {
        yield noted(stopped(capture, facts, sampling));
        return;
      }
      const answered = {
        model: facts.id,
        messages,
        sampling,
        ended: capture.finish === 'stop' || capture.finish === 'tool_calls',
      };
      const told = level === 'vendor' ? await dialect.complete(capture.tokens, answered, both) : capture.tokens;
      yield noted(ended(capture, told, facts, sampling));
    } catch (thrown) {
      if (both.aborted) {
        yield noted(stopped(capture, facts ?? nothingKnown(server.model), sampling));
      } else {
        yield { type: 'failed', ...explain(server, thrown, capture.text !== ''), partial: capture.text };
      }
    } finally {
      leaving.abort();
    }
  }

  /** Asks for everything first, and for less where the server refuses the request as such; what it refused is not asked again. */
  async function open({ model, dialect, messages, sampling, tools, signal }: Asking): Promise<AsyncIterable<unknown>> {
    let refusal: unknown;
    for (const offer of tools === undefined || refusesTools ? [undefined] : [tools, undefined]) {
      for (const next of LEVELS.slice(LEVELS.indexOf(level))) {
        try {
          const body = {
            ...paramsOf(next, model, wireMessages(messages, offer !== undefined), sampling),
            ...(next === 'vendor' ? dialect.params : {}),
            ...(offer === undefined ? {} : toolParams(offer)),
          };
          const chunks = await wire.complete(body, signal);
          level = next;
          refusesTools ||= tools !== undefined && offer === undefined;
          return chunks;
        } catch (thrown) {
          if (!mayBeAboutParameters(thrown)) throw thrown;
          refusal ??= thrown;
          if (offer !== undefined && isAboutTools(String(thrown))) break;
        }
      }
    }
    throw refusal;
  }

  function ended(capture: Capture, tokens: CapturedTokens, model: ModelFacts, sampling: Sampling): ChatEvent {
    switch (capture.finish) {
      case 'tool_calls':
      case 'stop':
      case 'length':
        return {
          type: 'finished',
          record: record(capture, tokens, model, sampling, capture.finish === 'length' ? 'length' : 'stop'),
        };
      case null:
        return {
          type: 'failed',
          reason: 'cut_off',
          message: `${server.name} broke off in the middle of its answer; choose Continue to ask again.`,
          partial: capture.text,
        };
      default:
        return {
          type: 'failed',
          reason: 'unexpected_finish',
          message: `${server.name} ended its answer with "${capture.finish}", which is no answer; rephrase, or choose another model.`,
          partial: capture.text,
        };
    }
  }

  function stopped(capture: Capture, model: ModelFacts, sampling: Sampling): ChatEvent {
    return { type: 'stopped', record: record(capture, capture.tokens, model, sampling, 'stopped') };
  }

  function record(
    capture: Capture,
    tokens: CapturedTokens,
    model: ModelFacts,
    sampling: Sampling,
    finish: GenerationRecord['finish'],
  ): GenerationRecord {
    return {
      ...capture.record(tokens),
      finish,
      // Only what was asked for: a server that refused these sampled without them.
      sampling: {
        ...sampling,
        top_k: level === 'vendor' ? sampling.top_k : null,
        seed: level === 'plain' ? null : sampling.seed,
      },
      model: capture.model ?? model.id,
      model_revision: model.revision,
      server: server.name,
      server_version: model.version,
      template_sha: model.templateSha,
      tokenizer_sha: model.tokenizerSha,
    };
  }

  return { name: server.name, stream };
}

function paramsOf(
  level: Level,
  model: string,
  messages: readonly Record<string, unknown>[],
  sampling: Sampling,
): Record<string, unknown> {
  const { temperature, top_p, top_k, seed, max_tokens } = sampling;
  return {
    model,
    // Keys that a template may need pass through.
    messages,
    stream: true,
    stream_options: { include_usage: true },
    temperature,
    top_p,
    ...(level === 'plain' ? {} : { logprobs: true, ...(seed === null ? {} : { seed }) }),
    ...(max_tokens === null ? {} : level === 'vendor' ? { max_tokens } : { max_completion_tokens: max_tokens }),
    ...(level === 'vendor' && top_k !== null ? { top_k } : {}),
  };
}

const listSchema = z.object({
  data: z
    .array(
      z.object({
        id: z.string(),
        owned_by: z.string().nullish().catch(null),
        turnwise: z
          .object({
            model_sha: z.string(),
            version: z.string(),
            template_sha: z.string().nullable(),
            tokenizer_sha: z.string().nullable(),
          })
          .optional()
          .catch(undefined),
      }),
    )
    .min(1),
});

/** A server that lists no models can still chat, if it is told which. */
async function learn(wire: ChatWire, asked: string | null, signal: AbortSignal): Promise<ModelFacts> {
  let listed: z.infer<typeof listSchema>['data'];
  try {
    listed = listSchema.parse(await wire.models(signal)).data;
  } catch (thrown) {
    if (asked === null || !(isAbsent(thrown) || thrown instanceof z.ZodError)) throw thrown;
    return nothingKnown(asked);
  }
  const found = asked === null ? listed[0] : listed.find(({ id }) => id === asked);
  const told = found?.turnwise;
  return {
    id: asked ?? found?.id ?? '',
    revision: told?.model_sha ?? null,
    version: told?.version ?? null,
    templateSha: told?.template_sha ?? null,
    tokenizerSha: told?.tokenizer_sha ?? null,
    ownedBy: found?.owned_by ?? null,
  };
}

function nothingKnown(asked: string | null): ModelFacts {
  return {
    id: asked ?? 'unknown',
    revision: null,
    version: null,
    templateSha: null,
    tokenizerSha: null,
    ownedBy: null,
  };
}

function baseUrl(url: string): string {
  const trimmed = url.replace(/\/+$/, '');
  return trimmed.endsWith('/v1') ? trimmed : `${trimmed}/v1`;
}
