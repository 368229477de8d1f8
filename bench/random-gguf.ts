import { matrix, ones, writeGguf, type TensorInfo } from './write-gguf.ts';

/** Sizes of a decoder in the qwen2 layout. */
export interface ModelShape {
  readonly width: number;
  readonly layers: number;
  readonly feedForward: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly vocabulary: number;
  readonly context: number;
}

/** Writes a random model in the qwen2 layout; returns the number of parameters. */
export function writeRandomGguf(path: string, shape: ModelShape, seed: number): Promise<number> {
  const { width, layers, feedForward, heads, kvHeads, vocabulary, context } = shape;
  const settings = {
    block_count: layers,
    context_length: context,
    embedding_length: width,
    feed_forward_length: feedForward,
    'attention.head_count': heads,
    'attention.head_count_kv': kvHeads,
    'attention.layer_norm_rms_epsilon': { real: 1e-6 },
    'rope.freq_base': { real: 10_000 },
  };
  return writeGguf(path, { architecture: 'qwen2', settings, vocabulary, tensors: tensorsOf(shape) }, seed);
}

function tensorsOf({ width, layers, feedForward, heads, kvHeads, vocabulary }: ModelShape): TensorInfo[] {
  const kvWidth = (width / heads) * kvHeads;
  const blocks = Array.from({ length: layers }, (_, layer) => {
    const block = `blk.${layer}`;
    return [
      ones(`${block}.attn_norm.weight`, width),
      ones(`${block}.ffn_norm.weight`, width),
      matrix(`${block}.attn_q.weight`, width, width),
      matrix(`${block}.attn_k.weight`, width, kvWidth),
      matrix(`${block}.attn_v.weight`, width, kvWidth),
      ones(`${block}.attn_q.bias`, width),
      ones(`${block}.attn_k.bias`, kvWidth),
      ones(`${block}.attn_v.bias`, kvWidth),
      matrix(`${block}.attn_output.weight`, width, width),
      matrix(`${block}.ffn_gate.weight`, width, feedForward),
      matrix(`${block}.ffn_up.weight`, width, feedForward),
      matrix(`${block}.ffn_down.weight`, feedForward, width),
    ];
  });
  return [
    matrix('token_embd.weight', width, vocabulary),
    ones('output_norm.weight', width),
    matrix('output.weight', width, vocabulary),
    ...blocks.flat(),
  ];
}
