"""Writes reference log-probs of held-out conversations, against which any other engine can be checked.

    python reference_logprobs.py FOLDER ../media/models/turnwise-toy.gguf ../test/fixtures/reference-logprobs.json

Each conversation is rendered by the chat template; `logprobs[k]` is PyTorch's float32 natural log-prob of `ids[k]` given all
ids before it, null for the first. FOLDER must be made of the very GGUF (`to_folder.py`).
"""

import argparse
import hashlib
import json
import random
from pathlib import Path

from dialogues import make_dialogue
from tasks import hides_held_out, make_task
from toy import Toy

SEED = 4
CONVERSATIONS = 20
FEWEST_MESSAGES = 6


def several_turns(rng: random.Random) -> list[dict[str, str]]:
    while True:
        dialogue = make_dialogue(rng, make_task(rng, hides_held_out))
        if len(dialogue.messages) >= FEWEST_MESSAGES:
            return dialogue.messages


def conversation(toy: Toy, rng: random.Random) -> dict:
    messages = several_turns(rng)
    ids = toy.ids(toy.render(messages, prompt=False))
    logprobs = [round(value, 6) for value in toy.logprobs(ids).tolist()]
    return {"messages": messages, "ids": ids, "logprobs": [None, *logprobs]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("gguf", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    toy = Toy(arguments.folder)
    rng = random.Random(SEED)
    document = {
        "model_sha256": hashlib.sha256(arguments.gguf.read_bytes()).hexdigest(),
        "conversations": [conversation(toy, rng) for _ in range(CONVERSATIONS)],
    }
    arguments.out.write_text(json.dumps(document, ensure_ascii=False) + "\n")
    tokens = sum(len(c["ids"]) for c in document["conversations"])
    print(f"{CONVERSATIONS} conversations, {tokens} tokens, {arguments.out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
