"""The vocabulary of the toy task family: kinds of preference, the words for them, and the cores.

A *kind* is one detail on which developers differ (how to round, what an empty list gives). It has
options; an option may take a parameter, written `{n}` here ("clip to 0 to 42"). Every option has six
phrasings. The first is the one the agent restates, the last is never used as a reply in training, so
that the evaluation can ask what the model does with words it has not heard.

High-entropy parameters (names, bounds, counts, words) are on purpose: a reply that decides one of four
hundred names carries far more information than one that decides among three roundings.
"""

from dataclasses import dataclass

HELD_OUT_PHRASE = 5


@dataclass(frozen=True)
class Option:
    """One value of a kind: six phrasings of a developer and the line of code it becomes."""

    phrases: tuple[str, ...]
    line: str

    @property
    def takes_parameter(self) -> bool:
        return "{n}" in self.line


@dataclass(frozen=True)
class Kind:
    """A detail that the request states ("<topic>: <phrase>") or only hints at (a vague phrase)."""

    topic: str
    vague: tuple[str, ...]
    questions: tuple[str, ...]
    options: dict[str, Option]
    parameters: tuple[str, ...] = ()
    after_core: bool = False


def option(line: str, *phrases: str) -> Option:
    if len(phrases) != HELD_OUT_PHRASE + 1:
        raise ValueError(f"{line!r} has {len(phrases)} phrasings")
    return Option(phrases, line)


VERBS = "get make find build count show read list pick send load save scan sort sum test plan rate mark trim".split()
NOUNS = "score price name total level report order item value stock badge route index limit point grade title table share size".split()
LABELS = "points items votes teams days weeks units parts pages words steps rooms seats kilos meters euros cents hits goals laps calls books cards files rows".split()


def numbers(first: int, last: int) -> tuple[str, ...]:
    return tuple(str(n) for n in range(first, last + 1))


MISSING = Kind(
    topic="missing values",
    vague=("handle missing values", "the data has gaps", "some entries are None"),
    questions=(
        "How should missing values be treated?",
        "What should happen with None entries?",
        "Some entries may be None. What then?",
        "Gaps in the data: what do you want?",
        "What do I do when a value is missing?",
    ),
    options={
        "skip": option(
            "xs = [x for x in xs if x is not None]",
            "skip them", "just ignore missing values", "leave the gaps out", "drop None", "pass over them", "jump over anything missing",
        ),
        "zero": option(
            "xs = [0 if x is None else x for x in xs]",
            "count them as zero", "treat None as 0", "a gap is worth nothing, so 0", "use zero for missing ones", "fill in 0", "put a zero in each gap",
        ),
        "raise": option(
            "if None in xs: raise ValueError('missing')",
            "raise an error", "that is a ValueError", "refuse the whole list", "fail loudly on None", "stop with an error", "throw a ValueError for gaps",
        ),
    },
)

SIGN = Kind(
    topic="sign",
    vague=("mind the sign", "values may be negative", "be careful with negatives"),
    questions=(
        "What about negative values?",
        "Do negatives count as they are?",
        "How do you want the sign treated?",
        "Some numbers are below zero. What then?",
        "What do I do with the sign?",
    ),
    options={
        "abs": option(
            "xs = [abs(x) for x in xs]",
            "use the absolute value", "only the size matters", "ignore the sign", "take abs", "count them without the sign", "absolute values please",
        ),
        "drop": option(
            "xs = [x for x in xs if x >= 0]",
            "drop negatives", "throw negatives away", "only keep values from zero up", "drop everything below zero", "negatives are noise, remove them", "remove the negatives",
        ),
        "flip": option(
            "xs = [-x for x in xs]",
            "flip the sign", "negate every number", "multiply by minus one", "turn plus into minus", "the opposite sign", "flip every sign",
        ),
    },
)

