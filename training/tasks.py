"""Small Python tasks with hidden preferences: how they are drawn, worded, coded and checked.

A task is a core (what to compute) and a few kinds with one value each. In the request a kind is either
specified ("missing values: skip them") or vague ("handle missing values"); a vague one can only be
learned by asking. The reference code is assembled from the values; hidden calls are chosen so that
another value of any kind would fail at least one of them.
"""

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from kinds import CORES, DEFAULT_SEPARATOR, FAMILIES, HELD_OUT_PHRASE, UNSEEN_KINDS, Kind, needs_separator

HELD_OUT_SHARE = 8  # one combination in eight never appears in training
FULLY_SPECIFIED, FULLY_VAGUE = 0.2, 0.25
KIND_COUNTS = {1: 0.10, 2: 0.20, 3: 0.22, 4: 0.19, 5: 0.16, 6: 0.13}


@dataclass
class Task:
    """`values` maps kind -> value in code order; `vague` lists the hidden kinds in the order of the request."""

    family: str
    core: str
    values: dict[str, str]
    vague: list[str]
    request: str
    calls: list[dict[str, str]] = field(default_factory=list)

    @property
    def kinds(self) -> dict[str, Kind]:
        return FAMILIES[self.family]

    @property
    def function(self) -> str:
        return self.values["name"].partition(" ")[2] if "name" in self.values else "solve"

    def code(self, values: dict[str, str] | None = None) -> str:
        """Python source for the given values (default: the true ones)."""
        values = self.values if values is None else values
        chosen = [kind for kind in self.kinds if kind in values and kind != "name"]
        before = [code_line(self.kinds[kind], values[kind]) for kind in chosen if not self.kinds[kind].after_core]
        after = [code_line(self.kinds[kind], values[kind]) for kind in chosen if self.kinds[kind].after_core]
        if needs_separator(self.core) and "separator" not in values:
            before.append(DEFAULT_SEPARATOR)
        head = code_line(self.kinds["name"], values["name"]) if "name" in values else "def solve(xs):"
        body = [*before, CORES[self.family][self.core][1], *after, "return r"]
        return "\n".join([head, *("    " + line for line in body)]) + "\n"


# A value is "<option>" or "<option> <parameter>", for example "skip" or "clip 42".


def draw_value(rng: random.Random, kind: Kind) -> str:
    name = rng.choice(list(kind.options))
    return f"{name} {rng.choice(kind.parameters)}" if kind.options[name].takes_parameter else name


def all_values(kind: Kind) -> Iterator[str]:
    for name, chosen in kind.options.items():
        if chosen.takes_parameter:
            yield from (f"{name} {parameter}" for parameter in kind.parameters)
        else:
            yield name


def code_line(kind: Kind, value: str) -> str:
    name, _, parameter = value.partition(" ")
    return kind.options[name].line.replace("{n}", parameter)


def phrase(kind: Kind, value: str, index: int) -> str:
    name, _, parameter = value.partition(" ")
    return kind.options[name].phrases[index].replace("{n}", parameter)


def restatement(kind: Kind, value: str) -> str:
    """The one wording in which the agent repeats what it understood."""
    return phrase(kind, value, 0)


def some_phrase(rng: random.Random, kind: Kind, value: str) -> str:
    """One of the phrasings that training may show."""
    return phrase(kind, value, rng.randrange(HELD_OUT_PHRASE))


def is_held_out(core: str, kind: str, value: str) -> bool:
    """Whether this combination is kept from training: a fixed hash, the same on every machine."""
    digest = hashlib.sha256(f"{core}|{kind}|{value}".encode()).digest()
    return digest[0] % HELD_OUT_SHARE == 0


def is_training(task: Task) -> bool:
    return not any(kind in UNSEEN_KINDS or is_held_out(task.core, kind, value) for kind, value in task.values.items())


def hides_held_out(task: Task) -> bool:
    """A held-out task: something the developer has to be asked for is a combination training never saw."""
    return any(is_held_out(task.core, kind, task.values[kind]) for kind in task.vague)


def make_task(
    rng: random.Random,
    accept: Callable[[Task], bool] = lambda task: True,
    *,
    kind_count: int | None = None,
    with_kind: str | None = None,
    hide: str = "some",
) -> Task:
    """Draws tasks until `accept` agrees. `hide`: "some" (the natural mix), "none", "one" or "all" kinds are vague.

    `with_kind` forces a kind into the task (used for the kinds that training never sees).
    """
    while True:
        family = rng.choice(list(FAMILIES))
        kinds, cores = FAMILIES[family], CORES[family]
        core = rng.choice(list(cores))
        usable = [
            kind
            for kind in kinds
            if kind not in UNSEEN_KINDS and (kind != "separator" or needs_separator(core))
        ]
        count = kind_count or rng.choices(list(KIND_COUNTS), list(KIND_COUNTS.values()))[0]
        chosen = rng.sample(usable, count)
        if with_kind is not None:
            if with_kind not in kinds:
                continue
            chosen[0] = with_kind
        values = {kind: draw_value(rng, kinds[kind]) for kind in kinds if kind in chosen}
        order = rng.sample(chosen, count)
        vague = choose_vague(rng, order, hide)
        if with_kind is not None and with_kind not in vague:
            continue
        task = Task(family, core, values, vague, "")
        task.request = word_request(rng, task, order)
        if accept(task):
            return task


