import { z } from 'zod';
import { errorText, TurnwiseError } from '../core/error.ts';
import type { ServerKind, ServerProbe } from '../core/server-probe.ts';
import { askEcho } from './echo-request.ts';
import { openJsonClient, type JsonClient } from './json-client.ts';

/** A server that is asked what it is answers at once, or is not the right one, ms. */
const SILENCE_MS = 10_000;

const modelsSchema = z.object({
  data: z.array(z.looseObject({ id: z.string(), owned_by: z.string().nullish().catch(null) })),
});

/** What only one kind of server tells, each by a route of its own; nobody is asked for a name. */
const FEATURES: readonly {
  readonly kind: ServerKind;
  readonly path: string;
  readonly schema: z.ZodType;
}[] = [
  { kind: 'engine', path: '/health', schema: z.object({ status: z.literal('ok'), model_sha: z.string() }) },
  { kind: 'sglang', path: '/get_model_info', schema: z.object({ model_path: z.string() }) },
  { kind: 'llama-server', path: '/props', schema: z.object({ default_generation_settings: z.object({}) }) },
  { kind: 'ollama', path: '/api/version', schema: z.object({ version: z.string() }) },
  { kind: 'vllm', path: '/version', schema: z.object({ version: z.string() }) },
];

/**
 * Finds out what answers at an address: its kind by the routes that it has, its models, and whether it wants a key. Throws
 * `backend`/`unreachable` and what else the client throws where nothing of the OpenAI protocol is there.
 */
export async function detectServer(
  server: { readonly url: string; readonly apiKey: string | null },
  signal?: AbortSignal,
): Promise<ServerProbe> {
  const client = openJsonClient({ name: 'The server', url: server.url, key: server.apiKey, silenceMs: SILENCE_MS });
  const listed = await client.get('/v1/models', modelsSchema, signal).catch((thrown: unknown) => {
    if (isRefused(thrown)) return null;
    throw thrown;
  });
  const kind = await kindOf(client, signal);
  return { kind, models: listed?.data.map(({ id }) => id) ?? [], wantsKey: listed === null };
}

/**
 * Whether a server whose kind is not known gives the log-probs of a text that one hands in: it is asked for those of a made-up
 * one. Null: it does; else why not, in its own words or ours.
 */
export async function whyNoEcho(
  server: { readonly url: string; readonly apiKey: string | null; readonly model: string },
  signal?: AbortSignal,
): Promise<string | null> {
  const client = openJsonClient({ name: 'The server', url: server.url, key: server.apiKey, silenceMs: SILENCE_MS });
  try {
    await askEcho(client, server.model, 'Which one? The second, said 7 of them.', 1, signal);
    return null;
  } catch (thrown) {
    signal?.throwIfAborted();
    return errorText(thrown);
  }
}

async function kindOf(client: JsonClient, signal?: AbortSignal): Promise<ServerKind> {
  const told = await Promise.all(
    FEATURES.map(async ({ kind, path, schema }) => {
      try {
        await client.get(path, schema, signal);
        return kind;
      } catch {
        signal?.throwIfAborted();
        return null;
      }
    }),
  );
  return told.find((kind) => kind !== null) ?? 'openai';
}

/** Somebody is there and lets us in only with a key, or with another one. */
function isRefused(thrown: unknown): boolean {
  return thrown instanceof TurnwiseError && thrown.reason === 'unauthorized';
}
