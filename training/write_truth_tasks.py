"""Writes the tasks of the truth suite: held-out ones, each drawn so that one question about the signal can be asked of it.

    python write_truth_tasks.py ../truth/tasks.json

`ranking`: three to six hidden details of which the developer tells one, at every place equally often, a combination that
training never saw; `last_request` is the same task with that detail named last. `misled`: one to three hidden details, and a
wrong value for the last one. `specified`: everything said, and one detail to be asked about all the
same. Every other hidden detail of `ranking` can be answered emptily in about the length of the telling reply.
"""

import argparse
import hashlib
import json
import random
import re
from pathlib import Path

from dialogues import ON_TOPIC, UNINFORMATIVE, UNMISTAKABLE
from kinds import FAMILIES, HELD_OUT_PHRASE, UNSEEN_KINDS, Kind
from tasks import Task, all_values, choose_calls, code_line, draw_value, hides_held_out, is_held_out, is_training, make_task, phrase, word_request

SCHEMA = "turnwise-truth-tasks/1"
SEED = 606
LONGER = 1.2
"""How much longer or shorter an empty reply may be than the telling one, characters."""
SHARED = 0.34
"""Largest share of its words that a telling reply may have in common with the agent's restatement."""


def replies(kind: Kind, value: str) -> list[str]:
    """What a developer says for this value; the first one is what the agent repeats."""
    return [phrase(kind, value, index) for index in range(HELD_OUT_PHRASE)]


def empty_replies(kind: Kind) -> list[str]:
    return [words.format(topic=kind.topic) for words in ON_TOPIC]


def alike(a: str, b: str) -> bool:
    return max(len(a), len(b)) <= LONGER * min(len(a), len(b))


def repeated(words: str, kind: Kind, value: str) -> float:
    """Share of a reply's words that the agent's restatement has too."""
    known = set(re.findall(r"[\w']+", f"ok {kind.topic} {phrase(kind, value, 0)}".lower()))
    said = re.findall(r"[\w']+", words.lower())
    return sum(word in known for word in said) / len(said)


def telling(task: Task, name: str) -> list[str]:
    """The replies about a detail that every other hidden one can match in length with nothing said, and that no ranker finds by the words it shares with what the agent says next."""
    others = [other for other in task.vague if other != name]
    kind, value = task.kinds[name], task.values[name]
    return [
        words
        for words in replies(kind, value)
        if repeated(words, kind, value) <= SHARED
        and all(any(alike(words, empty) for empty in empty_replies(task.kinds[other])) for other in others)
    ]


def hide_held_out(rng: random.Random, task: Task, name: str) -> bool:
    """Gives a detail a value that training never saw with this core; False where there is none."""
    values = [value for value in all_values(task.kinds[name]) if is_held_out(task.core, name, value)]
    if not values:
        return False
    task.values[name] = rng.choice(values)
    return True


def ranking_task(rng: random.Random, count: int, place: int) -> dict:
    """One telling reply among `count`, at `place`."""
    while True:
        task = make_task(rng, hide="all", kind_count=count)
        name = task.vague[place]
        if not hide_held_out(rng, task, name) or not telling(task, name):
            continue
        moved = Task(task.family, task.core, task.values, [*(k for k in task.vague if k != name), name], "")
        moved.request = word_request(rng, moved, moved.vague)
        return {
            "request": task.request,
            "last_request": moved.request,
            "hidden": task.vague,
            "told": {"kind": name, "combination": f"{task.core}|{name}|{task.values[name]}", "replies": telling(task, name)},
        }


def misled_task(rng: random.Random, count: int) -> dict:
    """The detail asked about last is answered with another value, which fails a hidden call."""
    while True:
        task = make_task(rng, hides_held_out, hide="all", kind_count=count)
        name = task.vague[-1]
        if name == "name" or not hide_held_out(rng, task, name) or not choose_calls(rng, task):
            continue
        kind = task.kinds[name]
        wrong = draw_value(rng, kind)
        if wrong == task.values[name]:
            continue
        return {
            "request": task.request,
            "hidden": [{"kind": other, "replies": replies(task.kinds[other], task.values[other])} for other in task.vague],
            "line": code_line(kind, task.values[name]),
            "wrong": {"replies": replies(kind, wrong), "line": code_line(kind, wrong)},
            "foreign": rng.choice(foreign_kinds(task)),
            **checked(task),
        }


def specified_task(rng: random.Random, count: int) -> dict:
    """A request that says everything, and what a needless question and one beside the point could be about."""
    while True:
        task = make_task(rng, lambda drawn: not is_training(drawn), hide="none", kind_count=count)
        if not choose_calls(rng, task):
            continue
        asked = rng.choice(list(task.values))
        return {
            "request": task.request,
            "stated": {"kind": asked, "replies": replies(task.kinds[asked], task.values[asked])},
            "foreign": rng.choice(foreign_kinds(task)),
            **checked(task),
        }


def foreign_kinds(task: Task) -> list[str]:
    """Details that the task has nothing to do with."""
    return [kind for kind in task.kinds if kind not in task.values and kind not in UNSEEN_KINDS and kind != "separator"]


def checked(task: Task) -> dict:
    return {"function": task.function, "code": task.code().rstrip("\n"), "calls": task.calls}


def kinds_table() -> dict:
    table = {}
    for kinds in FAMILIES.values():
        for name, kind in kinds.items():
            if name not in UNSEEN_KINDS:
                table[name] = {"topic": kind.topic, "questions": list(kind.questions), "empty": empty_replies(kind)}
    return table


def numbered(prefix: str, tasks: list[dict]) -> list[dict]:
    """With an id, and the request's own group."""
    return [
        {"id": f"{prefix}-{number:03d}", "group": hashlib.sha256(task["request"].encode()).hexdigest()[:12], **task}
        for number, task in enumerate(tasks, 1)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--each", type=int, default=120, help="ranking tasks of each number of questions, a multiple of 60")
    parser.add_argument("--others", type=int, default=120)
    arguments = parser.parse_args()
    rng = random.Random(SEED)
    # 3, 4, 5 and 6 questions take turns, and so do the places: the first n tasks of the file are balanced as well.
    ranking = [ranking_task(rng, count, number % count) for number in range(arguments.each) for count in (3, 4, 5, 6)]
    misled = [misled_task(rng, 1 + number % 3) for number in range(arguments.others)]
    specified = [specified_task(rng, 1 + number % 3) for number in range(arguments.others)]
    document = {
        "schema": SCHEMA,
        "kinds": kinds_table(),
        "uninformative": list(UNINFORMATIVE),
        "unmistakable": list(UNMISTAKABLE),
        "ranking": numbered("rank", ranking),
        "misled": numbered("misled", misled),
        "specified": numbered("said", specified),
    }
    arguments.out.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    print(f"{len(ranking)} + {len(misled)} + {len(specified)} tasks, {arguments.out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
