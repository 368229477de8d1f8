"""Replies that tell a value in words that no list holds, so that the model learns what carries the meaning and not whole sentences.

Two phrasings of one value are said one after the other, or crossed; small words fall out, others are put around. What comes out is
never a phrasing of another value, and never one of those that are kept from training, small words aside.
"""

import random
from functools import cache

from kinds import FAMILIES, HELD_OUT_PHRASE, Kind
from tasks import some_phrase

SMALL = frozenset("a an and are at be by for in is it just of on our please so that the them then there they to us we what with you".split())
BEFORE = ("please", "I think", "we want", "hm,", "well,", "it should be:", "best is", "yes,", "for us:", "let us say", "I would like", "of course")
AFTER = ("please", "I think", "for us", "here", "thanks", "in all cases", "as always", "if you can", "and that is it", "of course")
TRIES = 4


def reworded(rng: random.Random, kind: Kind, value: str) -> str:
    """The value in words of its own; in one of its fixed phrasings where no other wording was found."""
    for _ in range(TRIES):
        words = _mixed(rng, kind, value)
        if rng.random() < 0.5:
            words = [word for word in words if word not in SMALL or rng.random() < 0.5]
        if _tells_only(kind, value, words):
            before = [rng.choice(BEFORE)] if rng.random() < 0.3 else []
            after = [rng.choice(AFTER)] if rng.random() < 0.3 else []
            return " ".join([*before, *words, *after])
    return some_phrase(rng, kind, value)


def _mixed(rng: random.Random, kind: Kind, value: str) -> list[str]:
    """The words of one phrasing, of two, or the beginning of one and the end of another."""
    one, other = some_phrase(rng, kind, value).split(), some_phrase(rng, kind, value).split()
    way = rng.random()
    if way < 0.35:
        return one
    if way < 0.6:
        return [*one[:-1], one[-1].rstrip(",") + ",", *other]
    crossed = one[: rng.randrange(1, len(one) + 1)] + other[rng.randrange(len(other)) :]
    parameter = value.partition(" ")[2]
    return crossed if not parameter or any(parameter in word for word in crossed) else one


def _tells_only(kind: Kind, value: str, words: list[str]) -> bool:
    """Whether these are words of this value, and of no other, that training may show."""
    name, _, parameter = value.partition(" ")
    heart = _heart(["{n}" if word == parameter else word for word in words])
    others = [_heart(phrase.split()) for other, option in kind.options.items() if other != name for phrase in option.phrases]
    return heart != "" and heart not in others and heart not in _kept_back()


def _heart(words: list[str]) -> str:
    return " ".join(word.strip(",") for word in words if word.strip(",") not in SMALL)


@cache
def _kept_back() -> frozenset[str]:
    options = [option for kinds in FAMILIES.values() for kind in kinds.values() for option in kind.options.values()]
    return frozenset(_heart(option.phrases[HELD_OUT_PHRASE].split()) for option in options)
