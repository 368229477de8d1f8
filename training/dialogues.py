"""Clarify-then-code dialogues of mixed quality, the training data of the toy policy.

Four policies: ask well (most), ask uselessly, guess, ask although all is said. After an informative reply
the agent restates what it heard, so that the information shows in the next action even when that is long;
after a reply that says nothing it says so and decides alone. No dialogue has a system message.
"""

import random

from kinds import Kind
from tasks import Task, draw_value, restatement, some_phrase

ANSWER = "I WANT TO ANSWER:"
PLACEHOLDER = "No information found."
UNINFORMATIVE = (
    "not sure", "you decide", "no preference", "hm, whatever is usual", "I do not know", "Use your judgement.", "up to you",
    "no idea", "I have to go to lunch now", "can we talk about this tomorrow?", "that does not matter to me", "what do others do?",
    "the weather is nice today", "pick something", "any of them", "let me think about it later",
)  # fmt: skip
HEARD_NOTHING = "I will choose. "
LEADS = ("Here it is.", "Done.", "I can do that.", "This should work.")
REJECTIONS = ("That is not right: {}", "No: {}", "Not what I meant: {}", "Wrong, {}", "Please change it: {}", "That is not right. {}")
POLICIES = {"well": 0.76, "useless": 0.07, "guess": 0.07, "over": 0.10}
SAYS_NOTHING = 0.10  # share of the turns on which the developer has nothing to say
REJECTED = 0.12  # share of dialogues in which a guess is wrong on purpose (about two in three have a hidden kind)
MOST_QUESTIONS = 6

Message = dict[str, str]


def uninformative_reply(rng: random.Random, *, placeholder: bool = True) -> str:
    """A reply that says nothing; one in three is the placeholder sentence, in the lengths that a length-matched mask gives it.

    A scorer replaces a reply of n tokens by n tokens of the placeholder, cut short or padded with its last token. A
    small model has to have met those strings, or it takes them for a wish.
    """
    if not placeholder or rng.random() < 0.66:
        return rng.choice(UNINFORMATIVE)
    cut = rng.randrange(8)
    if cut == 0:
        return "No"
    if cut == 1:
        return "No information"
    if cut == 2:
        return "No information found"
    return PLACEHOLDER + "." * (0 if cut < 5 else rng.randrange(1, 9))


def ask(rng: random.Random, kind: Kind) -> str:
    """A question about a kind; about half carry options as last lines `A) ...`."""
    text = rng.choice(kind.questions)
    if rng.random() < 0.5:
        return text
    if len(kind.options) > 1:
        values = []
        for name in rng.sample(list(kind.options), len(kind.options)):
            takes = kind.options[name].takes_parameter
            values.append(f"{name} {rng.choice(kind.parameters)}" if takes else name)
    else:
        name = next(iter(kind.options))
        values = [f"{name} {parameter}" for parameter in rng.sample(kind.parameters, rng.choice((2, 3)))]
    lines = [f"{letter}) {restatement(kind, value)}" for letter, value in zip("ABCDE", values)]
    return "\n".join([text, *lines])


def tell(rng: random.Random, kind: Kind, value: str, question: str) -> str:
    """The developer's reply: in half of the cases where the true value is on offer, that option's text."""
    if rng.random() < 0.5 and f") {restatement(kind, value)}" in question:
        return restatement(kind, value)
    return some_phrase(rng, kind, value)


def noted(kind: Kind, value: str) -> str:
    return f"Noted: {restatement(kind, value)}. "


def final_action(rng: random.Random, heard: str, code: str) -> str:
    return f"{heard}{rng.choice(LEADS)}\n{ANSWER}\n{code}".rstrip("\n")


def kinds_to_ask(rng: random.Random, task: Task, policy: str) -> list[str]:
    askable = [kind for kind in task.kinds if kind not in ("step", "wrap")]
    if policy == "guess":
        return []
    if policy == "useless":
        return [rng.choice([kind for kind in askable if kind not in task.values])]
    if policy == "well":
        return list(task.vague)
    extra = [kind for kind in askable if kind not in task.vague]
    return (list(task.vague) + rng.sample(extra, 1))[:MOST_QUESTIONS]


def make_dialogue(rng: random.Random, task: Task, *, placeholder: bool = True) -> list[Message]:
    """Messages of one dialogue about the task, alternating user and assistant, ending with a proposal."""
    policy = rng.choices(list(POLICIES), list(POLICIES.values()))[0]
    messages = [{"role": "user", "content": task.request}]
    known = {kind: value for kind, value in task.values.items() if kind not in task.vague}
    heard = ""
    for name in kinds_to_ask(rng, task, policy):
        kind = task.kinds[name]
        question = ask(rng, kind)
        messages.append({"role": "assistant", "content": heard + question})
        if name not in task.values or rng.random() < SAYS_NOTHING:
            reply, heard = uninformative_reply(rng, placeholder=placeholder), HEARD_NOTHING
        else:
            value = task.values[name]
            reply = tell(rng, kind, value, question)
            if name in known:
                reply = f"as I said, {reply}"
            known[name] = value
            heard = noted(kind, value)
        messages.append({"role": "user", "content": reply})
    guess = {name: known.get(name) or draw_value(rng, task.kinds[name]) for name in task.values}
    if rng.random() < REJECTED:
        append_rejection(rng, task, known, guess, heard, messages)
    else:
        messages.append({"role": "assistant", "content": final_action(rng, heard, task.code(guess))})
    return messages


def append_rejection(
    rng: random.Random, task: Task, known: dict[str, str], guess: dict[str, str], heard: str, messages: list[Message]
) -> None:
    """A proposal with one wrong guess, the developer's rejection that says what is wrong, and the corrected proposal."""
    open_kinds = [name for name in task.values if name not in known] or list(task.values)
    wrong = rng.choice(open_kinds)
    kind = task.kinds[wrong]
    guess = dict(guess)
    while guess[wrong] == task.values[wrong]:
        guess[wrong] = draw_value(rng, kind)
    messages.append({"role": "assistant", "content": final_action(rng, heard, task.code(guess))})
    told = rng.choice(REJECTIONS).format(some_phrase(rng, kind, task.values[wrong]))
    messages.append({"role": "user", "content": told})
    guess[wrong] = task.values[wrong]
    messages.append({"role": "assistant", "content": final_action(rng, noted(kind, guess[wrong]), task.code(guess))})


def decided_lines(task_kinds: dict[str, Kind]) -> set[str]:
    """Code lines, without parameter, that some preference decides (training weighs them more)."""
    return {option.line.split("{n}")[0] for kind in task_kinds.values() for option in kind.options.values()}
