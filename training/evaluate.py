"""Held-out figures of the toy policy, as counts with Wilson 95 % intervals.

    python evaluate.py FOLDER --tasks 320 --out evaluation.json

An episode is played to the end: the model asks, the simulated developer answers, the model proposes, and its code runs
against the hidden calls. "Another task's reply" is the same episode with what the developer of another random task would say.
"""

import argparse
import json
import random
import re
from dataclasses import dataclass, field
from pathlib import Path

import torch

import sandbox
from developer import Wording, asked_kind, reply_to, true_reply
from dialogues import Message
from kinds import HELD_OUT_PHRASE, UNSEEN_KINDS
from tasks import Task, choose_calls, hides_held_out, is_training, make_task, phrase, some_phrase
from toy import Toy, proposed_code

SEED = 77
MOST_TURNS = 7  # six questions and a proposal
OPTION = re.compile(r"^[A-E][).]\s+\S")


@dataclass
class Episode:
    task: Task
    messages: list[Message]
    asked: list[str] = field(default_factory=list)
    code: str | None = None


def wilson(hits: int, of: int) -> dict:
    """{"hits", "n", "share", "low", "high"}: a share with its Wilson 95 % interval."""
    if of == 0:
        return {"hits": 0, "n": 0, "share": None, "low": None, "high": None}
    z, p = 1.959964, hits / of
    centre = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * ((p * (1 - p) / of + z * z / (4 * of * of)) ** 0.5)
    return {"hits": hits, "n": of, "share": round(p, 4), "low": round(max(0.0, centre - half), 4), "high": round(min(1.0, centre + half), 4)}


def share(values: list[bool]) -> dict:
    return wilson(sum(values), len(values))


def checked_task(rng: random.Random, accept, **how) -> Task:
    """A task whose hidden calls tell every other value apart."""
    while True:
        task = make_task(rng, accept, **how)
        if choose_calls(rng, task):
            return task


def play(
    toy: Toy, tasks: list[Task], rng: random.Random, *, temperature: float, wording: Wording = true_reply, first_question: bool = False
) -> list[Episode]:
    """Plays all episodes side by side, one turn at a time.

    `first_question`: the first question is not the model's but one about the first hidden kind, so that what the model does with
    an answer is measured on all tasks alike, not only on those where it asked.
    """
    episodes = [Episode(task, [{"role": "user", "content": task.request}]) for task in tasks]
    for episode in episodes if first_question else []:
        kind = episode.task.vague[0]
        question = rng.choice(episode.task.kinds[kind].questions)
        episode.asked.append(kind)
        episode.messages.append({"role": "assistant", "content": question})
        episode.messages.append({"role": "user", "content": wording(rng, episode.task, kind)})
    running = episodes
    for turn in range(MOST_TURNS):
        actions = toy.generate([episode.messages for episode in running], temperature=temperature)
        still = []
        for episode, action in zip(running, actions):
            episode.messages.append({"role": "assistant", "content": action})
            episode.code = proposed_code(action)
            if episode.code is None and turn + 1 < MOST_TURNS:
                episode.asked.append(asked_kind(episode.task, action) or "")
                episode.messages.append({"role": "user", "content": reply_to(rng, episode.task, action, wording)})
                still.append(episode)
        running = still
        if not running:
            break
    return episodes


def follows_protocol(episode: Episode) -> bool:
    """Every action is a question (with well-formed options, if any) or the one proposal that ends the episode."""
    actions = [m["content"] for m in episode.messages if m["role"] == "assistant"]
    questions = [action for action in actions if proposed_code(action) is None]
    return bool(episode.code) and episode.code.startswith("def ") and all(map(is_question, questions))


def is_question(action: str) -> bool:
    first, *options = action.split("\n")
    return first.rstrip().endswith("?") and (not options or (2 <= len(options) <= 5 and all(map(OPTION.match, options))))


def passed(episode: Episode) -> bool:
    return episode.code is not None and sandbox.passes(episode.code, episode.task.calls)


def all_answered(episode: Episode) -> bool:
    return set(episode.task.vague) <= set(episode.asked)


def of_another_task(pool: list[Task]) -> Wording:
    """Replies of another random task: its developer's words about one of its own hidden kinds."""

    def wording(rng: random.Random, task: Task, kind: str) -> str:
        other = rng.choice([donor for donor in rng.sample(pool, 8) if donor is not task])
        name = rng.choice(other.vague)
        return some_phrase(rng, other.kinds[name], other.values[name])

    return wording


def never_heard(rng: random.Random, task: Task, kind: str) -> str:
    return phrase(task.kinds[kind], task.values[kind], HELD_OUT_PHRASE)


