import type { Pages } from './page-file.ts';

/** A row as it lies in a table's leaf page (https://www.sqlite.org/fileformat2.html): its key and its columns. */
export interface LeafRow {
  readonly rowid: number;
  readonly values: readonly (string | number | null)[];
}

const TABLE_LEAF = 0x0d;
const LEAF_HEADER = 8;
const FILE_HEADER = 100;

/**
 * Rows of a page, if it is a table's leaf; cells that make no sense are left out. `usable` is the content size of a page,
 * and `overflow` finds the pages on which long rows go on. Columns of other kinds than integer and text come as null.
 */
export function leafRows(page: Buffer, number: number | null, usable: number, overflow: Pages): LeafRow[] {
  const start = number === 1 ? FILE_HEADER : 0;
  if (page.length < start + LEAF_HEADER || page.readUInt8(start) !== TABLE_LEAF) return [];
  const cells = Math.min(page.readUInt16BE(start + 3), Math.floor((page.length - start - LEAF_HEADER) / 2));
  const rows: LeafRow[] = [];
  for (let index = 0; index < cells; index += 1) {
    const row = rowAt(page, page.readUInt16BE(start + LEAF_HEADER + 2 * index), usable, overflow);
    if (row !== null) rows.push(row);
  }
  return rows;
}

function rowAt(page: Buffer, at: number, usable: number, overflow: Pages): LeafRow | null {
  try {
    const length = varint(page, at);
    const key = varint(page, length.next);
    const payload = payloadAt(page, key.next, length.value, usable, overflow);
    return payload === null ? null : { rowid: key.value, values: recordOf(payload) };
  } catch {
    // A length or an offset that points out of its page: no row.
    return null;
  }
}

/** The bytes of a row, put together from its leaf and its overflow pages; null where the chain breaks. */
function payloadAt(page: Buffer, at: number, length: number, usable: number, overflow: Pages): Buffer | null {
  const most = usable - 35;
  if (length <= most) return at + length <= page.length ? page.subarray(at, at + length) : null;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const fit = least + ((length - least) % (usable - 4));
  const local = fit <= most ? fit : least;
  const parts = [page.subarray(at, at + local)];
  let next = page.readUInt32BE(at + local);
  for (let missing = length - local; missing > 0;) {
    const more = overflow(next);
    if (more === null) return null;
    const part = more.subarray(4, 4 + Math.min(missing, usable - 4));
    if (part.length === 0) return null;
    parts.push(part);
    missing -= part.length;
    next = more.readUInt32BE(0);
  }
  return Buffer.concat(parts);
}

/** The columns of a record. Throws where it ends before its time. */
function recordOf(payload: Buffer): (string | number | null)[] {
  const header = varint(payload, 0);
  const types: number[] = [];
  for (let at = header.next; at < header.value;) {
    const type = varint(payload, at);
    types.push(type.value);
    at = type.next;
  }
  let at = header.value;
  return types.map((type) => {
    const length = lengthOf(type);
    if (at + length > payload.length) throw new RangeError('the record is cut short');
    const bytes = payload.subarray(at, at + length);
    at += length;
    return valueOf(type, bytes);
  });
}

const INTEGER_LENGTHS = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];

function lengthOf(type: number): number {
  return type < 12 ? (INTEGER_LENGTHS[type] ?? 0) : Math.floor((type - 12) / 2);
}

function valueOf(type: number, bytes: Buffer): string | number | null {
  if (type >= 13 && type % 2 === 1) return bytes.toString('utf8');
  if (type === 8 || type === 9) return type - 8;
  if (type === 6) return Number(bytes.readBigInt64BE());
  if (type >= 1 && type <= 5) return bytes.readIntBE(0, bytes.length);
  return null;
}

/** SQLite's integers of one to nine bytes, seven bits each. Throws outside the buffer. */
function varint(bytes: Buffer, at: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let index = 0; index < 8; index += 1) {
    const byte = bytes.readUInt8(at + index);
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, next: at + index + 1 };
  }
  return { value: value * 256 + bytes.readUInt8(at + 8), next: at + 9 };
}