BOUND = Kind(
    topic="range",
    vague=("keep it in a sane range", "limit extreme values", "watch out for outliers"),
    questions=(
        "Which range is allowed?",
        "How should extreme values be limited?",
        "What are the bounds?",
        "Where do you cut outliers?",
        "What is the highest allowed value?",
    ),
    options={
        "clip": option(
            "xs = [min(max(x, 0), {n}) for x in xs]",
            "clip to 0 to {n}", "cap at {n}, floor at 0", "between 0 and {n}", "a scale from 0 up to {n}", "push them into 0 to {n}", "clip between 0 and {n}",
        ),
        "drop": option(
            "xs = [x for x in xs if x <= {n}]",
            "drop what is over {n}", "over {n} is an error, leave it out", "only keep up to {n}", "remove all above {n}", "throw away more than {n}", "drop all above {n}",
        ),
    },
    parameters=numbers(3, 97),
)

DUPLICATES = Kind(
    topic="duplicates",
    vague=("the list may have repeats", "duplicates can occur", "mind the doubles"),
    questions=(
        "Do duplicates count?",
        "What about repeated values?",
        "Should repeats be kept?",
        "How are doubles treated?",
        "The same value twice: what then?",
    ),
    options={
        "once": option(
            "xs = list(dict.fromkeys(xs))",
            "count each value once", "drop the repeats", "unique values only", "remove duplicates", "each one a single time", "no duplicates, count each once",
        ),
        "runs": option(
            "xs = [x for i, x in enumerate(xs) if i == 0 or x != xs[i - 1]]",
            "merge runs", "merge repeats that stand side by side", "only collapse runs", "drop a value equal to the one before", "runs count once", "collapse neighbours that are equal",
        ),
        "single": option(
            "xs = [x for x in xs if xs.count(x) == 1]",
            "only values that occur once", "drop every repeated value entirely", "keep what is not repeated", "none of the repeated ones", "only those without a twin", "only what occurs exactly once",
        ),
    },
)

WINDOW = Kind(
    topic="window",
    vague=("only part of the list matters", "do not use everything", "use a window"),
    questions=(
        "Which part of the list?",
        "How many entries, and from which end?",
        "Which entries should be used?",
        "What window do you mean?",
        "Where does the window start, and how long is it?",
    ),
    options={
        "first": option(
            "xs = xs[:{n}]",
            "the first {n}", "just the first {n}", "{n} from the start", "the opening {n}", "the {n} at the front", "only the first {n}",
        ),
        "last": option(
            "xs = xs[-{n}:]",
            "the last {n}", "just the last {n}", "{n} from the end", "the newest {n}, they are last", "the {n} at the back", "only the last {n}",
        ),
        "skip": option(
            "xs = xs[{n}:]",
            "skip the first {n}", "leave out {n} at the start", "without the first {n}", "start after {n} entries", "ignore {n} at the front", "leave out the first {n}",
        ),
    },
    parameters=numbers(1, 9),
)

EMPTY = Kind(
    topic="empty list",
    vague=("think of the empty case", "the list can be empty", "nothing may be left"),
    questions=(
        "What should an empty list give?",
        "And if nothing is left?",
        "What is the result for no data?",
        "Empty input: what do you expect?",
        "What do I return when there are no values?",
    ),
    options={
        "none": option("if not xs: return None", "None", "give None back", "return None please", "no result, so None", "just None", "None is fine"),
        "zero": option("if not xs: return 0", "zero", "just 0", "return 0 then", "nothing sums to 0", "a plain 0", "zero is fine"),
        "minus": option("if not xs: return -1", "minus one", "-1 please", "return -1 as a marker", "our code for empty is -1", "-1 means empty", "give -1"),
        "raise": option(
            "if not xs: raise ValueError('empty')",
            "raise an error for empty", "an empty list is an error", "raise ValueError when empty", "refuse an empty list", "fail when nothing is left", "raise an error when there is nothing",
        ),
    },
)

SCALE = Kind(
    topic="unit",
    vague=("we show it on a dashboard", "mind the unit", "the unit matters"),
    questions=(
        "Which unit should the result have?",
        "Should I scale the result?",
        "What unit do you show?",
        "Plain value or scaled?",
        "By what factor do I scale?",
    ),
    options={
        "times": option("r = r * {n}", "times {n}", "multiply by {n}", "scale it up by {n}", "{n} times that", "a factor of {n}", "multiplied by {n}"),
        "over": option("r = r / {n}", "divide by {n}", "one {n}th of it", "shared by {n} people", "over {n}", "split in {n} parts", "divided by {n}"),
    },
    parameters=tuple("2 3 4 5 6 7 8 9 10 12 16 20 24 30 36 50 60 100 365 1000".split()),
    after_core=True,
)

