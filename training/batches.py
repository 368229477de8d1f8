"""Dialogues as tensors: token ids, what each token's prediction should be, and how much it weighs.

Every batch has two halves. Row k of the second half is a dialogue like row k of the first, told again with other replies that
say nothing; training asks the model to go on in both alike. Dialogues of like length share a batch.
"""

import math
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import torch
from transformers import Qwen2Tokenizer

from dialogues import PLACEHOLDER, Dialogue, Settled, make_dialogue, retold
from kinds import Kind
from tasks import all_values, is_training, make_task, restatement

# Weights of the loss per token. Nearly all tokens of a program are the same in every program; without the extra weight on
# those that a preference decides, a small model writes every line right but the value.
HEARD, DECIDED, CHOSEN, AGENT, GUESSED, OTHERS = 8.0, 5.0, 4.0, 1.0, 0.5, 0.05
# Long and open tasks are where most is asked: they come more often than a developer would bring them.
KIND_COUNTS = {1: 0.08, 2: 0.16, 3: 0.20, 4: 0.20, 5: 0.18, 6: 0.18}
ALL_OPEN = 0.15
WITHOUT_CODE = 0.35  # share of the dialogues that end where the code would begin: more replies for the same tokens
POOL = 256  # dialogues among which those of like length are found


@dataclass
class Encoded:
    """One dialogue. `soft` gives, for a token, every token that could stand in its place and how likely; `agent`, what the agent said."""

    ids: list[int]
    weights: list[float]
    soft: dict[int, dict[int, float]]
    agent: list[int]


@dataclass
class Batch:
    """`inputs`, `targets`, `weights` are (rows, tokens); `soft` is (row, token, id, probability) of predictions that are spread;
    `twins` are two lists of flat positions at which the halves should predict the same."""

    inputs: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor
    soft: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
    twins: tuple[torch.Tensor, torch.Tensor]


def training_dialogues(rng: random.Random, placeholder: bool) -> Iterator[Dialogue]:
    while True:
        count = rng.choices(list(KIND_COUNTS), list(KIND_COUNTS.values()))[0]
        task = make_task(rng, is_training, kind_count=count, hide="all" if rng.random() < ALL_OPEN else "some")
        yield make_dialogue(rng, task, placeholder=placeholder)


def weighted_pieces(dialogue: Dialogue, opening: float = AGENT) -> Iterator[tuple[str, float, Kind | None]]:
    """The rendered dialogue as (text, loss weight, kind of an own choice) pieces; joined, they are what the chat template renders.

    `opening` is the weight of an action's first line after what it restates: there the agent chooses what to ask, or to answer.
    """
    for at, (message, decided, guessed) in enumerate(zip(dialogue.messages, dialogue.decided, dialogue.guessed)):
        yield f"<|im_start|>{message['role']}\n", OTHERS, None
        if message["role"] == "user":
            yield message["content"] + "<|im_end|>\n", OTHERS, None
            continue
        content = message["content"]
        if content.startswith("OK, "):
            end = content.index(". ") + 1
            own = dialogue.chosen.get(at)
            yield content[:end], CHOSEN if own else HEARD, own
            content = content[end:]
        for number, line in enumerate(content.splitlines(keepends=True)):
            text = line.strip()
            ordinary = opening if number == 0 else AGENT
            yield line, DECIDED if text in decided else GUESSED if text in guessed else ordinary, None
        yield "<|im_end|>", AGENT, None
        yield "\n", OTHERS, None


def encode(tokenizer: Qwen2Tokenizer, dialogue: Dialogue, opening: float = AGENT) -> Encoded:
    """Token ids of the whole rendered text, each with the weight of the piece it begins in.

    The text is tokenised as one string, because a token may reach over the end of a piece.
    """
    pieces = list(weighted_pieces(dialogue, opening))
    encoded = tokenizer.backend_tokenizer.encode("".join(text for text, _, _ in pieces), add_special_tokens=False)
    weights, piece, end = [], 0, len(pieces[0][0])
    soft: dict[int, dict[int, float]] = {}
    agent: list[int] = []
    said: tuple[int, ...] = ()
    for at, (start, _) in enumerate(encoded.offsets):
        while start >= end:
            piece += 1
            end += len(pieces[piece][0])
            said = ()
        _, weight, own = pieces[piece]
        weights.append(weight)
        if weight != OTHERS:
            agent.append(at)
        if own is not None:
            spread = continuations(tokenizer, own).get(said)
            if spread is not None and len(spread) > 1 and encoded.ids[at] in spread:
                soft[at] = spread
            said = (*said, encoded.ids[at])
    return Encoded(encoded.ids, weights, soft, agent)


