import { matrix, ones, type GgufLayout } from '../../bench/write-gguf.ts';

const WIDTH = 64;
const VOCABULARY = 320;
const CONTEXT = 2048;
const LAYERS = [0, 1, 2, 3, 4, 5, 6];

/** Gemma 3's layout: five layers of six see no further back than the window. */
export function slidingWindow(window: number): GgufLayout {
  const [heads, size, feedForward] = [4, 32, 128];
  return {
    architecture: 'gemma3',
    settings: {
      block_count: LAYERS.length,
      context_length: CONTEXT,
      embedding_length: WIDTH,
      feed_forward_length: feedForward,
      'attention.head_count': heads,
      'attention.head_count_kv': heads,
      'attention.key_length': size,
      'attention.value_length': size,
      'attention.layer_norm_rms_epsilon': { real: 1e-6 },
      'attention.sliding_window': window,
      'rope.freq_base': { real: 10_000 },
    },
    vocabulary: VOCABULARY,
    tensors: [
      matrix('token_embd.weight', WIDTH, VOCABULARY),
      ones('output_norm.weight', WIDTH),
      ...LAYERS.flatMap((layer) => {
        const block = `blk.${layer}`;
        return [
          ones(`${block}.attn_norm.weight`, WIDTH),
          ones(`${block}.post_attention_norm.weight`, WIDTH),
          ones(`${block}.ffn_norm.weight`, WIDTH),
          ones(`${block}.post_ffw_norm.weight`, WIDTH),
          ones(`${block}.attn_q_norm.weight`, size),
          ones(`${block}.attn_k_norm.weight`, size),
          matrix(`${block}.attn_q.weight`, WIDTH, heads * size),
          matrix(`${block}.attn_k.weight`, WIDTH, heads * size),
          matrix(`${block}.attn_v.weight`, WIDTH, heads * size),
          matrix(`${block}.attn_output.weight`, heads * size, WIDTH),
          matrix(`${block}.ffn_gate.weight`, WIDTH, feedForward),
          matrix(`${block}.ffn_up.weight`, WIDTH, feedForward),
          matrix(`${block}.ffn_down.weight`, feedForward, WIDTH),
        ];
      }),
    ],
  };
}

/** Mamba's layout: one state that each token is folded into. */
export function recurrent(): GgufLayout {
  const [inner, state, kernel, rank] = [2 * WIDTH, 16, 4, 4];
  return {
    architecture: 'mamba',
    settings: {
      block_count: LAYERS.length,
      context_length: CONTEXT,
      embedding_length: WIDTH,
      feed_forward_length: 0,
      'attention.head_count': 0,
      'attention.layer_norm_rms_epsilon': { real: 1e-6 },
      'ssm.conv_kernel': kernel,
      'ssm.inner_size': inner,
      'ssm.state_size': state,
      'ssm.time_step_rank': rank,
    },
    vocabulary: VOCABULARY,
    tensors: [
      matrix('token_embd.weight', WIDTH, VOCABULARY),
      ones('output_norm.weight', WIDTH),
      ...LAYERS.flatMap((layer) => {
        const block = `blk.${layer}`;
        return [
          ones(`${block}.attn_norm.weight`, WIDTH),
          matrix(`${block}.ssm_in.weight`, WIDTH, 2 * inner),
          ones(`${block}.ssm_conv1d.weight`, kernel, inner),
          ones(`${block}.ssm_conv1d.bias`, inner),
          matrix(`${block}.ssm_x.weight`, inner, rank + 2 * state),
          matrix(`${block}.ssm_dt.weight`, rank, inner),
          ones(`${block}.ssm_dt.bias`, inner),
          ones(`${block}.ssm_a`, state, inner),
          ones(`${block}.ssm_d`, inner),
          matrix(`${block}.ssm_out.weight`, inner, WIDTH),
        ];
      }),
    ],
  };
}