ROUND = Kind(
    topic="rounding",
    vague=("round it properly", "no endless decimals", "make the number presentable"),
    questions=(
        "How should the result be rounded?",
        "How many decimals?",
        "Which rounding do you want?",
        "Round up, down, or to decimals?",
        "To what precision?",
    ),
    options={
        "digits": option(
            "r = round(r, {n})",
            "{n} decimals", "{n} digits after the point", "round to {n} places", "keep {n} decimals", "{n} decimal places", "rounded to {n} decimals",
        ),
        "down": option("r = r // 1", "round down", "floor it", "always to the lower integer", "cut towards minus infinity", "the whole number below", "always round down"),
        "up": option("r = -(-r // 1)", "round up", "ceiling", "always to the higher integer", "up to the next whole number", "the whole number above", "always round up"),
    },
    parameters=numbers(0, 4),
    after_core=True,
)

GAPS = Kind(
    topic="missing names",
    vague=("handle missing names", "some names are None", "the list has gaps"),
    questions=(
        "How should missing names be treated?",
        "What should happen with names that are None?",
        "Some names may be None. What then?",
        "Gaps in the list: what do you want?",
        "What do I do when a name is missing?",
    ),
    options={
        "skip": option(
            "xs = [x for x in xs if x is not None]",
            "skip them", "just ignore missing names", "leave the gaps out", "drop None", "pass over them", "jump over anything missing",
        ),
        "blank": option(
            "xs = ['' if x is None else x for x in xs]",
            "use an empty string", "treat None as ''", "a gap is blank", "replace with nothing", "make it ''", "put an empty string there",
        ),
        "mark": option(
            "xs = ['?' if x is None else x for x in xs]",
            "write a question mark", "use ? for missing ones", "a gap becomes ?", "put ? there", "show a ?", "a question mark instead",
        ),
    },
)

SPACE = Kind(
    topic="white space",
    vague=("the input is messy", "mind the white space", "people type stray blanks"),
    questions=(
        "What about white space?",
        "Should blanks be trimmed?",
        "How do you want stray spaces treated?",
        "Spaces inside and around: what then?",
        "What do I do with extra blanks?",
    ),
    options={
        "strip": option("xs = [x.strip() for x in xs]", "trim both ends", "strip it", "cut blanks at the ends", "no space around", "trim them", "strip both ends"),
        "remove": option(
            "xs = [x.replace(' ', '') for x in xs]",
            "remove every space", "no spaces at all", "delete all blanks", "squeeze spaces out", "take all blanks away", "remove all spaces",
        ),
        "under": option(
            "xs = [x.replace(' ', '_') for x in xs]",
            "underscores for spaces", "turn blanks into _", "replace a space by _", "snake style", "put _ for each blank", "underscores instead of blanks",
        ),
    },
)

CASE = Kind(
    topic="case",
    vague=("make the spelling uniform", "mind upper and lower case", "capitals vary"),
    questions=(
        "Upper or lower case?",
        "How should letters be cased?",
        "Which case do you want?",
        "Is the spelling to be changed?",
        "What do I do with capitals?",
    ),
    options={
        "lower": option("xs = [x.lower() for x in xs]", "lower case", "all small letters", "make it lowercase", "no capitals", "small letters only", "everything in lower case"),
        "upper": option("xs = [x.upper() for x in xs]", "upper case", "all capitals", "make it uppercase", "shout it", "capitals only", "everything in upper case"),
        "title": option(
            "xs = [x.title() for x in xs]",
            "title case", "capitalise each word", "like a headline", "first letters big", "a capital for each word", "use title case",
        ),
    },
)

