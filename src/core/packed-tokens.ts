import { z } from 'zod';
import type { NextTokens } from './backend.ts';

/** A distribution on the wire: ids as 32-bit integers, log-probs as 32-bit floats, base64; logits are no finer than that. */
export const packedTokensSchema = z.object({ ids: z.base64(), logprobs: z.base64() });
export type PackedTokens = z.infer<typeof packedTokensSchema>;

export function packTokens({ ids, logprobs }: NextTokens): PackedTokens {
  return { ids: pack(Int32Array.from(ids)), logprobs: pack(Float32Array.from(logprobs)) };
}

/** The way back; null where the two lists do not belong together, or a number cannot be a log-prob. */
export function unpackTokens(packed: PackedTokens): NextTokens | null {
  const [ids, logprobs] = [bytesOf(packed.ids), bytesOf(packed.logprobs)];
  if (ids.byteLength !== logprobs.byteLength || ids.byteLength % 4 !== 0 || ids.byteLength === 0) return null;
  const tokens = { ids: [...new Int32Array(ids)], logprobs: [...new Float32Array(logprobs)] };
  const possible = tokens.ids.every((id) => id >= 0) && tokens.logprobs.every((value) => value <= 1e-6);
  return possible && new Set(tokens.ids).size === tokens.ids.length ? tokens : null;
}

/** Characters that `String.fromCharCode` takes at once without running out of stack. */
const CHUNK = 8192;

function pack({ buffer }: Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>): string {
  const bytes = new Uint8Array(buffer);
  let text = '';
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(text);
}

function bytesOf(text: string): ArrayBuffer {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;
}
