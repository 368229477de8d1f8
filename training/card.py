"""Writes the model's record (JSON), the list of held-out combinations and the model card from the measured figures.

    python card.py --training training.json --gguf ../media/models/turnwise-toy.gguf --evaluation evaluation.json --gain gain.json \
      --calibration calibration.json

No number of the card is typed: every one comes out of the JSON.
"""

import argparse
import hashlib
import json
import math
from pathlib import Path

import gguf
from dialogues import PLACEHOLDER
from kinds import CORES, FAMILIES, UNSEEN_KINDS, needs_separator
from policy import NAME
from tasks import all_values, is_held_out

LICENCE = "MIT"
# goal -> (path of the share in the evaluation, at least); the last one is in points.
GOALS = {
    "Protocol followed in the whole episode": ("held_out.greedy.protocol", 0.95),
    "Proposed code parses": ("held_out.greedy.parses", 0.90),
    "Hidden calls passed, every hidden kind asked by the model and answered": ("held_out.greedy.passed_when_answered", 0.60),
    "Hidden calls passed, one hidden kind, its question given and answered": ("question_given.greedy.passed", 0.60),
}


def held_out_combinations() -> list[str]:
    """All "core|kind|value" that the fixed hash keeps from training."""
    found = []
    for family, cores in CORES.items():
        for core in cores:
            for name, kind in FAMILIES[family].items():
                if name in UNSEEN_KINDS or (name == "separator" and not needs_separator(core)):
                    continue
                found += [f"{core}|{name}|{value}" for value in all_values(kind) if is_held_out(core, name, value)]
    return found


MOMENTS = ("estimator", "clip", "top_k", "n", "mean", "sd")
FITNESS = ("uninformative_mean", "uninformative_sd", "informative_mean", "auc", "n", "fit")


def placebo_of(calibration: dict) -> dict:
    """The placebo gains under the default placeholder, as `turnwise doctor` measured them: the figures that a scorer is held to."""
    found = {entry["estimator"]: entry for entry in calibration["placebo"] if entry["placeholder"] == PLACEHOLDER}
    mean, total = found["shift_mean"], found["shift_sum"]
    auto = auto_placeholder(calibration["fitness"])
    fittest = [entry for entry in calibration["placebo"] if entry["placeholder"] == auto != PLACEHOLDER]
    return {
        "n": mean["n"],
        "mean": mean["mean"],
        "sd": mean["sd"],
        "mean_sum": total["mean"],
        "sd_sum": total["sd"],
        "estimator": "shift_mean",
        "placeholder": PLACEHOLDER,
        "mask_mode": mean["mask_mode"],
        "others": [
            *({key: entry[key] for key in MOMENTS if key in entry} for entry in found.values() if entry not in (mean, total)),
            *({key: entry[key] for key in ("placeholder", *MOMENTS) if key in entry} for entry in fittest),
        ],
    }


def auto_placeholder(fitness: list[dict]) -> str:
    """The one that the product takes under `auto` (`resolvePlaceholder`): the card has its figures too, so that `auto` is calibrated."""

    def hundredths(value: float) -> int:
        return math.floor(100 * value + 0.5)

    fit = [entry for entry in fitness if entry["fit"]]
    return min(fit, key=lambda entry: (hundredths(abs(entry["uninformative_mean"])), -hundredths(entry["auc"])))["placeholder"] if fit else PLACEHOLDER


def make_record(arguments: argparse.Namespace) -> dict:
    training = json.loads(arguments.training.read_text())
    measured = json.loads(arguments.gain.read_text())
    calibration = json.loads(arguments.calibration.read_text())
    weights = gguf.read(arguments.gguf).tensors
    record = {
        "name": NAME,
        "toy": True,
        "file": arguments.gguf.name,
        "sha256": hashlib.sha256(arguments.gguf.read_bytes()).hexdigest(),
        "parameters": int(sum(weight.size for weight in weights.values())),
        "license": LICENCE,
        "agent_prompt": None,
        **{key: training[key] for key in ("seed", "command", "train_seconds", "hardware", "steps", "tokens_seen", "placeholder_in_data")},
        "evaluation": {**json.loads(arguments.evaluation.read_text()), "gain": measured["gain"]},
        "placebo": placebo_of(calibration),
        "fitness": {entry["placeholder"]: {key: entry[key] for key in FITNESS} for entry in calibration["fitness"]},
    }
    return {**record, "preliminary": True} if arguments.preliminary else record


def at(record: dict, path: str) -> dict:
    for key in path.split("."):
        record = record[key]
    return record


