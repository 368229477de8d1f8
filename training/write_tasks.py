"""Writes the demo's tasks: held-out tasks with hidden preferences, their replies, reference code and hidden calls.

    python write_tasks.py ../media/demo/tasks.json

A simulated developer answers the model's questions from this file; nothing in it was seen in training.
"""

import argparse
import hashlib
import json
import random
from pathlib import Path

from dialogues import UNINFORMATIVE
from kinds import FAMILIES, HELD_OUT_PHRASE, UNSEEN_KINDS
from tasks import Task, choose_calls, draw_value, hides_held_out, is_training, make_task, phrase

SCHEMA = "turnwise-tasks/1"
SEED = 2026


def sibling(rng: random.Random, task: Task) -> Task | None:
    """A task with the same request whose hidden values differ: only a question can tell the two apart."""
    for _ in range(60):
        values = {**task.values, **{name: draw_value(rng, task.kinds[name]) for name in task.vague}}
        other = Task(task.family, task.core, values, task.vague, task.request)
        if values != task.values and hides_held_out(other) and choose_calls(rng, other):
            return other
    return None


def held_out_tasks(rng: random.Random, count: int) -> list[Task]:
    """`count` vague tasks; every second one brings a sibling with the same request where there is one."""
    tasks: list[Task] = []
    while len(tasks) < count:
        task = make_task(rng, hides_held_out)
        if not choose_calls(rng, task):
            continue
        tasks.append(task)
        if len(tasks) % 2 == 0 and (other := sibling(rng, task)) is not None:
            tasks.append(other)
    return tasks


def specified_tasks(rng: random.Random, count: int) -> list[Task]:
    tasks: list[Task] = []
    while len(tasks) < count:
        task = make_task(rng, lambda drawn: not is_training(drawn), hide="none")
        if choose_calls(rng, task):
            tasks.append(task)
    return tasks


def group_of(task: Task) -> str:
    """Tasks with the same request are one group, whatever their hidden values: a developer's words alone do not tell them apart."""
    return hashlib.sha256(task.request.encode()).hexdigest()[:12]


def as_json(task: Task, number: int) -> dict:
    kinds = []
    for name, value in task.values.items():
        replies = [phrase(task.kinds[name], value, index) for index in range(HELD_OUT_PHRASE)]
        kinds.append({"kind": name, "specified": name not in task.vague, "replies": replies})
    return {
        "id": f"toy-{number:03d}",
        "group": group_of(task),
        "request": task.request,
        "kinds": kinds,
        "function": task.function,
        "reference": task.code(),
        "calls": task.calls,
    }


def questions() -> dict:
    table = {}
    for kinds in FAMILIES.values():
        for name, kind in kinds.items():
            if name not in UNSEEN_KINDS:
                table[name] = {"questions": list(kind.questions)}
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--vague", type=int, default=240)
    parser.add_argument("--specified", type=int, default=40)
    arguments = parser.parse_args()
    rng = random.Random(SEED)
    tasks = held_out_tasks(rng, arguments.vague) + specified_tasks(rng, arguments.specified)
    document = {
        "schema": SCHEMA,
        "uninformative": list(UNINFORMATIVE),
        "kinds": questions(),
        "tasks": [as_json(task, number) for number, task in enumerate(tasks, 1)],
    }
    arguments.out.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    groups = {group_of(task) for task in tasks}
    print(f"{len(tasks)} tasks in {len(groups)} groups, {arguments.out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
