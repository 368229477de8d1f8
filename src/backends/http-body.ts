/** Chunks of a body as they come, no more of them than fit; `tooLarge` makes the error for one that is longer. */
export async function* chunksOf(
  response: Response,
  watch: SilenceWatch,
  maxBytes: number,
  tooLarge: () => Error,
): AsyncGenerator<Uint8Array, void, void> {
  if (!response.body) return;
  let size = 0;
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    watch.heard();
    if (done) return;
    size += value.byteLength;
    if (size > maxBytes) throw tooLarge();
    yield value;
  }
}

/** The text of a whole body. */
export async function wholeText(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of chunks) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

/**
 * The longest silence, ms, before a request counts as hung. A server says nothing while it reads a long prompt, so it is
 * generous; `fetch` itself gives up after 300 s.
 */
export const SILENCE_MS = 240_000;

/** The largest answer taken in, bytes: the log-probs of a 100,000-token prompt are a tenth of it. */
export const MAX_ANSWER_BYTES = 128 * 2 ** 20;

/** Ends a request whose server has fallen silent. */
export interface SilenceWatch {
  /** Aborted when the caller's is, when the silence grew too long, and when the request has ended. */
  readonly signal: AbortSignal;
  heard(): void;
  expired(): boolean;
  end(): void;
}

/** Watches a request from now on; `signal` is the caller's. */
export function watchSilence(silenceMs: number, signal: AbortSignal | undefined): SilenceWatch {
  const own = new AbortController();
  let expired = false;
  const expire = (): void => {
    expired = true;
    own.abort();
  };
  let timer = setTimeout(expire, silenceMs);
  return {
    signal: signal ? AbortSignal.any([signal, own.signal]) : own.signal,
    heard() {
      clearTimeout(timer);
      timer = setTimeout(expire, silenceMs);
    },
    expired: () => expired,
    end() {
      clearTimeout(timer);
      // A body that was left unread would keep its socket; after a whole one this does nothing.
      own.abort();
    },
  };
}
