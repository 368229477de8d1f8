"""Information gain of informative, uninformative and placebo replies under the toy policy itself, in nats.

    python gain.py FOLDER --turns 300 --out gain.json

For a turn's reply o and the agent's next action a of n tokens,

    D_j = log p(a_j | history with o) - log p(a_j | history with o masked),   gain = mean_j D_j,   total = sum_j D_j

(InfoPO, arXiv 2603.00656). The mask keeps the length: placeholder tokens in place of the reply's, cut short or padded with the
last one, so that no position after the reply moves. The next action is sampled by the model after the real reply. A placebo gain
exchanges, in the factual history, the reply for one from another task: what a reply is worth by being any reply.
"""

import argparse
import json
import random
import statistics
from dataclasses import dataclass
from pathlib import Path

import torch

from developer import asked_kind
from dialogues import PLACEHOLDER, UNINFORMATIVE, Message, ask
from tasks import Task, hides_held_out, make_task, some_phrase
from toy import Toy

SEED = 9
CANDIDATES = (PLACEHOLDER, "I don't know.", "not sure", "you decide", "no preference")
UNFIT_BELOW = 0.9


@dataclass
class Turn:
    """The history up to the reply, the reply itself, and the action that the model sampled after it."""

    history: list[Message]
    reply: str
    action: str = ""


@dataclass
class Gain:
    mean: float
    total: float


def reply_span(toy: Toy, history: list[Message], reply: str) -> tuple[list[int], int, int]:
    """Ids of the history with the reply and the next prompt, and the span of the reply's tokens. Raises where a token straddles."""
    messages = [*history, {"role": "user", "content": reply}]
    text = toy.render(messages, prompt=True)
    end = len(toy.render(messages, prompt=False)) - len("<|im_end|>\n")
    start = end - len(reply)
    encoded = toy.tokenizer.backend_tokenizer.encode(text, add_special_tokens=False)
    inside = [k for k, (a, b) in enumerate(encoded.offsets) if a < end and b > start]
    first, last = encoded.offsets[inside[0]], encoded.offsets[inside[-1]]
    if first[0] != start or last[1] != end:
        raise ValueError("a token straddles the edge of the reply")
    return encoded.ids, inside[0], inside[-1] + 1


def masked(ids: list[int], start: int, end: int, placeholder: list[int]) -> list[int]:
    width = end - start
    return ids[:start] + (placeholder + placeholder[-1:] * width)[:width] + ids[end:]


def action_logprobs(toy: Toy, context: list[int], action: list[int]) -> torch.Tensor:
    return toy.logprobs(context + action)[len(context) - 1 :]


def gain(toy: Toy, turn: Turn, placeholder: list[int], donor: str | None = None) -> Gain | None:
    """Gain of the turn's reply; with a donor, of the donor's reply for the same action. None where mask and reply are the same ids."""
    ids, start, end = reply_span(toy, turn.history, turn.reply)
    without = masked(ids, start, end, placeholder)
    if without == ids:
        return None
    action = toy.ids(turn.action + "<|im_end|>")
    factual = ids if donor is None else reply_span(toy, turn.history, donor)[0]
    difference = action_logprobs(toy, factual, action) - action_logprobs(toy, without, action)
    return Gain(difference.mean().item(), difference.sum().item())


def summary(gains: list[Gain]) -> dict:
    means, totals = [g.mean for g in gains], [g.total for g in gains]
    return {
        "n": len(gains),
        "mean": round(statistics.mean(means), 5),
        "sd": round(statistics.stdev(means), 5),
        "mean_sum": round(statistics.mean(totals), 4),
        "sd_sum": round(statistics.stdev(totals), 4),
    }


def auc(higher: list[Gain], lower: list[Gain], attribute: str = "mean") -> float:
    """Chance that a random one of `higher` exceeds a random one of `lower`; ties count half."""
    a, b = [getattr(g, attribute) for g in higher], [getattr(g, attribute) for g in lower]
    return round(sum((x > y) + (x == y) / 2 for x in a for y in b) / (len(a) * len(b)), 4)


def make_turns(toy: Toy, rng: random.Random, count: int) -> tuple[list[Turn], list[Turn]]:
    """Informative and uninformative turns of held-out tasks: the same questions, with and without something said."""
    tasks: list[Task] = [make_task(rng, hides_held_out) for _ in range(count)]
    opened = toy.generate([[{"role": "user", "content": task.request}] for task in tasks], temperature=1.0)
    told, empty = [], []
    for task, question in zip(tasks, opened):
        kind = asked_kind(task, question)
        if kind not in task.vague:
            # The model asked nothing or something else: take a question about the first hidden detail instead.
            kind = task.vague[0]
            question = ask(rng, task.kinds[kind])
        history = [{"role": "user", "content": task.request}, {"role": "assistant", "content": question}]
        told.append(Turn(history, some_phrase(rng, task.kinds[kind], task.values[kind])))
        empty.append(Turn(history, rng.choice(UNINFORMATIVE)))
    for turns in (told, empty):
        actions = toy.generate([[*turn.history, {"role": "user", "content": turn.reply}] for turn in turns], temperature=1.0)
        for turn, action in zip(turns, actions):
            turn.action = action
    return told, empty


def gains_of(toy: Toy, turns: list[Turn], placeholder: list[int]) -> list[Gain]:
    return [value for turn in turns if (value := gain(toy, turn, placeholder)) is not None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--turns", type=int, default=300)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    toy = Toy(arguments.folder, arguments.threads)
    torch.manual_seed(SEED)
    rng = random.Random(SEED)
    told, empty = make_turns(toy, rng, arguments.turns)
    default = toy.ids(PLACEHOLDER)
    informative, uninformative = gains_of(toy, told, default), gains_of(toy, empty, default)
    # The reply of the turn half a list away: always another task's.
    donors = [told[(k + len(told) // 2) % len(told)].reply for k in range(len(told))]
    pairs = [(turn, donor) for turn, donor in zip(told, donors) if donor != turn.reply]
    placebo = [value for turn, donor in pairs if (value := gain(toy, turn, default, donor)) is not None]

    fitness = {}
    few = min(100, arguments.turns)
    for words in CANDIDATES:
        ids = toy.ids(words)
        silent, telling = gains_of(toy, empty[:few], ids), gains_of(toy, told[:few], ids)
        area = auc(telling, silent)
        fitness[words] = {
            "uninformative_mean": summary(silent)["mean"],
            "uninformative_sd": summary(silent)["sd"],
            "informative_mean": summary(telling)["mean"],
            "auc": area,
            "n": len(silent),
            "fit": area >= UNFIT_BELOW,
        }
    figures = {
        "gain": {
            "informative": summary(informative),
            "uninformative": summary(uninformative),
            "auc_informative_over_uninformative": auc(informative, uninformative),
            "auc_informative_over_uninformative_total": auc(informative, uninformative, "total"),
            "auc_informative_over_placebo": auc(informative, placebo),
        },
        "placebo": {**summary(placebo), "estimator": "shift_mean", "placeholder": PLACEHOLDER, "mask_mode": "length_matched"},
        "fitness": fitness,
    }
    text = json.dumps(figures, indent=2)
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