def percent(entry: dict) -> str:
    if entry["share"] is None:
        return "no cases"
    return f"{100 * entry['share']:.1f} % ({100 * entry['low']:.1f} to {100 * entry['high']:.1f}; {entry['hits']} of {entry['n']})"


def verdict(met: bool) -> str:
    return "yes" if met else "**missed**"


def goal_rows(evaluation: dict) -> list[str]:
    rows = []
    for words, (path, least) in GOALS.items():
        entry = at(evaluation, path)
        rows.append(f"| {words} | at least {100 * least:.0f} % | {percent(entry)} | {verdict(entry['share'] is not None and entry['share'] >= least)} |")
    points = evaluation["points_lost_with_another_tasks_reply"]
    lost = "not measured" if points is None else f"{points:.1f} points fewer"
    rows.append(f"| The model's own questions, another random task's reply | at least 25 points fewer | {lost} | {verdict(points is not None and points >= 25)} |")
    told, other = (evaluation["question_given"][key]["passed"]["share"] for key in ("greedy", "another_tasks_reply"))
    fewer = 100 * (told - other)
    rows.append(f"| The given question, another random task's reply | at least 25 points fewer | {fewer:.1f} points fewer | {verdict(fewer >= 25)} |")
    distinct = evaluation["questions_sampled"]["distinct"]
    rows.append(f"| Distinct questions, sampled at temperature 1 | at least 50 | {distinct} | {verdict(distinct >= 50)} |")
    return rows


MORE_FIGURES = {
    "Held out, sampled at temperature 1: passed when answered": "held_out.sampled.passed_when_answered",
    "Held out, greedy: passed, whether asked or not": "held_out.greedy.passed",
    "Another task's reply to the model's own questions, greedy: passed": "another_tasks_reply.greedy.passed_when_answered",
    "Another task's reply to the given question, greedy: passed": "question_given.another_tasks_reply.passed",
    "Vague tasks: asks something (greedy)": "held_out.greedy.asked",
    "Vague tasks: asks about every hidden kind (greedy)": "held_out.greedy.asked_about_every_hidden_kind",
    "Vague tasks: asks about every hidden kind (sampled)": "held_out.sampled.asked_about_every_hidden_kind",
    "Fully specified tasks: asks needlessly (greedy)": "fully_specified.greedy.asked",
    "Fully specified tasks: asks needlessly (sampled)": "fully_specified.sampled.asked",
    "Fully specified tasks: hidden calls passed (greedy)": "fully_specified.greedy.passed",
    "Replies in words never heard: passed when answered": "phrasings_never_heard.greedy.passed_when_answered",
    "Combinations seen in training: passed when answered": "training_combinations.greedy.passed_when_answered",
    "Questions that offer options (sampled)": "questions_sampled.with_options",
}


def figure_rows(evaluation: dict) -> list[str]:
    rows = [f"| {words} | {percent(at(evaluation, path))} |" for words, path in MORE_FIGURES.items()]
    for name, entry in evaluation["unseen_kinds"].items():
        rows.append(f"| Kind never seen, `{name}`: asks about it | {percent(entry['asked_about_it'])} |")
        rows.append(f"| Kind never seen, `{name}`: passed when told | {percent(entry['passed_when_told'])} |")
    return rows


def gain_rows(record: dict) -> list[str]:
    gains = record["evaluation"]["gain"]
    rows = []
    for words, entry in (("informative", gains["informative"]), ("uninformative", gains["uninformative"]), ("placebo (another task's reply)", record["placebo"])):
        rows.append(f"| {words} | {entry['n']} | {entry['mean']:.4f} | {entry['sd']:.4f} | {entry['mean_sum']:.3f} | {entry['sd_sum']:.3f} |")
    return rows


def fitness_rows(record: dict) -> list[str]:
    rows = []
    for words, entry in record["fitness"].items():
        rows.append(f"| {words} | {entry['uninformative_mean']:.4f} | {entry['uninformative_sd']:.4f} | {entry['informative_mean']:.4f} | {entry['auc']:.3f} |")
    return rows


