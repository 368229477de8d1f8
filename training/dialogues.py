"""Clarify-then-code dialogues of mixed quality, the training data of the toy policy.

Four policies: ask well (most), ask uselessly, guess, ask although all is said. After every reply the agent says on what it
goes on: what it heard, so that the information shows in the next action even when that is long, or, after a reply that says
nothing, a value of its own choice, drawn as the true ones are. Both are worded alike. So the mask, which says nothing, leaves
every value as likely as it was before the question, and a gain measures what was said, not that something was. No dialogue has
a system message.
"""

import random
from dataclasses import dataclass, field, replace

from kinds import FAMILIES, UNSEEN_KINDS, Kind
from rewording import reworded
from tasks import Task, code_line, draw_value, restatement, some_phrase

ANSWER = "I WANT TO ANSWER:"
PLACEHOLDER = "No information found."
UNINFORMATIVE = (
    "not sure", "you decide", "no preference", "hm, whatever is usual", "I do not know", "Use your judgement.", "up to you",
    "no idea", "I have to go to lunch now", "can we talk about this tomorrow?", "that does not matter to me", "what do others do?",
    "the weather is nice today", "pick something", "any of them", "let me think about it later",
)  # fmt: skip
ON_TOPIC = (
    "{topic} does not matter to me", "I have no wish about {topic}", "{topic}? whatever is usual", "nothing special for {topic}",
    "as for {topic}, up to you", "any {topic} will do", "no opinion on {topic}", "leave {topic} as you like it",
    "I did not think about {topic} yet", "{topic} is all the same to me, really", "who cares about {topic}", "hm, {topic}, I could not say",
)  # fmt: skip
# Talk with a number in it that is no value of anything.
CHATTER = (
    "I am in a meeting until {n}", "ticket {n} is about that", "{n} people asked me the same today", "ask me again at {n}",
    "there are {n} of us here", "we had that in version {n}", "my {n} minutes are over", "see page {n}",
)  # fmt: skip
# Details whose words cannot be taken for an answer about another one.
UNMISTAKABLE = ("bound", "window", "scale", "round", "label", "name", "order", "case", "short", "separator")
LEADS = ("Here it is.", "Done.", "I can do that.", "This should work.")
REJECTIONS = ("That is not right: {}", "No: {}", "Not what I meant: {}", "Wrong, {}", "Please change it: {}", "That is not right. {}")
BARE_REJECTIONS = ("That is not right.", "No.", "Not what I meant.", "This is wrong.")
ASK_AGAIN = "Sorry. "
AS_IT_IS = "as it is"  # a detail that the request does not mention
POLICIES = {"well": 0.85, "useless": 0.02, "guess": 0.07, "over": 0.06}
# How often a developer's reply says nothing, and how many developers are so; beside the replies to useless questions.
SAYS_NOTHING = {0.03: 0.45, 0.30: 0.20, 0.75: 0.35}
GARBLED = 0.3  # share of the empty replies that are cut short or drawn out
REWORDED = 0.4  # share of the telling replies that are in no fixed words
REJECTED = 0.25  # share of the proposals with a guess that is rejected
MOST_QUESTIONS = 6

Message = dict[str, str]


@dataclass
class Dialogue:
    """The messages, and the code lines that the conversation up to each message had decided (training weighs them more).

    `decided[i]` belongs to `messages[i]`; a line of code in neither set nor the core is a guess, which no model can predict.
    `empty` says which messages are replies that say nothing, and about which detail; `chosen`, which actions begin with a value
    that the agent drew itself, every one of its kind's being as likely as `draw_value` makes it.
    """

    messages: list[Message] = field(default_factory=list)
    decided: list[frozenset[str]] = field(default_factory=list)
    guessed: list[frozenset[str]] = field(default_factory=list)
    empty: dict[int, Kind] = field(default_factory=dict)
    chosen: dict[int, Kind] = field(default_factory=dict)

    def say(self, role: str, content: str, decided: frozenset[str] = frozenset(), guessed: frozenset[str] = frozenset()) -> None:
        self.messages.append({"role": role, "content": content})
        self.decided.append(decided)
        self.guessed.append(guessed)


def uninformative_reply(rng: random.Random, kind: Kind, *, placeholder: bool = True) -> str:
    """A reply that says nothing about `kind`: empty words, empty words on the topic, something about another detail, or the placeholder."""
    if placeholder and rng.random() < 0.25:
        return masking_placeholder(rng)
    way = rng.random()
    if way < 0.35:
        return beside_the_point(rng, kind)
    if way < 0.45:
        return rng.choice(CHATTER).format(n=rng.randrange(2, 60))
    words = rng.choice(UNINFORMATIVE) if way < 0.7 else rng.choice(ON_TOPIC).format(topic=kind.topic)
    return garbled(rng, words) if rng.random() < GARBLED else words


def beside_the_point(rng: random.Random, kind: Kind) -> str:
    """An answer to a question that was not asked, in words that no answer to this one has."""
    every = {name: other for kinds in FAMILIES.values() for name, other in kinds.items() if name not in UNSEEN_KINDS}
    mistakable = kind not in [every[name] for name in UNMISTAKABLE]
    other = every[rng.choice([n for n, k in every.items() if k is not kind and (n in UNMISTAKABLE or not mistakable)])]
    return some_phrase(rng, other, draw_value(rng, other))


def garbled(rng: random.Random, words: str) -> str:
    """Empty words cut short, or with their end said again and again: they say as little as before."""
    said = words.split(" ")
    if len(said) > 1 and rng.random() < 0.5:
        return " ".join(said[: rng.randrange(1, len(said))])
    if words[-1] in ".?!":
        return words + words[-1] * rng.randrange(1, 8)
    return " ".join(said + said[-1:] * rng.randrange(1, 8))


