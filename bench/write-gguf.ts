import { open } from 'node:fs/promises';
import { alignTo, DEFAULT_ALIGNMENT, TENSOR, textBytes, u32Bytes, u64Bytes, VALUE } from '../src/engine/gguf.ts';

/** A tensor of random F16 weights of a sane scale, or of ones in F32. */
export interface TensorInfo {
  readonly name: string;
  /** Fastest first, as GGUF has it. */
  readonly dimensions: readonly number[];
  readonly half: boolean;
}

/** A made-up model: what is peculiar to its architecture. */
export interface GgufLayout {
  readonly architecture: string;
  /** Numbers under the architecture's own name; those with a fraction are written as floats. */
  readonly settings: Readonly<Record<string, number | Real>>;
  readonly vocabulary: number;
  readonly tensors: readonly TensorInfo[];
}

/** A number that is a float even where it has no fraction. */
export interface Real {
  readonly real: number;
}

/**
 * Writes a GGUF file (version 3) with random weights and a byte-level vocabulary: it computes like a trained model of its size, and
 * says nothing. Returns the number of parameters.
 */
export async function writeGguf(path: string, layout: GgufLayout, seed: number): Promise<number> {
  const { tensors } = layout;
  const header: Buffer[] = [];
  let offset = 0;
  for (const { name, dimensions, half } of tensors) {
    header.push(
      textBytes(name),
      u32Bytes(dimensions.length),
      ...dimensions.map(u64Bytes),
      u32Bytes(half ? TENSOR.F16 : TENSOR.F32),
      u64Bytes(offset),
    );
    offset += alignTo(DEFAULT_ALIGNMENT, sizeOf(dimensions, half));
  }
  const metadata = metadataOf(layout);
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    u32Bytes(3),
    u64Bytes(tensors.length),
    u64Bytes(metadata.length),
    ...metadata,
    ...header,
  ]);
  const random = generator(seed);
  const file = await open(path, 'w');
  try {
    await file.write(Buffer.concat([head, Buffer.alloc(alignTo(DEFAULT_ALIGNMENT, head.length) - head.length)]));
    for (const { dimensions, half } of tensors) {
      const data = half ? randomHalves(dimensions, random) : filled(dimensions);
      await file.write(Buffer.concat([data, Buffer.alloc(alignTo(DEFAULT_ALIGNMENT, data.length) - data.length)]));
    }
  } finally {
    await file.close();
  }
  return tensors.reduce((sum, { dimensions }) => sum + dimensions.reduce((a, b) => a * b, 1), 0);
}

/** A matrix of random weights. */
export function matrix(name: string, from: number, to: number): TensorInfo {
  return { name, dimensions: [from, to], half: true };
}

/** Ones: a norm's weights, a bias. */
export function ones(name: string, ...dimensions: readonly number[]): TensorInfo {
  return { name, dimensions, half: false };
}

function metadataOf({ architecture, settings, vocabulary }: GgufLayout): Buffer[] {
  const number = (key: string, value: number): Buffer =>
    Buffer.concat([textBytes(key), u32Bytes(VALUE.UINT32), u32Bytes(value)]);
  const real = (key: string, value: number): Buffer =>
    Buffer.concat([textBytes(key), u32Bytes(VALUE.FLOAT32), f32Bytes(value)]);
  const word = (key: string, value: string): Buffer =>
    Buffer.concat([textBytes(key), u32Bytes(VALUE.STRING), textBytes(value)]);
  const list = (key: string, kind: number, items: readonly Buffer[]): Buffer =>
    Buffer.concat([textBytes(key), u32Bytes(VALUE.ARRAY), u32Bytes(kind), u64Bytes(items.length), ...items]);
  return [
    word('general.architecture', architecture),
    word('general.name', 'random'),
    ...Object.entries(settings).map(([key, value]) =>
      typeof value === 'number' ? number(`${architecture}.${key}`, value) : real(`${architecture}.${key}`, value.real),
    ),
    word('tokenizer.ggml.model', 'gpt2'),
    word('tokenizer.ggml.pre', 'gpt-2'),
    list('tokenizer.ggml.tokens', VALUE.STRING, tokens(vocabulary).map(textBytes)),
    list('tokenizer.ggml.token_type', VALUE.INT32, new Array<Buffer>(vocabulary).fill(u32Bytes(1))),
    list('tokenizer.ggml.merges', VALUE.STRING, []),
    number('tokenizer.ggml.eos_token_id', vocabulary - 1),
    word(
      'tokenizer.chat_template',
      "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}{% endfor %}[assistant]",
    ),
  ];
}

/** The 256 characters that byte-level vocabularies stand on, then made-up words. */
function tokens(count: number): string[] {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let spare = 256;
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : spare++));
  return [...bytes, ...Array.from({ length: count - 256 }, (_, k) => `w${k}`)];
}

/** Uniform weights whose variance keeps activations at one; picked from a table, since sampling each would take a minute. */
function randomHalves(dimensions: readonly number[], random: () => number): Buffer {
  const [fanIn = 1, fanOut = 1] = dimensions;
  const table = Uint16Array.from({ length: 4096 }, () => toHalf((2 * random() - 1) * Math.sqrt(3 / fanIn)));
  const values = new Uint16Array(fanIn * fanOut);
  for (let k = 0; k < values.length; k += 1) values[k] = table[(random() * 4096) | 0] ?? 0;
  return Buffer.from(values.buffer);
}

function filled(dimensions: readonly number[]): Buffer {
  return Buffer.from(new Float32Array(dimensions.reduce((a, b) => a * b, 1)).fill(1).buffer);
}

/** IEEE half of a number below 2 in size; what is too small for a normal half becomes 0. */
function toHalf(value: number): number {
  const size = Math.abs(value);
  if (size < 2 ** -14) return 0;
  const exponent = Math.floor(Math.log2(size));
  const mantissa = Math.floor((size / 2 ** exponent - 1) * 1024);
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | mantissa;
}

/** A small linear congruential generator in [0, 1): the same weights on every machine. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function sizeOf(dimensions: readonly number[], half: boolean): number {
  return dimensions.reduce((a, b) => a * b, 1) * (half ? 2 : 4);
}

function f32Bytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}
