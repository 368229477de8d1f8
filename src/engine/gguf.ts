/** GGUF's numbers for the types of values and tensors that are named here. */
export const VALUE = { UINT32: 4, INT32: 5, FLOAT32: 6, STRING: 8, ARRAY: 9 } as const;
export const TENSOR = { F32: 0, F16: 1 } as const;
export const DEFAULT_ALIGNMENT = 32;

/** Bytes of a scalar by the number of its type; strings and arrays have none. */
const SCALAR_BYTES: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};

/** What stands before the weights in a GGUF file. */
export interface GgufHeader {
  /** Values by key; null for a number of a type that nobody here reads. */
  readonly metadata: ReadonlyMap<string, unknown>;
  /** Bytes from the start of the file to the end of the metadata. */
  readonly metadataEnd: number;
  readonly alignment: number;
  /** `offset` counts bytes from `dataStart`. */
  readonly tensors: readonly { name: string; dimensions: readonly number[]; kind: number; offset: number }[];
  readonly dataStart: number;
}

/** Reads the header of a GGUF file (version 3). Throws a RangeError on one that ends too early or holds a type unknown to it. */
export function readGgufHeader(file: Buffer): GgufHeader {
  let at = 0;
  const take = (bytes: number): number => {
    const from = at;
    at += bytes;
    if (at > file.length) throw new RangeError('the header ends too early');
    return from;
  };
  const u32 = (): number => file.readUInt32LE(take(4));
  const u64 = (): number => Number(file.readBigUInt64LE(take(8)));
  const text = (): string => {
    const length = u64();
    const from = take(length);
    return file.toString('utf8', from, from + length);
  };
  const value = (kind: number): unknown => {
    if (kind === VALUE.STRING) return text();
    if (kind === VALUE.ARRAY) {
      const element = u32();
      return Array.from({ length: u64() }, () => value(element));
    }
    const bytes = SCALAR_BYTES[kind];
    if (bytes === undefined) throw new RangeError(`unknown value type ${kind}`);
    const from = take(bytes);
    if (kind === VALUE.UINT32) return file.readUInt32LE(from);
    return kind === VALUE.INT32 ? file.readInt32LE(from) : null;
  };

  take(8); // magic and version
  const tensorCount = u64();
  const metadataCount = u64();
  const metadata = new Map(Array.from({ length: metadataCount }, () => [text(), value(u32())] as const));
  const metadataEnd = at;
  const tensors = Array.from({ length: tensorCount }, () => {
    const name = text();
    const dimensions = Array.from({ length: u32() }, u64);
    return { name, dimensions, kind: u32(), offset: u64() };
  });
  const aligned = metadata.get('general.alignment');
  const alignment = typeof aligned === 'number' ? aligned : DEFAULT_ALIGNMENT;
  return { metadata, metadataEnd, alignment, tensors, dataStart: alignTo(alignment, at) };
}

export function alignTo(alignment: number, length: number): number {
  return Math.ceil(length / alignment) * alignment;
}

/** A string as GGUF writes it: its length in bytes, then UTF-8. */
export function textBytes(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64Bytes(bytes.length), bytes]);
}

export function u32Bytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function u64Bytes(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
