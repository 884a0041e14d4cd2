"""The answers of the checklist on evaluation and results; as those of the methods, from a run's own fields alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from striate.drawing.numbers import decimal, percent
from striate.evaluation.intervals import Number
from striate.evaluation.reporting.checklist_answers import SEEN, UNSAID, Counts
from striate.evaluation.reporting.wording import calibration_words, counted

MEASURES = {
    "top5": "top-5 accuracy",
    "precision": "precision (PPV)",
    "recall": "sensitivity (recall)",
    "npv": "NPV",
    "f1": "F1",
    "auc": "AUC",
    "one_vs_one": "AUC over pairs of classes",
    "scores": "averages over classes, kappa and Matthews' correlation",
    "brier": "Brier score",
    "calibration": "calibration error",
    "coverage": "error against coverage",
    "operating": "rates at operating points",
    "abstention": "share answered",
    "sets": "sets of classes",
    "unknown": "AUROC of unknown pictures",
    "subgroups": "differences of subgroups",
}
"""What evaluation.json calls otherwise."""


def metrics(
    methods: Mapping[str, str],
    top5: Mapping[str, Any] | None,
    decided: Mapping[str, Any] | None,
    unknown: Mapping[str, Any] | None,
    subgroups_by: str | None,
) -> str:
    """Every measure that was taken."""
    taken = {"top5": top5, "unknown": unknown, "subgroups": subgroups_by}
    taken |= {name: (decided or {}).get(name) for name in ("operating", "abstention", "sets")}
    named = [MEASURES.get(name, name.replace("_", " ")) for name in methods if taken.get(name, True)]
    return f"{', '.join(named)}; rates of each class are against the rest."


def uncertainty(confidence: float, groups: int | None, images: int, unit: str) -> str:
    """What the intervals are, and what they take as independent."""
    units = f"{images:,} {unit}s" if groups is None else f"{groups:,} groups, not the {images:,} {unit}s,"
    return (
        f"{100 * confidence:.0f} % intervals of every number, {units} taken as independent; the method of each is in"
        " evaluation.json under methods. No tests of significance."
    )


def robustness(
    by: str | None, subgroups: Sequence[Mapping[str, Any]], unknown: Mapping[str, Any] | None
) -> str:
    """Subgroups and pictures of other things, where they were judged."""
    said = "No subgroups were judged."
    if subgroups:
        worst = subgroups[0]
        accuracy = percent(number(worst["verdict"]["accuracy"]))
        said = (
            f"Subgroups by {by} ({len(subgroups):,} values): lowest accuracy {accuracy}, of {worst['value']}."
        )
    if unknown is None:
        return f"{said} Pictures of none of the classes were not tried."
    return f"{said} {counted(unknown['images'], 'picture')} of none of the classes were tried."


def explained(reasons: str | None) -> str:
    """What heat maps were made."""
    return reasons or "None in this evaluation; striate explain gives maps of single pictures."


def internal(split: str, judged: int, unit: str, leaks: str) -> str:
    """The judged images of the run's own source, and whether they leaked."""
    if split not in SEEN:
        return "None in this evaluation."
    return f"{counted(judged, f'{split} {unit}')} of the run's own source. {without_names(leaks)}".rstrip()


def without_names(leaks: str) -> str:
    """The sentence on leaks without the pictures and groups that it lists after its first colon."""
    if leaks.startswith("These are the run's own"):
        return leaks
    return f"{leaks.partition(': ')[0].rstrip('.')}." if leaks else ""


def external(split: str) -> str:
    """Whether images of other sources were judged."""
    if split in SEEN:
        return "None in this evaluation: the images judged come from the source that was trained on."
    return f"The images judged are others than the run's own. How they differ: {UNSAID}"


def updating(calibration: Mapping[str, Any] | None, uncalibrated: Mapping[str, Any] | None) -> str:
    """What was changed after training."""
    after = "Nothing was changed after this evaluation."
    if uncalibrated is None:
        why = (calibration or {}).get("reason")
        return f"{after} Probabilities are the network's own{f' ({why})' if why else ''}."
    fitted = counted(uncalibrated["fitted_to"], "validation image")
    return f"{after} Before it, {calibration_words(uncalibrated['calibration'])} was fitted to {fitted}."