def outcome_figures(episodes: list[Episode]) -> dict:
    answered = [episode for episode in episodes if all_answered(episode)]
    return {
        "protocol": share([follows_protocol(episode) for episode in episodes]),
        "parses": share([sandbox.parses(episode.code) for episode in episodes if episode.code]),
        "asked": share([bool(episode.asked) for episode in episodes]),
        "asked_about_every_hidden_kind": share([all_answered(episode) for episode in episodes]),
        "passed_when_answered": share([passed(episode) for episode in answered]),
        "passed": share([passed(episode) for episode in episodes]),
        "questions_per_episode": round(sum(len(episode.asked) for episode in episodes) / len(episodes), 3),
    }


def question_figures(episodes: list[Episode]) -> dict:
    """Distinct questions, without what the agent restates before them."""
    questions = []
    for episode in episodes:
        for message in episode.messages:
            if message["role"] == "assistant" and proposed_code(message["content"]) is None:
                questions.append(re.sub(r"^(OK, .*?\. |Sorry\. )", "", message["content"]))
    stems = {question.split("\n")[0] for question in questions}
    return {
        "questions": len(questions),
        "distinct": len(set(questions)),
        "distinct_without_options": len(stems),
        "with_options": share(["\n" in question for question in questions]),
    }


def unseen_kind(toy: Toy, rng: random.Random, name: str, count: int) -> dict:
    """A kind that training never had: would the model ask, and does it act on an answer to the right question?"""
    tasks = [checked_task(rng, lambda task: True, with_kind=name, hide="one", kind_count=1) for _ in range(count)]
    first = toy.generate([[{"role": "user", "content": task.request}] for task in tasks], temperature=0.0)
    told = []
    for task in tasks:
        kind = task.kinds[name]
        told.append(
            [
                {"role": "user", "content": task.request},
                {"role": "assistant", "content": rng.choice(kind.questions)},
                {"role": "user", "content": some_phrase(rng, kind, task.values[name])},
            ]
        )
    codes = [proposed_code(action) for action in toy.generate(told, temperature=0.0)]
    return {
        "asked_anything": share([proposed_code(action) is None for action in first]),
        "asked_about_it": share([asked_kind(task, action) == name for task, action in zip(tasks, first)]),
        "passed_when_told": share([code is not None and sandbox.passes(code, task.calls) for task, code in zip(tasks, codes)]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tasks", type=int, default=320)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    toy = Toy(arguments.folder, arguments.threads)
    torch.manual_seed(SEED)
    rng = random.Random(SEED)
    n = arguments.tasks
    vague = [checked_task(rng, hides_held_out) for _ in range(n)]
    specified = [checked_task(rng, lambda task: not is_training(task), hide="none") for _ in range(n)]
    single = [checked_task(rng, hides_held_out, hide="one") for _ in range(n)]
    trained = [checked_task(rng, is_training, hide="all", kind_count=rng.choice((1, 2))) for _ in range(n)]

    sampled = play(toy, vague, rng, temperature=1.0)
    figures = {
        "tasks": n,
        "held_out": {"greedy": outcome_figures(play(toy, vague, rng, temperature=0.0)), "sampled": outcome_figures(sampled)},
        "question_given": {
            "greedy": outcome_figures(play(toy, single, rng, temperature=0.0, first_question=True)),
            "another_tasks_reply": outcome_figures(
                play(toy, single, rng, temperature=0.0, first_question=True, wording=of_another_task(single))
            ),
        },
        "another_tasks_reply": {
            "greedy": outcome_figures(play(toy, vague, rng, temperature=0.0, wording=of_another_task(vague))),
        },
        "phrasings_never_heard": {"greedy": outcome_figures(play(toy, vague, rng, temperature=0.0, wording=never_heard))},
        "training_combinations": {"greedy": outcome_figures(play(toy, trained, rng, temperature=0.0))},
        "fully_specified": {
            "greedy": outcome_figures(play(toy, specified, rng, temperature=0.0)),
            "sampled": outcome_figures(play(toy, specified, rng, temperature=1.0)),
        },
        "questions_sampled": question_figures(sampled),
        "unseen_kinds": {name: unseen_kind(toy, rng, name, max(50, n // 4)) for name in UNSEEN_KINDS},
    }
    real = figures["held_out"]["greedy"]["passed_when_answered"]["share"]
    other = figures["another_tasks_reply"]["greedy"]["passed_when_answered"]["share"]
    figures["points_lost_with_another_tasks_reply"] = None if real is None or other is None else round(100 * (real - other), 1)
    text = json.dumps(figures, indent=2)
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
