import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** SHA-256 of a text's UTF-8 bytes, as 64 hex digits. Pure, so that core can name things by content in any runtime. */
export function sha256Text(text: string): string {
  return bytesToHex(sha256(utf8ToBytes(text)));
}

/** SHA-256 of token ids, each as four little-endian bytes: the same ids hash alike on every machine. */
export function sha256Ids(ids: readonly number[]): string {
  const bytes = new DataView(new ArrayBuffer(ids.length * 4));
  ids.forEach((id, position) => {
    bytes.setInt32(position * 4, id, true);
  });
  return bytesToHex(sha256(new Uint8Array(bytes.buffer)));
}