def calculated(created: str) -> str:
    """How the probabilities that were judged came about."""
    return f"By striate evaluate on {created}, from model.safetensors and model.json; the command is above."


def flow(
    counts: Counts, unreadable: Sequence[object], dropped: Sequence[object], judged: int, unit: str
) -> str:
    """From files found to images judged."""
    used = sum(sum(classes.values()) for classes in counts.values())
    found = used + len(unreadable) + len(dropped)
    said = f"{counted(found, 'picture')} found; {len(unreadable):,} unreadable, {len(dropped):,} dropped, {used:,} used"
    parts = ", ".join(f"{sum(classes.values()):,} {split or 'in none'}" for split, classes in counts.items())
    return f"{said} ({parts}); {counted(judged, unit)} judged here."


def analyses(
    counts: Counts,
    calibration: Mapping[str, Any] | None,
    decided: Mapping[str, Any] | None,
    per_class: Sequence[Mapping[str, Any]],
) -> str:
    """How many images took part in what, and how many of each class were judged."""
    parts = [f"{split or 'in none'} {sum(classes.values()):,}" for split, classes in counts.items()]
    if (calibration or {}).get("images"):
        parts.append(f"of validation to calibrate {(calibration or {})['images']:,}")
    if decided and decided["chosen_on"]:
        parts.append(f"and to choose thresholds {decided['chosen_on']:,}")
    judged = ", ".join(f"{one['class']} {one['support']:,}" for one in per_class[:10])
    more = f" and {len(per_class) - 10:,} more classes" if len(per_class) > 10 else ""
    return f"{', '.join(parts)}; judged by class: {judged}{more}."


def performance(accuracy: Mapping, balanced: Mapping, pairs: Mapping) -> str:
    """The numbers over all classes."""
    rates = f"Accuracy {percent(number(accuracy))}; balanced accuracy {percent(number(balanced))}"
    if pairs["value"] is None:
        return f"{rates}; no AUC: {pairs['reason']}."
    return f"{rates}; AUC, mean over pairs of classes, {decimal(number(pairs))}."


def diagnostic(per_class: Sequence[Mapping[str, Any]]) -> str:
    """The rates of the class that is recognised least often."""
    known = [one for one in per_class if one["recall"] is not None]
    if not known:
        return "No class has an image."
    worst = min(known, key=lambda one: one["recall"])
    said = [f"{title} {_rate(worst, name)}" for title, name in RATES.items()]
    return f"Lowest sensitivity is that of {worst['class']} ({worst['support']:,} images): {', '.join(said)}."


RATES = {
    "sensitivity": "recall",
    "specificity": "specificity",
    "PPV": "precision",
    "NPV": "npv",
    "AUC": "auc",
}


def _rate(one: Mapping[str, Any], name: str) -> str:
    low, high = one["intervals"][name]
    found = Number(one[name], low, high, one["support"])
    said = decimal(found) if name == "auc" else percent(found)
    return said.replace(f", n = {found.n:,})", ")").replace(f" (n = {found.n:,})", "")


def failures(matrix: Sequence[Sequence[int]], classes: Sequence[str]) -> str:
    """How many are wrong, and what is confused most."""
    wrong = [
        (count, row, column)
        for row, line in enumerate(matrix)
        for column, count in enumerate(line)
        if row != column and count
    ]
    total, errors = sum(map(sum, matrix)), sum(count for count, _, _ in wrong)
    if not wrong:
        return f"None of {total:,} is wrong."
    count, row, column = max(wrong, key=lambda one: one[0])
    said = (
        f"{errors:,} of {total:,} wrong; most often {classes[row]} is called {classes[column]} ({count:,} of"
    )
    return f"{said} {sum(matrix[row]):,}). report.html shows the worst with their pictures."


def available(digests: Mapping[str, str] | None) -> str:
    """By what the weights are known."""
    weights = (digests or {}).get("model.safetensors")
    said = (
        f"model.safetensors has SHA-256 {weights[:12]}…"
        if weights
        else "The files of the run are not in this folder"
    )
    return f"{said}. Where software, model and data can be had, and under which licence: {UNSAID}"


def number(saved: Mapping[str, Any]) -> Number:
    """A number as evaluation.json has it."""
    return Number(**saved)
