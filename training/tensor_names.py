"""Which tensor of the Hugging Face layout is which of the GGUF (qwen2, tied embeddings)."""

OUTER = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}
INNER = {
    "input_layernorm.weight": "attn_norm.weight",
    "self_attn.q_proj.weight": "attn_q.weight",
    "self_attn.q_proj.bias": "attn_q.bias",
    "self_attn.k_proj.weight": "attn_k.weight",
    "self_attn.k_proj.bias": "attn_k.bias",
    "self_attn.v_proj.weight": "attn_v.weight",
    "self_attn.v_proj.bias": "attn_v.bias",
    "self_attn.o_proj.weight": "attn_output.weight",
    "post_attention_layernorm.weight": "ffn_norm.weight",
    "mlp.gate_proj.weight": "ffn_gate.weight",
    "mlp.up_proj.weight": "ffn_up.weight",
    "mlp.down_proj.weight": "ffn_down.weight",
}


def names(layers: int) -> dict[str, str]:
    """Hugging Face name -> GGUF name, in the order in which the GGUF stores them."""
    table = dict(OUTER)
    for layer in range(layers):
        for ours, theirs in INNER.items():
            table[f"model.layers.{layer}.{ours}"] = f"blk.{layer}.{theirs}"
    return table
