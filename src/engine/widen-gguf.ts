const TENSOR_F32 = 0;
const TENSOR_F16 = 1;
const UINT32 = 4;
const STRING = 8;
const ARRAY = 9;
/** Bytes of a scalar by GGUF's number for its type; strings and arrays have none. */
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
const DEFAULT_ALIGNMENT = 32;

/**
 * The same model with every F16 tensor as F32, or null where a tensor is of another kind. llama.cpp rounds activations to
 * F16 wherever weights are F16, which costs up to 5e-3 nats on a token; with F32 weights of the same values it computes in
 * float32 throughout. Throws a RangeError on a file that ends too early.
 */
export function widenGguf(file: Buffer): Buffer | null {
  const reader = readerOf(file);
  reader.skip(8); // magic and version
  const tensorCount = reader.u64();
  const metadataCount = reader.u64();
  let alignment = DEFAULT_ALIGNMENT;
  for (let k = 0; k < metadataCount; k += 1) {
    const key = reader.text();
    const kind = reader.u32();
    if (key === 'general.alignment' && kind === UINT32) alignment = reader.u32();
    else skipValue(reader, kind);
  }
  const metadataEnd = reader.position();
  const tensors = Array.from({ length: tensorCount }, () => {
    const name = reader.text();
    const dimensions = Array.from({ length: reader.u32() }, () => reader.u64());
    return { name, dimensions, kind: reader.u32(), offset: reader.u64() };
  });
  if (tensors.some(({ kind }) => kind !== TENSOR_F16 && kind !== TENSOR_F32)) return null;
  const dataStart = align(reader.position(), alignment);

  const infos: Buffer[] = [];
  const data: Buffer[] = [];
  let offset = 0;
  for (const { name, dimensions, kind, offset: from } of tensors) {
    const count = dimensions.reduce((product, size) => product * size, 1);
    infos.push(text(name), u32(dimensions.length), ...dimensions.map(u64), u32(TENSOR_F32), u64(offset));
    const start = dataStart + from;
    const values = Buffer.alloc(align(count * 4, alignment));
    const stored = file.subarray(start, start + count * (kind === TENSOR_F16 ? 2 : 4));
    if (stored.length < count * (kind === TENSOR_F16 ? 2 : 4)) throw new RangeError(`${name} ends too early`);
    if (kind === TENSOR_F32) stored.copy(values);
    else for (let k = 0; k < count; k += 1) values.writeFloatLE(fromHalf(stored.readUInt16LE(2 * k)), 4 * k);
    data.push(values);
    offset += values.length;
  }
  const head = Buffer.concat([file.subarray(0, metadataEnd), ...infos]);
  return Buffer.concat([head, Buffer.alloc(align(head.length, alignment) - head.length), ...data]);
}

/** The value of an IEEE half, exactly. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

interface Reader {
  skip(bytes: number): void;
  u32(): number;
  u64(): number;
  text(): string;
  position(): number;
}

function readerOf(file: Buffer): Reader {
  let at = 0;
  const take = (bytes: number): number => {
    const from = at;
    at += bytes;
    if (at > file.length) throw new RangeError('the header ends too early');
    return from;
  };
  const u64 = (): number => Number(file.readBigUInt64LE(take(8)));
  return {
    skip: take,
    u32: () => file.readUInt32LE(take(4)),
    u64,
    text() {
      const length = u64();
      const from = take(length);
      return file.toString('utf8', from, from + length);
    },
    position: () => at,
  };
}

function skipValue(reader: Reader, kind: number): void {
  const scalar = SCALAR_BYTES[kind];
  if (scalar !== undefined) reader.skip(scalar);
  else if (kind === STRING) reader.text();
  else if (kind === ARRAY) {
    const element = reader.u32();
    const count = reader.u64();
    const bytes = SCALAR_BYTES[element];
    if (bytes !== undefined) reader.skip(bytes * count);
    else for (let k = 0; k < count; k += 1) skipValue(reader, element);
  } else throw new RangeError(`unknown value type ${kind}`);
}

function align(length: number, to: number): number {
  return Math.ceil(length / to) * to;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