SHORT = Kind(
    topic="length",
    vague=("long names must fit", "space is tight", "keep the parts short"),
    questions=(
        "How long may a name be?",
        "Where do I cut long names?",
        "How many letters fit?",
        "What is the longest part allowed?",
        "Shorten names to what length?",
    ),
    options={
        "cut": option("xs = [x[:{n}] for x in xs]", "cut to {n} letters", "at most {n} letters", "keep {n} letters", "{n} characters fit", "shorten to {n}", "cut after {n} letters"),
        "drop": option(
            "xs = [x for x in xs if len(x) <= {n}]",
            "leave out names over {n} letters", "drop what is longer than {n}", "only names up to {n} letters", "remove names above {n} letters", "no name over {n} letters", "drop names over {n} letters",
        ),
    },
    parameters=numbers(1, 9),
)

ORDER = Kind(
    topic="order",
    vague=("put them in a good order", "sort it sensibly", "the order matters"),
    questions=(
        "In which order?",
        "How should they be sorted?",
        "What order do you want?",
        "Sort by what?",
        "What comes first?",
    ),
    options={
        "az": option("xs = sorted(xs)", "alphabetically", "a to z", "normal dictionary order", "sorted by name", "alphabetical order", "in the order of the alphabet"),
        "za": option(
            "xs = sorted(xs, reverse=True)",
            "z to a", "reverse alphabetical", "backwards through the alphabet", "sorted by name, descending", "from z down to a", "alphabetical but reverse",
        ),
        "length": option("xs = sorted(xs, key=len)", "by length", "short ones first", "shortest to longest", "by number of letters", "the shortest first", "sort by length"),
        "turn": option("xs = xs[::-1]", "reverse the list", "the other way round", "last one first", "back to front", "turn it around", "reverse the input"),
    },
)

BLANK = Kind(
    topic="no names",
    vague=("think of the case without names", "there may be no names", "perhaps no name is left"),
    questions=(
        "What should a list without names give?",
        "And if no name is left?",
        "What is the result for no names?",
        "No names at all: what do you expect?",
        "What do I return when there are no names?",
    ),
    options={
        "none": option("if not xs: return None", "None", "give None back", "return None please", "no result, so None", "just None", "None is fine"),
        "blank": option("if not xs: return ''", "an empty string", "just ''", "return '' then", "blank text", "a plain ''", "an empty string is fine"),
        "dash": option("if not xs: return '-'", "a dash for none", "return '-'", "show - for nothing", "our marker is -", "put a - there", "give a dash"),
        "raise": option(
            "if not xs: raise ValueError('empty')",
            "raise an error for empty", "an empty list is an error", "raise ValueError when empty", "refuse an empty list", "fail when nothing is left", "raise an error when there is nothing",
        ),
    },
)

SEPARATOR = Kind(
    topic="separator",
    vague=("make it readable", "mind the separator", "people will read it"),
    questions=(
        "Which separator?",
        "What goes between the parts?",
        "How are the parts divided?",
        "Comma, dash, or something else?",
        "What do I put between two parts?",
    ),
    options={
        "comma": option("s = ', '", "comma and blank", "a comma", "like a sentence list", "', ' between them", "commas", "a comma and a blank"),
        "dash": option("s = '-'", "a hyphen", "hyphens", "joined by -", "minus signs between", "- between them", "a hyphen between them"),
        "slash": option("s = '/'", "a slash", "like a path", "joined by /", "with / between", "slashes", "a slash between them"),
        "plus": option("s = ' + '", "a plus sign", "like a sum", "joined by +", "with + between", "plus signs", "a plus sign between them"),
    },
)

LABEL = Kind(
    topic="label",
    vague=("the output needs a label", "say what it counts", "put a word behind it"),
    questions=(
        "Which label goes behind the result?",
        "What word do I put after the result?",
        "What should the label be?",
        "How is the output labelled?",
        "Which word ends the output?",
    ),
    options={
        "behind": option('r = str(r) + " {n}"', "label it {n}", "put {n} behind it", "the word {n}", "end with {n}", "{n}", "the label {n}"),
    },
    parameters=tuple(LABELS),
    after_core=True,
)

