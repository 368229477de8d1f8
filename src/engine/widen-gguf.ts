import { alignTo, readGgufHeader, TENSOR, textBytes, u32Bytes, u64Bytes } from './gguf.ts';

/**
 * The same model with every F16 tensor as F32, or null where a tensor is of another kind. llama.cpp rounds activations to
 * F16 wherever weights are F16, which costs up to 5e-3 nats on a token; with F32 weights of the same values it computes in
 * float32 throughout. Throws a RangeError on a file that ends too early.
 */
export function widenGguf(file: Buffer): Buffer | null {
  const { metadataEnd, alignment, tensors, dataStart } = readGgufHeader(file);
  if (tensors.some(({ kind }) => kind !== TENSOR.F16 && kind !== TENSOR.F32)) return null;

  const infos: Buffer[] = [];
  const data: Buffer[] = [];
  let offset = 0;
  for (const { name, dimensions, kind, offset: from } of tensors) {
    const count = dimensions.reduce((product, size) => product * size, 1);
    infos.push(
      textBytes(name),
      u32Bytes(dimensions.length),
      ...dimensions.map(u64Bytes),
      u32Bytes(TENSOR.F32),
      u64Bytes(offset),
    );
    const start = dataStart + from;
    const values = Buffer.alloc(alignTo(alignment, count * 4));
    const stored = file.subarray(start, start + count * (kind === TENSOR.F16 ? 2 : 4));
    if (stored.length < count * (kind === TENSOR.F16 ? 2 : 4)) throw new RangeError(`${name} ends too early`);
    if (kind === TENSOR.F32) stored.copy(values);
    else for (let k = 0; k < count; k += 1) values.writeFloatLE(fromHalf(stored.readUInt16LE(2 * k)), 4 * k);
    data.push(values);
    offset += values.length;
  }
  const head = Buffer.concat([file.subarray(0, metadataEnd), ...infos]);
  return Buffer.concat([head, Buffer.alloc(alignTo(alignment, head.length) - head.length), ...data]);
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
