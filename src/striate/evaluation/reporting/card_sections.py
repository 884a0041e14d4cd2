"""The sections of a model card, each as its paragraphs in Markdown."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from striate.drawing.numbers import MISSING, decimal_parts, percent_parts
from striate.evaluation.intervals import Number
from striate.evaluation.reporting import checklist_answers as answers
from striate.evaluation.reporting import findings
from striate.evaluation.reporting import findings_decided as decided
from striate.evaluation.reporting.checklist_results import without_names
from striate.evaluation.reporting.markdown import fenced, plain, table
from striate.evaluation.reporting.text import cell, independence
from striate.evaluation.reporting.wording import OUTCOMES, signed_points, threshold_text
from striate.evaluation.verdict import ClassVerdict, Verdict

MOST_ROWS = 40
"""Classes or values in a table; more are counted."""
CITATION = [
    "*To be written by whoever publishes it: the licence; how to cite the paper, the data set and this model.*"
]
Rows = list[Sequence[object]]
Lines = list[str]


def what_it_is(model: Mapping[str, Any]) -> Lines:
    """The network, what goes in and what comes out."""
    known, classes = model["preparation"], model["classes"]
    height, width = known["patch"] or (known["height"], known["width"])
    rows: Rows = [
        ["Network", model["model"]],
        ["Parameters", f"{model['parameters']:,}"],
        ["Multiply-adds a picture", f"{model['multiply_adds']:,}"],
        ["Input", f"{known['channels']} × {height} × {width} (channels × height × width)"],
        ["Output", f"a probability for each of {len(classes):,} classes"],
        ["Trained", model["provenance"]["finished"]],
    ]
    named = ", ".join(plain(name) for name in classes[:MOST_ROWS])
    more = f" and {len(classes) - MOST_ROWS:,} more" if len(classes) > MOST_ROWS else ""
    return [table(["", ""], rows), f"Classes, in the order of the outputs: {named}{more}."]


def intended_use(verdict: Verdict) -> Lines:
    """What it is for, which its user has to say, and what it cannot be for."""
    abstains = verdict.decided is not None and verdict.decided.abstention is not None
    forced = "unless it is less sure than its threshold for answering" if abstains else "whatever it shows"
    return [
        "*To be written by whoever uses it: for which pictures, in whose hands, at which step of which decision, and"
        " who checks its answers.*",
        "**Out of scope.** Diagnosis, treatment and any other decision about a person: it is not a medical device, and"
        f" is for research. It knows {len(verdict.classes):,} classes and calls every picture one of them, {forced}.",
        "*To be written by whoever uses it: uses that are foreseen and must not be.*",
    ]


def training_data(data: Mapping[str, Any], splits: Mapping[str, Sequence[str]], verdict: Verdict) -> Lines:
    """Where the images are from, how many of each class are in each split, and what keeps the splits apart."""
    counts = data["counts"]
    names = list(next(iter(counts.values()), {}))
    rows: Rows = [[name, *(f"{counts[split][name]:,}" for split in counts)] for name in names[:MOST_ROWS]]
    if len(names) > MOST_ROWS:
        rest = [sum(counts[split][name] for name in names[MOST_ROWS:]) for split in counts]
        rows.append([f"{len(names) - MOST_ROWS:,} more classes", *(f"{n:,}" for n in rest)])
    rows.append(["all", *(f"{sum(counts[split].values()):,}" for split in counts)])
    heads = ["class", *(split or "none" for split in counts)]
    return [
        f"Source: {plain(answers.last_part(data['source']))}.",
        "*To be written by whoever has the data: who made these images, where, when and with what; who they are of;"
        " who labelled them, and how.*",
        table(heads, rows, right=range(1, len(heads))),
        plain(answers.disjoint(splits["split"], splits["digest"], splits.get("group"))),
        plain(without_names(verdict.leaks)),
        plain(answers.excluded(data["unreadable"], data["dropped"])),
    ]


def preparation(model: Mapping[str, Any]) -> Lines:
    """How a picture becomes the network's input."""
    return [plain(answers.preparation(model["preparation"]))]


