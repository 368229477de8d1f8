"""The toy policy's tokenizer, chat template and configuration, in one place for training and conversion."""

import json
from collections.abc import Iterable

from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import Qwen2Config, Qwen2Tokenizer

NAME = "turnwise-toy"
SPECIAL_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
PAD, END_OF_TURN = SPECIAL_TOKENS[0], SPECIAL_TOKENS[2]
CONTEXT = 4096
CHAT_TEMPLATE = (
    "{%- for m in messages -%}"
    "{{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>' + '\\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)


def qwen2_rules() -> Tokenizer:
    """An empty BPE with Qwen2's normalisation and splitting.

    No other rule would do: transformers 5 gives every folder of type qwen2 these, whatever its files say, and so do the servers
    built on it; llama.cpp has the same rule under the name "qwen2". (It does not normalise: text that is not NFC may differ.)
    """
    given = Qwen2Tokenizer().backend_tokenizer
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = given.normalizer
    tokenizer.pre_tokenizer = given.pre_tokenizer
    tokenizer.decoder = given.decoder
    return tokenizer


def train_tokenizer(texts: Iterable[str], size: int) -> Qwen2Tokenizer:
    tokenizer = qwen2_rules()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIAL_TOKENS, initial_alphabet=alphabet, show_progress=False),
    )
    model = json.loads(tokenizer.to_str())["model"]
    return make_tokenizer(model["vocab"], [tuple(pair) for pair in model["merges"]])


def make_tokenizer(vocabulary: dict[str, int], merges: list[tuple[str, str]], template: str = CHAT_TEMPLATE) -> Qwen2Tokenizer:
    tokenizer = Qwen2Tokenizer(
        vocab=vocabulary,
        merges=merges,
        eos_token=END_OF_TURN,
        pad_token=PAD,
        extra_special_tokens=["<|im_start|>"],
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = template
    return tokenizer


def configuration(vocabulary: int, layers: int, width: int, heads: int, kv_heads: int, feed_forward: int) -> Qwen2Config:
    return Qwen2Config(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=feed_forward,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=SPECIAL_TOKENS.index(END_OF_TURN),
        pad_token_id=SPECIAL_TOKENS.index(PAD),
    )
