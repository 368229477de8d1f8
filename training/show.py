"""Prints dialogues of the training data, and runs references through their own hidden calls.

    python show.py --dialogues 10
"""

import argparse
import random

import sandbox
from dialogues import make_dialogue
from tasks import choose_calls, is_training, make_task


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dialogues", type=int, default=10)
    parser.add_argument("--references", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    for _ in range(arguments.dialogues):
        for message in make_dialogue(rng, make_task(rng, is_training)).messages:
            print(f"[{message['role']}] {message['content']}")
        print("-" * 40)
    told_apart = passed = 0
    for _ in range(arguments.references):
        task = make_task(rng, is_training)
        told_apart += choose_calls(rng, task)
        passed += sandbox.passes(task.code(), task.calls)
    print(f"references that pass their own hidden calls: {passed} of {arguments.references}; ", end="")
    print(f"tasks whose calls tell all values apart: {told_apart} (the others are left out of evaluation and demo)")


if __name__ == "__main__":
    main()