def choose_vague(rng: random.Random, order: list[str], hide: str) -> list[str]:
    if hide == "some":
        hide = rng.choices(("none", "all", "some"), (FULLY_SPECIFIED, FULLY_VAGUE, 1 - FULLY_SPECIFIED - FULLY_VAGUE))[0]
    if hide == "none":
        return []
    if hide == "all":
        return list(order)
    if hide == "one":
        return [rng.choice(order)]
    return [kind for kind in order if rng.random() < 0.65] or [rng.choice(order)]


def word_request(rng: random.Random, task: Task, order: list[str]) -> str:
    parts = []
    for name in order:
        kind = task.kinds[name]
        if name in task.vague:
            parts.append(rng.choice(kind.vague))
        else:
            parts.append(f"{kind.topic}: {some_phrase(rng, kind, task.values[name])}")
    return f"{rng.choice(CORES[task.family][task.core][0])}. {'; '.join(parts)}."


# Hidden calls.

NUMBER_INPUTS = (
    [3, 1, 4, 1, 5.5], [120, -7, 2.345, 2.345, 60, 8], [None, 4, 4, -2.5, 11], [], [None], [7.77], [-5],
    [-3, -3, 55, 0, 12.5, 9], [150, 150, -20, 75, 3.14159, 42, -20, 0.125], [1, 2, 2, 1, 2],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, -1], [2.71828, None, 2.71828, -8.5, 30, 30, 19.25], [99, 98, 97, 96],
)  # fmt: skip
TEXT_INPUTS = (
    ["ada ", "Bob", "ada "], [" Li Wei", None, "zoe", "zoe", "Max P"], [], [None], ["x"],
    ["Eve", "eve", "anna lee", "Bo", "Bo", "carl"], ["b c", "b c", " A  b", "dd", "Zo zo"],
    ["kim", "alexandra", "theodor b", "Jo", "maximiliane", "Al", "Jo", "ben", "u", "Vi", "wu"],
    ["delta", None, "Echo", "alpha x", None, "delta"], ["pq", "rst", "uvwx", "yzabc", "defghi", "jklmnop", "qrstuvwx", "yz", "a", "lmnopqrst"],
)  # fmt: skip
INPUTS = {"number": NUMBER_INPUTS, "text": TEXT_INPUTS}
FEWEST_CALLS, MOST_CALLS = 5, 9


def outcome(code: str, function: str, xs: list) -> tuple[str, str] | None:
    """("returns", literal) or ("raises", name) of our own reference code; None where it fails by accident.

    Only for code assembled by this module. What a model wrote is run by `sandbox.py`.
    """
    space: dict = {}
    exec(code, space)
    try:
        return "returns", repr(space[function](list(xs)))
    except ValueError as error:
        return ("raises", "ValueError") if str(error) in ("missing", "empty") else None
    except (TypeError, AttributeError, IndexError, ZeroDivisionError):
        return None


def near_values(rng: random.Random, kind: Kind, value: str) -> list[str]:
    """Other values of a kind that hidden calls must tell apart from the true one: each option, near and far parameters."""
    others = [other for other in all_values(kind) if other != value]
    name, _, parameter = value.partition(" ")
    near = []
    if parameter in kind.parameters:
        at = kind.parameters.index(parameter)
        near = [f"{name} {other}" for other in kind.parameters[max(0, at - 1) : at + 2] if other != parameter]
        # A number that is off by one is wrong too, whether or not anybody would ask for it.
        if parameter.isdigit() and int(parameter) > 1 and (less := f"{name} {int(parameter) - 1}") not in near:
            near.append(less)
    return near + rng.sample(others, min(6, len(others)))


def bound_inputs(task: Task, inputs: list[list]) -> list[list]:
    """Adds inputs around the task's own bound, so that 41 and 42 differ."""
    if "bound" not in task.values:
        return inputs
    n = int(task.values["bound"].partition(" ")[2])
    return inputs + [[n + 1, n, 1.5], [n + 0.5, 2.25, n - 0.5, n + 3], [n - 1, n + 2, n + 1, n]]


def choose_calls(rng: random.Random, task: Task) -> bool:
    """Fills `task.calls` with 5 to 9 calls, greedily those that tell most wrong values apart. False if one stays hidden."""
    true_code = task.code()
    usable = []
    for xs in bound_inputs(task, list(INPUTS[task.family])):
        result = outcome(true_code, task.function, xs)
        if result is not None:
            usable.append((xs, result))
    rivals = []
    for name, value in task.values.items():
        for other in near_values(rng, task.kinds[name], value):
            rivals.append(task.code({**task.values, name: other}) if name != "name" else None)
    alive = [code for code in rivals if code is not None]
    chosen = []
    while len(chosen) < MOST_CALLS and usable:
        scores = [sum(outcome(code, task.function, xs) != result for code in alive) for xs, result in usable]
        best = max(range(len(usable)), key=scores.__getitem__)
        if scores[best] == 0 and len(chosen) >= FEWEST_CALLS:
            break
        xs, result = usable.pop(best)
        alive = [code for code in alive if outcome(code, task.function, xs) == result]
        chosen.append((xs, result))
    task.calls = [{"call": f"{task.function}({xs!r})", result[0]: result[1]} for xs, result in chosen]
    return len(chosen) >= FEWEST_CALLS and not alive