def training(
    model: Mapping[str, Any], recipe: Mapping[str, Any], history: Sequence[Mapping[str, Any]]
) -> Lines:
    """First weights, the recipe, and which epoch was kept."""
    first = answers.first_weights(model["weights"], recipe["initialisation"], recipe["freeze"])
    return [
        plain(f"First weights: {first[0].lower()}{first[1:]}"),
        plain(f"Recipe: {answers.training(recipe)}"),
        plain(findings.on_training(history, model["kept_epoch"])),
        plain(answers.selected(recipe["keep"], recipe["early_stop"], model["kept_epoch"], history)),
    ]


def results(verdict: Verdict) -> Lines:
    """The verdict in a sentence, and every number over all classes."""
    scores = verdict.scores
    shares = {"Accuracy": verdict.accuracy, "Balanced accuracy": verdict.balanced_accuracy}
    shares |= {"Top-5 accuracy": verdict.top5} if verdict.top5 else {}
    shares |= {"F1, mean over classes": scores.macro_f1, "F1, weighted by images": scores.weighted_f1}
    numbers = {
        "AUC, mean over pairs of classes": verdict.one_vs_one,
        "Cohen's kappa": scores.kappa,
        "Matthews' correlation": scores.matthews,
        "Log loss (nats)": verdict.log_loss,
    }
    numbers |= {"Brier score (0 to 2)": verdict.brier.score} if verdict.brier else {}
    rows: Rows = [
        [f"{name} (%)", said(one, percent_parts(one)), f"{one.n:,}"] for name, one in shares.items()
    ]
    rows += [[name, said(one, decimal_parts(one)), f"{one.n:,}"] for name, one in numbers.items()]
    return [
        f"**{plain(verdict.sentence())}**",
        plain(f"{decided.on_level(verdict)} {independence(verdict)}".strip()),
        table(["", "value (95 % interval)", "n"], rows, right=[2]),
    ]


def said(number: Number, parts: tuple[str, str, str]) -> str:
    """A number with its interval, or a dash and why."""
    if number.value is None:
        return f"{MISSING} ({number.reason})"
    return cell(number, *parts)


def class_by_class(verdict: Verdict) -> Lines:
    """Each class against the rest, that recognised least often first."""
    ranked = sorted(verdict.per_class, key=findings.recall)
    heads = ["class", f"{verdict.unit}s", "sensitivity %", "specificity %", "PPV %", "NPV %", "F1 %", "AUC"]
    rows: Rows = [[one.class_name, f"{one.support:,}", *_rates(one)] for one in ranked[:MOST_ROWS]]
    more = len(ranked) - MOST_ROWS
    return [
        plain(findings.on_classes(verdict)),
        table(heads, rows, right=[1]),
        f"{more:,} more classes are in evaluation.json under per\\_class." if more > 0 else "",
        plain(findings.on_matrix(verdict)),
    ]


def _rates(one: ClassVerdict) -> list[str]:
    shares = (one.recall, one.specificity, one.precision, one.npv, one.f1)
    return [*(cell(rate, *percent_parts(rate)) for rate in shares), cell(one.auc, *decimal_parts(one.auc))]


def calibration(verdict: Verdict, fitted: Mapping[str, Any] | None) -> Lines:
    """Whether its probabilities are to be believed."""
    before = verdict.uncalibrated
    if before is None:
        why = (fitted or {}).get("reason")
        lines = [f"Not calibrated{f': {why}' if why else ''}. The probabilities are the network's own."]
    else:
        lines = [decided.on_calibration(before, verdict)]
    if verdict.calibration:
        lines.append(decided.on_reliability(verdict, verdict.calibration))
    return [plain(line) for line in lines]


