"""Makes a Hugging Face folder from the committed GGUF, weight for weight, with tokenizer and chat template.

    python to_folder.py ../media/models/turnwise-toy.gguf FOLDER [--check]

`--check` writes the folder back as a GGUF and fails unless the two files are equal byte for byte.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from transformers import Qwen2ForCausalLM

import gguf
import policy
import to_gguf
from tensor_names import names


def make_config(model: gguf.Gguf):
    vocabulary, width = model.tensors["token_embd.weight"].shape
    return policy.configuration(
        vocabulary=vocabulary,
        layers=model.value("qwen2.block_count"),
        width=width,
        heads=model.value("qwen2.attention.head_count"),
        kv_heads=model.value("qwen2.attention.head_count_kv"),
        feed_forward=model.value("qwen2.feed_forward_length"),
    )


def make_tokenizer(model: gguf.Gguf):
    tokens = model.value("tokenizer.ggml.tokens")
    merges = [tuple(pair.split(" ")) for pair in model.value("tokenizer.ggml.merges")]
    vocabulary = {token: at for at, token in enumerate(tokens)}
    return policy.make_tokenizer(vocabulary, merges, model.value("tokenizer.chat_template"))


def make_model(model: gguf.Gguf) -> Qwen2ForCausalLM:
    """The float32 model whose every weight is the number in the file."""
    network = Qwen2ForCausalLM(make_config(model))
    state = {}
    for ours, theirs in names(network.config.num_hidden_layers).items():
        state[ours] = torch.from_numpy(model.tensors[theirs].astype(np.float32))
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    network.load_state_dict(state)
    return network.eval()


def check(original: Path, folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    with tempfile.TemporaryDirectory() as place:
        again = Path(place) / "again.gguf"
        gguf.write(again, gguf.Gguf(to_gguf.metadata(config, folder), to_gguf.tensors(config, folder)))
        if again.read_bytes() != original.read_bytes():
            raise SystemExit("the folder does not give back the same GGUF")
    print("round trip: equal byte for byte")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gguf", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    model = gguf.read(arguments.gguf)
    make_model(model).save_pretrained(arguments.folder)
    make_tokenizer(model).save_pretrained(arguments.folder)
    if arguments.check:
        check(arguments.gguf, arguments.folder)


if __name__ == "__main__":
    main()
