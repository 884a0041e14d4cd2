"""What a reader must not take the numbers of a run for: limits that can be computed, a sentence each."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from striate.drawing.numbers import percent
from striate.evaluation.reporting.checklist_answers import SEEN, last_part
from striate.evaluation.reporting.checklist_results import without_names
from striate.evaluation.reporting.findings_decided import on_level
from striate.evaluation.reporting.wording import counted, plain_percent
from striate.evaluation.verdict import ClassVerdict, Verdict

FEW_TRAINED, FEW_JUDGED = 100, 30
"""Images of a class below which it is named: in training, and among those judged."""


def limits(verdict: Verdict, files: Mapping[str, Any]) -> Iterator[str]:
    """Every limit that applies to this run, the gravest first."""
    data = files["data.json"]
    yield from on_independence(verdict, files["splits.csv"].get("group"))
    yield from on_sizes(verdict, data["counts"])
    yield from on_sources(verdict.split, data["source"])
    yield from on_omissions(verdict, files["model.json"].get("calibration"))
    if verdict.decided:
        yield from verdict.decided.decision.caveats
    yield from on_frequency(verdict)
    yield "This is one training with one seed: another would give other weights, and no interval holds that difference."
    yield "Labels are taken as the truth: where they are wrong, right answers count as mistakes and mistakes as right."
    if data["unreadable"]:
        yield (
            f"{counted(len(data['unreadable']), 'file')} could not be read and took no part: where such pictures differ"
            " from the others, nothing here says so."
        )


def on_independence(verdict: Verdict, groups: Sequence[str] | None) -> Iterator[str]:
    """Leaks that were accepted, and groups that nobody named."""
    if "counted all the same" in verdict.leaks or verdict.leaks.startswith("These are the run's own"):
        yield f"{without_names(verdict.leaks)} The results flatter."
    if not any(groups or ()):
        yield (
            "No groups (patients, parts, scenes) are known. If several images belong to one, it may be in training and"
            " in test at once, which flatters the results, and the intervals are too narrow."
        )


def on_sizes(verdict: Verdict, counts: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """The widest interval of a class, and the classes of few images."""
    known = [one for one in verdict.per_class if one.recall.low is not None and one.recall.high is not None]
    if known:
        worst = max(known, key=_width)
        yield (
            f"The widest interval of a sensitivity is that of {worst.class_name}: {percent(worst.recall)}. "
            f"No finer difference between classes can be read from these {verdict.unit}s."
        )
    trained = dict(counts.get("train", {}))
    yield from _few(trained, FEW_TRAINED, "training images")
    judged = {one.class_name: one.support for one in verdict.per_class}
    yield from _few(judged, FEW_JUDGED, f"{verdict.unit}s here")


def _few(sizes: Mapping[str, int], fewest: int, of: str) -> Iterator[str]:
    small = {name: n for name, n in sizes.items() if n < fewest}
    if small:
        least = min(small, key=lambda name: small[name])
        have = "has" if len(small) == 1 else "have"
        yield (
            f"{len(small):,} of {len(sizes):,} classes {have} fewer than {fewest} {of}; "
            f"the smallest is {least} with {small[least]:,}."
        )


def _width(one: ClassVerdict) -> float:
    return (one.recall.high or 0.0) - (one.recall.low or 0.0)


def on_sources(split: str, location: str) -> Iterator[str]:
    """That nothing is known beyond the source that was trained on, or what differs is not."""
    if split in SEEN:
        yield (
            f"External validation: none. Training and test images come from one source ({last_part(location)}); on"
            " images of another site, device or time it may do much worse."
        )


def on_omissions(verdict: Verdict, calibration: Mapping[str, Any] | None) -> Iterator[str]:
    """What this evaluation did not look at."""
    if not verdict.subgroups:
        yield "No subgroups were judged: whether it does worse for some sites, devices or people is not known."
    if verdict.uncalibrated is None:
        why = (calibration or {}).get("reason")
        yield f"Its probabilities are not calibrated{f' ({why})' if why else ''}."
    if verdict.unknown is None:
        yield "Pictures of none of its classes were not tried; each would be called one of them."


def on_frequency(verdict: Verdict) -> Iterator[str]:
    """What depends on how frequent the classes are here, and whether always naming one would do as well."""
    shares = [one.support / verdict.images for one in verdict.per_class] if verdict.images else []
    if not shares:
        return
    least, most = (f"{plain_percent(share)} %" for share in (min(shares), max(shares)))
    yield (
        "Accuracy and predictive values hold where classes are as frequent as here, where each makes up between "
        f"{least} and {most}; sensitivity and specificity do not depend on it."
    )
    if (said := on_level(verdict)) and "does better." not in said:
        yield said
