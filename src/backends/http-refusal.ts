import { z } from 'zod';
import { TurnwiseError, type Fault } from '../core/error.ts';
import { loggable } from '../core/secrets/redactor.ts';

/** How the servers that we know word a refusal: OpenAI and llama.cpp, vLLM and SGLang of old, FastAPI, Ollama. */
const shapes = [
  z
    .object({
      error: z.looseObject({ message: z.string(), type: z.unknown().optional(), code: z.unknown().optional() }),
    })
    .transform(({ error: { message, type, code } }): Told => ({ message, type, code })),
  z.looseObject({
    object: z.literal('error'),
    message: z.string(),
    type: z.unknown().optional(),
    code: z.unknown().optional(),
  }),
  z.object({ error: z.string() }).transform(({ error }): Told => ({ message: error })),
  z.object({ detail: z.string() }).transform(({ detail }): Told => ({ message: detail })),
  z
    .object({ detail: z.array(z.looseObject({ msg: z.string(), loc: z.array(z.unknown()) })).min(1) })
    // What a validator repeats of the input is left out: it may be a conversation.
    .transform(({ detail }): Told => ({
      message: detail.map(({ loc, msg }) => `${loc.join('.')}: ${msg}`).join('; '),
    })),
] as const;

interface Told {
  readonly message: string;
  readonly type?: unknown;
  readonly code?: unknown;
}

/** Longest stretch of a server's own words in a sentence of ours. */
const MAX_WORDS = 300;

// Servers have no common codes, so their words have to do.
const WORDS: readonly (readonly [RegExp, Fault, string])[] = [
  [/not JSON compliant/i, 'protocol', 'nan_row'],
  [
    /context[_ ](length|size|window)|too long|too many tokens|longer than|exceed.{0,60}(context|maximum|available)/i,
    'backend',
    'too_long',
  ],
  [/out of vocabulary|out of range.{0,40}token|token.{0,40}out of range|invalid token/i, 'backend', 'bad_token'],
  [/model.{0,200}(does not exist|not found|not exist|unknown)|no such model/i, 'backend', 'unknown_model'],
];

const NEXT: Readonly<Record<string, string>> = {
  nan_row: 'its model computes NaN somewhere: update the server or choose another precision',
  too_long: 'choose a scorer with a larger context, or score fewer turns',
  bad_token: 'check that its tokenizer is the model’s own',
  unknown_model: 'name one that it serves',
};

/** What a server says in the body of a refusal or in an event of a stream; null where it says nothing that we can read. */
export function toldIn(body: unknown): Told | null {
  for (const shape of shapes) {
    const read = shape.safeParse(body);
    if (read.success) return read.data;
  }
  return null;
}

/**
 * A refusal as an error, in the server's own words: `unauthorized`, `unknown_model`, `route_missing`, `too_long`, `bad_token`,
 * `nan_row`, `rate_limited`, `server_error`, `refused_request`, or what the server itself names.
 */
export function refusalOf(
  server: { readonly name: string; readonly url: string; readonly path: string },
  status: number,
  body: unknown,
): TurnwiseError {
  const { name, url, path } = server;
  if (status === 401 || status === 403) {
    return new TurnwiseError(
      'backend',
      'unauthorized',
      `${name} refuses the key (${status}); give it the right one: in the editor with "Turnwise: Set Server Key…", on the command line through the environment variable that --api-key-env names.`,
    );
  }
  const told = toldIn(body);
  if (told) {
    // Ours: the local engine words its errors for a person, and names the reason.
    if (isNamed(told)) return namedError(told);
    const known = WORDS.find(([words]) => words.test(told.message));
    if (known) return error(known[1], known[2], told.message, NEXT[known[2]] ?? '');
  }
  const words = told?.message ?? '';
  if (status === 404 || status === 405)
    return error('unsupported', 'route_missing', '', 'check the address, or update the server');
  if (status === 429) return error('backend', 'rate_limited', words, 'wait a moment and try again');
  if (status >= 500 || told === null) return error('backend', 'server_error', words, 'its log says why');
  return error('backend', 'refused_request', words, 'change what it names');

  function error(fault: Fault, reason: string, said: string, next: string): TurnwiseError {
    const what = reason === 'route_missing' ? `has no ${path} at ${url}` : `answers ${path} with HTTP ${status}`;
    return new TurnwiseError(fault, reason, `${name} ${what}${said === '' ? '' : ` (${shortened(said)})`}; ${next}.`);
  }
}

/** An error inside a stream that began well. */
export function toldError(name: string, told: Told): TurnwiseError {
  if (isNamed(told)) return namedError(told);
  return new TurnwiseError(
    'backend',
    'server_error',
    `${name} failed in the middle of its answer (${shortened(told.message)}); its log says why.`,
  );
}

const ENGINE_TYPES: readonly unknown[] = ['unsupported', 'invalid_request_error', 'server_error'];

function isNamed({ type, code }: Told): boolean {
  return typeof code === 'string' && /^[a-z]+(_[a-z]+)*$/.test(code) && ENGINE_TYPES.includes(type);
}

function namedError({ message, type, code }: Told): TurnwiseError {
  const reason = ALIASES[String(code)] ?? String(code);
  return new TurnwiseError(type === 'unsupported' ? 'unsupported' : 'backend', reason, shortened(message));
}

/** Words of OpenAI and of the local engine for what has a name here. */
const ALIASES: Readonly<Record<string, string>> = {
  unknown_token: 'bad_token',
  context_length_exceeded: 'too_long',
  model_not_found: 'unknown_model',
  rate_limit_exceeded: 'rate_limited',
};

function shortened(words: string): string {
  // Before it is cut: half a secret looks like nothing.
  const line = loggable(words, 'secrets').replace(/\s+/g, ' ').trim();
  return line.length > MAX_WORDS ? `${line.slice(0, MAX_WORDS)}…` : line;
}
