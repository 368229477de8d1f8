"""Writes a trained Hugging Face folder as an F16 GGUF.

    python to_gguf.py FOLDER turnwise-toy.gguf

`train.py` saves weights that are float16 numbers already, so nothing is lost; the script refuses a folder where
something would be.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from transformers import AutoTokenizer

import gguf
from policy import END_OF_TURN, NAME, PAD
from tensor_names import names

NORMAL_TOKEN, CONTROL_TOKEN = 1, 3
MOSTLY_F16 = 1


def metadata(config: dict, folder: Path) -> dict:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    state = json.loads((folder / "tokenizer.json").read_text())
    special = {token["content"] for token in state["added_tokens"] if token["special"]}
    vocabulary = sorted(state["model"]["vocab"], key=state["model"]["vocab"].get)
    merges = [" ".join(pair) for pair in state["model"]["merges"]]
    types = [CONTROL_TOKEN if token in special else NORMAL_TOKEN for token in vocabulary]
    heads, width = config["num_attention_heads"], config["hidden_size"]
    rope = config.get("rope_theta") or config["rope_parameters"]["rope_theta"]
    string, integer, number = gguf.STRING, gguf.UINT32, gguf.FLOAT32
    return {
        "general.architecture": (string, "qwen2"),
        "general.name": (string, NAME),
        "general.license": (string, "mit"),
        "general.file_type": (integer, MOSTLY_F16),
        "qwen2.block_count": (integer, config["num_hidden_layers"]),
        "qwen2.context_length": (integer, config["max_position_embeddings"]),
        "qwen2.embedding_length": (integer, width),
        "qwen2.feed_forward_length": (integer, config["intermediate_size"]),
        "qwen2.attention.head_count": (integer, heads),
        "qwen2.attention.head_count_kv": (integer, config["num_key_value_heads"]),
        "qwen2.attention.layer_norm_rms_epsilon": (number, config["rms_norm_eps"]),
        "qwen2.rope.dimension_count": (integer, width // heads),
        "qwen2.rope.freq_base": (number, rope),
        "tokenizer.ggml.model": (string, "gpt2"),
        "tokenizer.ggml.pre": (string, "qwen2"),
        "tokenizer.ggml.tokens": (gguf.ARRAY, (string, vocabulary)),
        "tokenizer.ggml.token_type": (gguf.ARRAY, (gguf.INT32, types)),
        "tokenizer.ggml.merges": (gguf.ARRAY, (string, merges)),
        "tokenizer.ggml.eos_token_id": (integer, vocabulary.index(END_OF_TURN)),
        "tokenizer.ggml.padding_token_id": (integer, vocabulary.index(PAD)),
        "tokenizer.ggml.add_bos_token": (gguf.BOOL, False),
        "tokenizer.chat_template": (string, tokenizer.chat_template),
    }


def tensors(config: dict, folder: Path) -> dict[str, np.ndarray]:
    """Matrices as float16, vectors (norms, biases) as float32, as llama.cpp expects them."""
    weights = load_file(folder / "model.safetensors")
    table = names(config["num_hidden_layers"])
    if unknown := set(weights) - set(table):
        raise ValueError(f"tensors without a place in the GGUF: {sorted(unknown)}")
    converted = {}
    for ours, theirs in table.items():
        weight = weights[ours].astype(np.float32)
        if not np.array_equal(weight.astype(np.float16).astype(np.float32), weight):
            raise ValueError(f"{ours} is not made of float16 numbers")
        converted[theirs] = weight if weight.ndim == 1 else weight.astype(np.float16)
    return converted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("gguf", type=Path)
    arguments = parser.parse_args()
    config = json.loads((arguments.folder / "config.json").read_text())
    gguf.write(arguments.gguf, gguf.Gguf(metadata(config, arguments.folder), tensors(config, arguments.folder)))
    print(f"{arguments.gguf}: {arguments.gguf.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
