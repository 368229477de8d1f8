import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, TurnwiseError } from '../core/error.ts';

/** Where models are published. */
export const HUGGING_FACE = 'https://huggingface.co';
/** Says that what follows is to be fetched, not a folder: `hf:owner/name`, or `hf:owner/name@revision`. */
const PREFIX = 'hf:';

const REQUIRED = ['tokenizer.json', 'tokenizer_config.json'] as const;
/** Newer models keep their template apart; older ones inside their configuration. */
const OPTIONAL = ['chat_template.jinja'] as const;

/** The largest tokenizers of today have 262,144 entries and take a quarter of it. */
const MAX_BYTES = 128 * 2 ** 20;
const TIMEOUT_MS = 120_000;

const REFERENCE = /^hf:(?<owner>[\w.-]{1,96})\/(?<name>[\w.-]{1,96})(?:@(?<revision>[\w.-]{1,96}))?$/;

export interface TokenizerCache {
  /** Folder that holds what was fetched, one folder a model; made where it is missing. */
  readonly folder: string;
  /** Another place than Hugging Face: a mirror. */
  readonly baseUrl?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly maxBytes?: number | undefined;
}

/** Whether a tokenizer is named by where it is published, so that reading it may mean to fetch it. */
export function isTokenizerReference(tokenizer: string): boolean {
  return tokenizer.startsWith(PREFIX);
}

/** Whether a reference can be read without asking anybody. Throws `usage`/`bad_tokenizer_reference`: nobody is asked about that. */
export function isFetched(reference: string, folder: string): boolean {
  return existsSync(targetOf(reference, folder));
}

/**
 * The folder of a published tokenizer, fetched on the first call and never again. Whoever calls has been told to: this is the
 * only request that leaves for a server that the person has not set up, and it carries a model's name and nothing else. Throws
 * `usage`/`bad_tokenizer_reference`; `backend`/`unreachable`, `tokenizer_not_found`, `unauthorized`, `server_error`; `protocol`/
 * `answer_too_large`; `environment`/`cache_not_writable`; `aborted`. What failed leaves nothing behind.
 */
export async function fetchTokenizer(reference: string, cache: TokenizerCache): Promise<string> {
  const { owner, name, revision = 'main' } = parse(reference);
  const target = targetOf(reference, cache.folder);
  if (existsSync(target)) return target;
  const base = `${(cache.baseUrl ?? HUGGING_FACE).replace(/\/+$/, '')}/${owner}/${name}/resolve/${revision}`;
  const half = await temporary(cache.folder);
  try {
    for (const file of [...REQUIRED, ...OPTIONAL]) {
      const content = await fetchFile(`${base}/${file}`, cache);
      if (content !== null) await writeFile(join(half, file), content);
      else if (!OPTIONAL.some((optional) => optional === file)) throw notFound(reference, `${base}/${file}`);
    }
    // In one step, so that no folder of that name is ever half full; another process may have been faster.
    await rename(half, target).catch((thrown: unknown) => {
      if (!existsSync(target)) throw notWritable(cache.folder, thrown);
    });
    return target;
  } finally {
    await rm(half, { recursive: true, force: true });
  }
}

function targetOf(reference: string, folder: string): string {
  const { owner, name, revision = 'main' } = parse(reference);
  return join(folder, `${owner}--${name}--${revision}`);
}

function parse(reference: string): { readonly owner: string; readonly name: string; readonly revision?: string } {
  const { owner, name, revision } = REFERENCE.exec(reference)?.groups ?? {};
  const dots = [owner, name, revision].some((part) => part !== undefined && /^\.+$/.test(part));
  if (owner !== undefined && name !== undefined && !dots) {
    return revision === undefined ? { owner, name } : { owner, name, revision };
  }
  throw new TurnwiseError(
    'usage',
    'bad_tokenizer_reference',
    `"${reference}" does not name a published tokenizer; write hf:owner/name, or hf:owner/name@revision.`,
  );
}

async function temporary(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    return await mkdtemp(join(folder, 'half-'));
  } catch (thrown) {
    throw notWritable(folder, thrown);
  }
}

/** Null where there is no such file. */
async function fetchFile(url: string, { signal, maxBytes = MAX_BYTES }: TokenizerCache): Promise<Uint8Array | null> {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(url, { signal: signal ? AbortSignal.any([signal, limit]) : limit });
    if (response.status === 404) {
      await response.body?.cancel();
      return null;
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw refused(url, response.status);
    }
    return await upTo(maxBytes, response, url);
  } catch (thrown) {
    if (thrown instanceof TurnwiseError) throw thrown;
    if (signal?.aborted) {
      throw new TurnwiseError('usage', 'aborted', 'Interrupted; ask again when you like.', { cause: thrown });
    }
    const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
    throw new TurnwiseError(
      'backend',
      'unreachable',
      `${url} cannot be fetched (${errorText(cause)}); look at the network, or name a folder that holds the model's tokenizer files.`,
      { cause: thrown },
    );
  }
}

async function upTo(maxBytes: number, response: Response, url: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const body: AsyncIterable<Uint8Array> = response.body ?? new ReadableStream<Uint8Array>();
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) {
      throw new TurnwiseError(
        'protocol',
        'answer_too_large',
        `${url} is larger than ${maxBytes} bytes, which no tokenizer is; fetch it yourself and name its folder.`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function refused(url: string, status: number): TurnwiseError {
  if (status === 401 || status === 403) {
    return new TurnwiseError(
      'backend',
      'unauthorized',
      `${url} is not open to everybody (${status}): the model does not exist, or its licence wants an account; fetch its tokenizer files yourself and name their folder.`,
    );
  }
  return new TurnwiseError('backend', 'server_error', `${url} answers with HTTP ${status}; try again later.`);
}

function notFound(reference: string, url: string): TurnwiseError {
  return new TurnwiseError(
    'backend',
    'tokenizer_not_found',
    `${reference} has no ${url.slice(url.lastIndexOf('/') + 1)}; check the name, or name a folder that holds the model's tokenizer files.`,
  );
}

function notWritable(folder: string, cause: unknown): TurnwiseError {
  return new TurnwiseError(
    'environment',
    'cache_not_writable',
    `A tokenizer cannot be kept in ${folder} (${errorText(cause)}); make room there, or name a folder that holds the model's tokenizer files.`,
    { cause },
  );
}