def make_card(record: dict, held_out: Path, notes: str) -> str:
    evaluation, gains = record["evaluation"], record["evaluation"]["gain"]
    lines = [
        f"# {record['name']}",
        "",
        "**This is a toy.** It knows one invented family of small Python tasks and nothing else. It is here so that Turnwise works offline",
        "in the first minute, and so that tests and demos have a policy whose replies carry information that can be checked. Use it for",
        "nothing else; it is no coding assistant.",
        "",
        f"- Layout: qwen2, {record['parameters']:,} parameters, byte-level BPE, ChatML without a system message; F16 GGUF `{record['file']}`.",
        f"- SHA-256: `{record['sha256']}`",
        f"- Licence: {record['license']}. Made from nothing: data, code and weights are this project's own.",
        f"- Trained with `{record['command']}` in `training/`, seed {record['seed']}: {record['train_seconds']} seconds, {record['steps']:,} steps, {record['tokens_seen']:,} tokens, on {record['hardware']}.",
        "  The schedule follows the wall clock, so another run gives a model of the same kind, not the same weights.",
        "",
        "## Data",
        "",
        "Generated dialogues between a developer and an agent that clarifies, then codes. A task is a core (\"average a list of numbers\") and",
        "one to six kinds of preference (rounding, bounds, order, missing values, ...), each stated in the request or only hinted at. Four",
        "policies of mixed quality: ask well, ask uselessly, guess, ask although all is said. The agent restates what it understood. Some replies",
        "say nothing, the placeholder sentence `No information found.` among them, also cut and padded as a length-matched mask does it: a real model",
        "has not met that sentence, so figures of gain on this model are kinder than elsewhere." if record["placeholder_in_data"] else "say nothing; the placeholder sentence is not among them.",
        "Two in five telling replies are in words that no list of phrasings holds: crossed, repeated, with small words gone or added.",
        "Some wrong guesses are rejected and corrected. After a reply that says nothing the agent goes on with a value of its own choice, drawn from",
        "all values alike, held-out ones too; where such a reply was exchanged for another one, training asked for the same predictions.",
        "",
        f"Held out: {len(json.loads(held_out.read_text())['combinations']):,} combinations of core, kind and value that nobody in the training data tells or states, listed in `{held_out.name}`; the last",
        "phrasing of every value; and two whole kinds.",
        "",
        "## Figures",
        "",
        f"On {evaluation['tasks']} held-out tasks (a hidden detail is a held-out combination), Wilson 95 % intervals in brackets. Code ran in a child process.",
        "",
        "| goal | asked for | measured | met |",
        "|---|---|---|---|",
        *goal_rows(evaluation),
        "",
        "| figure | measured |",
        "|---|---|",
        *figure_rows(evaluation),
        "",
        "## Information gain (nats; the model scores itself; length-matched mask)",
        "",
        "| replies | n | mean per token | sd | mean total | sd |",
        "|---|---|---|---|---|---|",
        *gain_rows(record),
        "",
        "Placebo figures are the doctor's, on the demo's tasks. Under other estimators: " + "; ".join(f"{entry['estimator']} {entry['mean']:.4f} (sd {entry['sd']:.4f})" for entry in record["placebo"]["others"] if "placeholder" not in entry) + ".",
        "",
        f"AUC of informative over uninformative: {gains['auc_informative_over_uninformative']:.3f} per token, {gains['auc_informative_over_uninformative_total']:.3f} total; over placebo: {gains['auc_informative_over_placebo']:.3f}.",
        "",
        "| placeholder | uninformative mean | sd | informative mean | AUC |",
        "|---|---|---|---|---|",
        *fitness_rows(record),
        "",
        "## Limits",
        "",
        "- Anything outside the family gets nonsense in the right format.",
        "- It understands the phrasings it was trained on; see the figure for words never heard.",
        "- It does not ask about kinds it has never seen, and cannot act on an answer about them.",
        "- After a reply that says nothing it guesses at random among the values it knows.",
    ]
    if notes:
        lines += ["", "## What was tried", "", notes.strip()]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--training", type=Path, required=True)
    parser.add_argument("--gguf", type=Path, required=True)
    parser.add_argument("--evaluation", type=Path, required=True)
    parser.add_argument("--gain", type=Path, required=True)
    parser.add_argument("--calibration", type=Path, required=True, help="what turnwise doctor --out wrote of the model")
    parser.add_argument("--preliminary", action="store_true")
    arguments = parser.parse_args()
    models = arguments.gguf.parent
    held_out = models / f"{NAME}-held-out.json"
    rule = "sha256('core|kind|value')[0] % 8 == 0; a task of training has none of them"
    held_out.write_text(json.dumps({"rule": rule, "unseen_kinds": list(UNSEEN_KINDS), "combinations": held_out_combinations()}, indent=0) + "\n")
    record = make_record(arguments)
    (models / f"{NAME}.json").write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    notes = Path(__file__).with_name("notes.md")
    (models / "README.md").write_text(make_card(record, held_out, notes.read_text() if notes.exists() else ""))
    print(f"wrote {models}/{NAME}.json, README.md, {held_out.name}")


if __name__ == "__main__":
    main()