def retold(rng: random.Random, dialogue: Dialogue, *, placeholder: bool) -> Dialogue:
    """The same dialogue with other replies that say nothing: the agent would have said the very same, as likely as before."""
    messages = list(dialogue.messages)
    for at, kind in dialogue.empty.items():
        messages[at] = {"role": "user", "content": uninformative_reply(rng, kind, placeholder=placeholder)}
    return replace(dialogue, messages=messages)


def masking_placeholder(rng: random.Random) -> str:
    """The placeholder sentence in the lengths that a length-matched mask gives it.

    A scorer replaces a reply of n tokens by n tokens of the placeholder, cut short or padded with its last token. A
    small model has to have met those strings, or it takes them for a wish.
    """
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
    return reworded(rng, kind, value) if rng.random() < REWORDED else some_phrase(rng, kind, value)


@dataclass(frozen=True)
class Settled:
    """What an action says first: on which value of a kind it goes on, and whether the developer told it."""

    kind: Kind | None = None
    words: str = ""
    told: bool = True
    empty: bool = False  # whether the reply before it said nothing

    @property
    def text(self) -> str:
        return "" if self.kind is None else f"OK, {self.kind.topic}: {self.words}. "


def final_action(rng: random.Random, code: str) -> str:
    return f"{rng.choice(LEADS)}\n{ANSWER}\n{code}".rstrip("\n")


def kinds_to_ask(rng: random.Random, task: Task, policy: str) -> list[str]:
    askable = [kind for kind in task.kinds if kind not in UNSEEN_KINDS]
    if policy == "guess":
        return []
    if policy == "well":
        return list(task.vague)
    # At any place: an agent that goes on as it is has not asked its last question. Seldom about what the task has nothing to do
    # with, or the model would take hidden details for that.
    if policy == "over" and task.values.keys() - set(task.vague) and rng.random() < 0.6:
        askable = list(task.values)
    extra = [kind for kind in askable if kind not in (task.values if policy == "useless" else task.vague)]
    asked = list(task.vague)
    asked.insert(rng.randrange(len(asked) + 1), rng.choice(extra))
    return asked[:MOST_QUESTIONS]


def make_dialogue(rng: random.Random, task: Task, *, placeholder: bool = True) -> Dialogue:
    """One dialogue about the task, alternating user and assistant, ending with a proposal."""
    policy = rng.choices(list(POLICIES), list(POLICIES.values()))[0]
    dialogue = Dialogue()
    dialogue.say("user", task.request)
    values = {name: value for name, value in task.values.items() if name not in task.vague}
    told = set(values)
    before = Settled()
    silent = rng.choices(list(SAYS_NOTHING), list(SAYS_NOTHING.values()))[0]
    for name in kinds_to_ask(rng, task, policy):
        kind = task.kinds[name]
        question = ask(rng, kind)
        say_settled(dialogue, before, question)
        if name not in task.values:
            reply, before = uninformative_reply(rng, kind, placeholder=placeholder), Settled(kind, AS_IT_IS, told=True, empty=True)
        elif rng.random() < silent:
            reply = uninformative_reply(rng, kind, placeholder=placeholder)
            values.setdefault(name, draw_value(rng, kind))
            before = Settled(kind, restatement(kind, values[name]), told=name in told, empty=True)
        else:
            reply = tell(rng, kind, task.values[name], question)
            if name in told:
                reply = f"as I said, {reply}"
            told.add(name)
            values[name] = task.values[name]
            before = Settled(kind, restatement(kind, values[name]), told=True)
        if before.empty:
            dialogue.empty[len(dialogue.messages)] = kind
        dialogue.say("user", reply)
    said = frozenset(values)
    for name in task.values:
        values.setdefault(name, draw_value(rng, task.kinds[name]))
    propose(rng, dialogue, task, before, values, said)
    wrong = [name for name in task.values if values[name] != task.values[name]]
    if not wrong or rng.random() >= REJECTED:
        return dialogue
    mended = rng.choice(wrong)
    words = some_phrase(rng, task.kinds[mended], task.values[mended])
    if rng.random() < 0.2:
        dialogue.say("user", rng.choice(BARE_REJECTIONS))
        dialogue.say("assistant", ASK_AGAIN + ask(rng, task.kinds[mended]))
        dialogue.say("user", words)
    else:
        dialogue.say("user", rng.choice(REJECTIONS).format(words))
    # Everything else stays as it was proposed: the lines of the first proposal are decided now, by having been said.
    values[mended] = task.values[mended]
    learnt = Settled(task.kinds[mended], restatement(task.kinds[mended], values[mended]), told=True)
    propose(rng, dialogue, task, learnt, values, frozenset(values))
    return dialogue


def say_settled(
    dialogue: Dialogue,
    settled: Settled,
    rest: str,
    decided: frozenset[str] = frozenset(),
    guessed: frozenset[str] = frozenset(),
) -> None:
    """An action that begins with what its reply settled; a value of the agent's own choice is a guess, which no model can predict."""
    if settled.kind is not None and not settled.told:
        dialogue.chosen[len(dialogue.messages)] = settled.kind
    own = frozenset({settled.text.strip()} if settled.text else ())
    dialogue.say("assistant", settled.text + rest, decided | own if settled.told else decided, guessed if settled.told else guessed | own)


def propose(rng: random.Random, dialogue: Dialogue, task: Task, settled: Settled, values: dict[str, str], said: frozenset[str]) -> None:
    lines = {name: code_line(task.kinds[name], value) for name, value in values.items()}
    say_settled(
        dialogue,
        settled,
        final_action(rng, task.code(values)),
        decided=frozenset(line for name, line in lines.items() if name in said),
        guessed=frozenset(line for name, line in lines.items() if name not in said),
    )