def decisions(verdict: Verdict) -> Lines:
    """Operating points, when no answer is given, sets of classes; and what was found of them on these images."""
    lines = []
    made = verdict.decided
    if made is None or not (made.operating or made.abstention or made.sets):
        lines.append("None was chosen: the class of highest probability is the answer, however low it is.")
    else:
        lines += [decided.on_operating(one, verdict.unit) for one in made.operating]
        lines += [decided.on_abstention(made.abstention, verdict.unit)] if made.abstention else []
        lines += [decided.on_sets(made.sets)] if made.sets else []
        lines += made.decision.caveats
    lines += [decided.on_coverage(verdict.coverage, verdict)] if verdict.coverage else []
    return [*_points(verdict), *map(plain, lines)]


def _points(verdict: Verdict) -> Lines:
    operating = verdict.decided.operating if verdict.decided else ()
    if not operating:
        return []
    rates = {"sensitivity %": "sensitivity", "specificity %": "specificity", "PPV %": "ppv", "NPV %": "npv"}
    rows: Rows = [
        [
            one.point.positive,
            threshold_text(one.point.threshold),
            one.point.wish,
            OUTCOMES[one.outcome()] or MISSING,
            *(said(one.rates[name], percent_parts(one.rates[name])) for name in rates.values()),
            MISSING if one.prevalence is None else f"{100 * one.prevalence:g} %",
        ]
        for one in operating
    ]
    heads = ["called", "from", "wish", f"on these {verdict.unit}s", *rates, "prevalence"]
    return [table(heads, rows)]


def subgroups(verdict: Verdict) -> Lines:
    """The verdict by subgroup, the worst first."""
    if not verdict.subgroups:
        ask = "`striate evaluate RUN --subgroups COLUMN` judges those of a column of the table"
        return [f"None were judged. {ask}."]
    heads = [
        verdict.subgroups_by or "",
        f"{verdict.unit}s",
        "accuracy %",
        "balanced accuracy %",
        "difference (points)",
    ]
    rows: Rows = []
    for one in verdict.subgroups[:MOST_ROWS]:
        rates = (one.verdict.accuracy, one.verdict.balanced_accuracy)
        shares = [said(rate, percent_parts(rate)) for rate in rates]
        apart = MISSING if one.difference.value is None else signed_points(one.difference)
        rows.append([one.value, f"{one.verdict.images:,}", *shares, apart])
    return [plain(decided.on_subgroups(verdict)), table([plain(heads[0]), *heads[1:]], rows, right=[1])]


def unknown(verdict: Verdict) -> Lines:
    """How pictures of other things are told from those of its classes."""
    if verdict.unknown is None:
        return ["None were tried. `striate evaluate RUN --unknown FOLDER` tries those of a folder."]
    return [plain(decided.on_unknown(verdict.unknown))]


def explained(reasons: str | None) -> Lines:
    """Where heat maps are, and what was found of them."""
    return [
        f"{plain(reasons)} Maps, where there are any, are in report.html."
        if reasons
        else "No maps were made."
    ]


def again(files: Mapping[str, Any], hidden: bool) -> Lines:
    """The commands, and all that must be the same for the same numbers to come out."""
    model, evaluation = files["model.json"], files["evaluation.json"]
    made = model["provenance"]
    commands = [made["command"], evaluation["command"]]
    rows: Rows = [["seed", made["seed"]], ["threads", made["threads"]]]
    rows += [[f"version of {name}", number] for name, number in made["versions"].items()]
    rows += [["machine", f"{made['machine']['system']}, {made['machine']['processor']}"]]
    rows += [["judged", evaluation["created"]]]
    rows += [[f"SHA-256 of {name}", digest] for name, digest in (files.get("manifest.json") or {}).items()]
    return [
        fenced("\n".join(shortened(one) if hidden else one for one in commands)),
        table(["", ""], rows),
    ]


def shortened(command: str) -> str:
    """A command without the folders of its paths.

    >>> shortened("striate train /data/patients/cells --out ../runs/cells")
    'striate train cells --out cells'
    """
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    return shlex.join(answers.last_part(word) if "/" in word or "\\" in word else word for word in words)
