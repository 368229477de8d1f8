"""A simulated developer: finds what a question is about, and answers from the task's hidden values."""

import random
from collections.abc import Callable

from dialogues import UNINFORMATIVE
from tasks import Task, some_phrase

# What the developer says about a hidden or specified kind of the task.
Wording = Callable[[random.Random, Task, str], str]


def true_reply(rng: random.Random, task: Task, kind: str) -> str:
    return some_phrase(rng, task.kinds[kind], task.values[kind])


def asked_kind(task: Task, action: str) -> str | None:
    """The kind that a question is about, by the longest known question in it; None for words we do not know.

    Some wordings serve two kinds of different families, never two of the same.
    """
    found = [(len(question), name) for name, kind in task.kinds.items() for question in kind.questions if question in action]
    return max(found)[1] if found else None


def reply_to(rng: random.Random, task: Task, action: str, wording: Wording = true_reply) -> str:
    kind = asked_kind(task, action)
    if kind is None or kind not in task.values:
        return rng.choice(UNINFORMATIVE)
    words = wording(rng, task, kind)
    return words if kind in task.vague else f"as I said, {words}"
