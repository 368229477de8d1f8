"""Clarify-then-code dialogues of mixed quality, the training data of the toy policy.

Four policies: ask well (most), ask uselessly, guess, ask although all is said. After an informative reply
the agent restates what it heard, so that the information shows in the next action even when that is long;
after a reply that says nothing it says so and decides alone. No dialogue has a system message.
"""

import random
from dataclasses import dataclass, field

from kinds import UNSEEN_KINDS, Kind
from tasks import Task, code_line, draw_value, restatement, some_phrase

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
BARE_REJECTIONS = ("That is not right.", "No.", "Not what I meant.", "This is wrong.")
ASK_AGAIN = "Sorry. "
POLICIES = {"well": 0.76, "useless": 0.07, "guess": 0.07, "over": 0.10}
SAYS_NOTHING = 0.07  # beside the replies to useless questions, which say nothing either
REJECTED = 0.40  # share of the proposals with a guess that is rejected; about 8 % of all dialogues
MOST_QUESTIONS = 6

Message = dict[str, str]


@dataclass
class Dialogue:
    """The messages, and the code lines that the conversation up to each message had decided (training weighs them more).

    `decided[i]` belongs to `messages[i]`; a line of code in neither set nor the core is a guess, which no model can predict.
    """

    messages: list[Message] = field(default_factory=list)
    decided: list[frozenset[str]] = field(default_factory=list)
    guessed: list[frozenset[str]] = field(default_factory=list)

    def say(self, role: str, content: str, decided: frozenset[str] = frozenset(), guessed: frozenset[str] = frozenset()) -> None:
        self.messages.append({"role": role, "content": content})
        self.decided.append(decided)
        self.guessed.append(guessed)


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
    askable = [kind for kind in task.kinds if kind not in UNSEEN_KINDS]
    if policy == "guess":
        return []
    if policy == "useless":
        return [rng.choice([kind for kind in askable if kind not in task.values])]
    if policy == "well":
        return list(task.vague)
    extra = [kind for kind in askable if kind not in task.vague]
    return (list(task.vague) + rng.sample(extra, 1))[:MOST_QUESTIONS]


def make_dialogue(rng: random.Random, task: Task, *, placeholder: bool = True) -> Dialogue:
    """One dialogue about the task, alternating user and assistant, ending with a proposal."""
    policy = rng.choices(list(POLICIES), list(POLICIES.values()))[0]
    dialogue = Dialogue()
    dialogue.say("user", task.request)
    known = {kind: value for kind, value in task.values.items() if kind not in task.vague}
    heard = ""
    for name in kinds_to_ask(rng, task, policy):
        kind = task.kinds[name]
        question = ask(rng, kind)
        dialogue.say("assistant", heard + question)
        if name not in task.values or rng.random() < SAYS_NOTHING:
            reply, heard = uninformative_reply(rng, placeholder=placeholder), HEARD_NOTHING
        else:
            value = task.values[name]
            reply = tell(rng, kind, value, question)
            if name in known:
                reply = f"as I said, {reply}"
            known[name] = value
            heard = noted(kind, value)
        dialogue.say("user", reply)
    guess = {name: known.get(name) or draw_value(rng, task.kinds[name]) for name in task.values}
    open_kinds = [name for name in task.values if name not in known]
    if not open_kinds or rng.random() >= REJECTED:
        propose(rng, dialogue, task, heard, guess, known)
        return dialogue
    wrong = rng.choice(open_kinds)
    while guess[wrong] == task.values[wrong]:
        guess[wrong] = draw_value(rng, task.kinds[wrong])
    propose(rng, dialogue, task, heard, guess, known)
    told = some_phrase(rng, task.kinds[wrong], task.values[wrong])
    if rng.random() < 0.2:
        dialogue.say("user", rng.choice(BARE_REJECTIONS))
        dialogue.say("assistant", ASK_AGAIN + ask(rng, task.kinds[wrong]))
        dialogue.say("user", told)
    else:
        dialogue.say("user", rng.choice(REJECTIONS).format(told))
    # Everything else stays as it was proposed: the lines of the first proposal are decided now, by having been said.
    guess[wrong] = task.values[wrong]
    propose(rng, dialogue, task, noted(task.kinds[wrong], guess[wrong]), guess, guess)
    return dialogue


def propose(rng: random.Random, dialogue: Dialogue, task: Task, heard: str, values: dict[str, str], known: dict[str, str]) -> None:
    lines = {name: code_line(task.kinds[name], value) for name, value in values.items()}
    dialogue.say(
        "assistant",
        final_action(rng, heard, task.code(values)),
        decided=frozenset(line for name, line in lines.items() if name in known),
        guessed=frozenset(line for name, line in lines.items() if name not in known),
    )