def continuations(tokenizer: Qwen2Tokenizer, kind: Kind) -> dict[tuple[int, ...], dict[int, float]]:
    """For every beginning of a restatement, the tokens that may come next and how likely, every value drawn as `draw_value` does."""
    known = _tries(tokenizer)
    if kind.topic not in known:
        counts: dict[tuple[int, ...], Counter[int]] = {}
        for value in all_values(kind):
            share = 1 / len(kind.options)
            if kind.options[value.partition(" ")[0]].takes_parameter:
                share /= len(kind.parameters)
            text = Settled(kind, restatement(kind, value)).text.strip()
            ids = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
            for at, token in enumerate(ids):
                counts.setdefault(tuple(ids[:at]), Counter())[token] += share
        known[kind.topic] = {
            said: {token: share / sum(nexts.values()) for token, share in nexts.items()} for said, nexts in counts.items()
        }
    return known[kind.topic]


@cache
def _tries(tokenizer: Qwen2Tokenizer) -> dict[str, dict[tuple[int, ...], dict[int, float]]]:
    return {}


def cut_before_code(encoded: Encoded, definition: int) -> Encoded:
    """The dialogue up to where its first program begins, with the token `definition`."""
    end = next((at for at in encoded.agent if encoded.ids[at] == definition), len(encoded.ids))
    soft = {at: spread for at, spread in encoded.soft.items() if at < end}
    return Encoded(encoded.ids[:end], encoded.weights[:end], soft, [at for at in encoded.agent if at < end])


def pairs(
    tokenizer: Qwen2Tokenizer, rng: random.Random, placeholder: bool, opening: float, longest: int
) -> Iterator[tuple[Encoded, Encoded, bool]]:
    """(dialogue, its twin, True), or two dialogues in which every reply says something, and False."""
    definition = tokenizer.backend_tokenizer.encode("\ndef", add_special_tokens=False).ids[-1]
    alone: list[Encoded] = []
    for dialogue in training_dialogues(rng, placeholder):
        short = rng.random() < WITHOUT_CODE
        told = [encode(tokenizer, dialogue, opening)]
        if dialogue.empty:
            told.append(encode(tokenizer, retold(rng, dialogue, placeholder=placeholder), opening))
        told = [cut_before_code(one, definition) for one in told] if short else told
        if max(len(one.ids) for one in told) > longest + 1:
            continue
        if len(told) == 2:
            yield told[0], told[1], True
            continue
        alone += told
        if len(alone) == 2:
            yield alone[0], alone[1], False
            alone = []


def batches(
    tokenizer: Qwen2Tokenizer, rng: random.Random, placeholder: bool, opening: float, tokens: int, longest: int
) -> Iterator[Batch]:
    """Batches of about `tokens` tokens, padding counted."""
    source = pairs(tokenizer, rng, placeholder, opening, longest)
    pool: list[tuple[Encoded, Encoded, bool]] = []
    while True:
        while len(pool) < POOL:
            pool.append(next(source))
        pool.sort(key=lambda pair: max(len(pair[0].ids), len(pair[1].ids)))
        at = rng.randrange(len(pool))
        size = max(len(pool[at][0].ids), len(pool[at][1].ids))
        rows = max(1, tokens // (2 * size))
        first = max(0, at - rows + 1)
        chosen, pool[first : at + 1] = pool[first : at + 1], []
        yield make_batch(chosen)


def make_batch(chosen: list[tuple[Encoded, Encoded, bool]]) -> Batch:
    rows = [pair[0] for pair in chosen] + [pair[1] for pair in chosen]
    # Few different shapes: every new one costs the matrix library a plan, and memory.
    size = 16 * math.ceil(max(len(row.ids) for row in rows) / 16) + 1
    ids = torch.zeros(len(rows), size, dtype=torch.long)
    weights = torch.zeros(len(rows), size)
    where, tokens, likely = [], [], []
    twins: tuple[list[int], list[int]] = ([], [])
    for at, row in enumerate(rows):
        ids[at, : len(row.ids)] = torch.tensor(row.ids)
        weights[at, : len(row.ids)] = torch.tensor(row.weights)
        for token, spread in row.soft.items():
            for other, probability in spread.items():
                where.append(at * (size - 1) + token - 1)
                tokens.append(other)
                likely.append(probability)
    for at, (one, other, same) in enumerate(chosen):
        if same:
            twins[0].extend(at * (size - 1) + k - 1 for k in one.agent)
            twins[1].extend((len(chosen) + at) * (size - 1) + k - 1 for k in other.agent)
    return Batch(
        ids[:, :-1],
        ids[:, 1:],
        weights[:, 1:],
        (torch.tensor(where, dtype=torch.long), torch.tensor(tokens, dtype=torch.long), torch.tensor(likely)),
        (torch.tensor(twins[0], dtype=torch.long), torch.tensor(twins[1], dtype=torch.long)),
    )


def tokenizer_texts(rng: random.Random, placeholder: bool, count: int = 8000) -> Iterator[str]:
    """Texts for the vocabulary. The padded placeholder stays out: its dots must remain single tokens, as a mask makes them."""
    source = training_dialogues(rng, placeholder=False)
    for _ in range(count):
        yield "\n".join(f"{message['role']}\n{message['content']}" for message in next(source).messages)
    if placeholder:
        yield from [PLACEHOLDER] * (count // 20)