NAME = Kind(
    topic="name",
    vague=("give it a good name", "the name matters", "we have a naming rule"),
    questions=(
        "What should the function be called?",
        "Which name do you want?",
        "How shall I name it?",
        "What is the function's name?",
        "Under what name will you call it?",
    ),
    options={"name": option("def {n}(xs):", "call it {n}", "name it {n}", "{n}", "{n} would fit", "the name is {n}", "use the name {n}")},
    parameters=tuple(f"{verb}_{noun}" for verb in VERBS for noun in NOUNS),
)

# Kinds that training never sees: they show where the toy's knowledge ends.
STEP = Kind(
    topic="step",
    vague=("thin the data out", "do not take each entry"),
    questions=("Every how many entries do I take one?", "What is the step?", "How much should I thin it out?", "Which step size?"),
    options={
        "step": option("xs = xs[::{n}]", "every {n}th entry", "a step of {n}", "one in {n}", "step {n}", "take each {n}th", "steps of {n}"),
    },
    parameters=numbers(2, 5),
)

WRAP = Kind(
    topic="brackets",
    vague=("wrap the output", "put the output in brackets of some sort"),
    questions=("Which brackets?", "What do I wrap the output in?", "Round or square brackets?", "How is the output enclosed?"),
    options={
        "round": option("r = '(' + str(r) + ')'", "round brackets", "parentheses", "( and )", "the round ones", "in parentheses", "ordinary round brackets"),
        "square": option("r = '[' + str(r) + ']'", "square brackets", "[ and ]", "the square ones", "like a list", "in square ones", "ordinary square brackets"),
    },
    after_core=True,
)

# Two families of tasks. The order of the kinds is the order of their lines in the code.
NUMBER_KINDS = {
    "name": NAME, "missing": MISSING, "sign": SIGN, "bound": BOUND, "duplicates": DUPLICATES, "window": WINDOW,
    "step": STEP, "empty": EMPTY, "scale": SCALE, "round": ROUND, "label": LABEL,
}  # fmt: skip
TEXT_KINDS = {
    "name": NAME, "gaps": GAPS, "space": SPACE, "case": CASE, "short": SHORT, "duplicates": DUPLICATES, "window": WINDOW,
    "order": ORDER, "blank": BLANK, "separator": SEPARATOR, "wrap": WRAP, "label": LABEL,
}  # fmt: skip
FAMILIES = {"number": NUMBER_KINDS, "text": TEXT_KINDS}
UNSEEN_KINDS = ("step", "wrap")

# core -> (phrasings of the request, line of code)
NUMBER_CORES = {
    "mean": (("Average a list of numbers", "Compute the mean of measurements"), "r = sum(xs) / len(xs)"),
    "sum": (("Add up a list of numbers", "Total the amounts"), "r = sum(xs)"),
    "max": (("Find the largest number", "Return the peak value"), "r = max(xs)"),
    "min": (("Find the smallest number", "Return the lowest value"), "r = min(xs)"),
    "spread": (("Measure the spread of the values", "Return the range from low to high"), "r = max(xs) - min(xs)"),
    "median": (("Find the middle value", "Compute the upper median"), "r = sorted(xs)[len(xs) // 2]"),
    "squares": (("Sum the squares", "Add the squared values"), "r = sum(x * x for x in xs)"),
    "change": (("Say how much the series changed", "Return the last value minus the first"), "r = xs[-1] - xs[0]"),
}
TEXT_CORES = {
    "join": (("Join a list of names", "Make one line of the words"), "r = s.join(xs)"),
    "initials": (("Make initials from the names", "Collect the first letters"), "r = s.join(x[:1] for x in xs)"),
    "ends": (("Show the first and the last name", "Name both ends of the list"), "r = xs[0] + s + xs[-1]"),
    "sizes": (("List the name lengths", "Show how long each word is"), "r = s.join(str(len(x)) for x in xs)"),
    "longest": (("Find the longest name", "Return the word with most letters"), "r = max(xs, key=len)"),
    "shortest": (("Find the shortest name", "Return the word with fewest letters"), "r = min(xs, key=len)"),
}
CORES = {"number": NUMBER_CORES, "text": TEXT_CORES}
DEFAULT_SEPARATOR = "s = ' '"


def needs_separator(core: str) -> bool:
    return core in ("join", "initials", "ends", "sizes")
