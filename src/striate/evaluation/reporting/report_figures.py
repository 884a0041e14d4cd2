"""The figures of the report, from the verdict and the history."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from striate.drawing import evidence, figures
from striate.drawing.forest import Difference, forest
from striate.drawing.matrix import matrix
from striate.evaluation.decisions.decision import OperatingVerdict
from striate.evaluation.precision_recall import PrecisionRecallCurve
from striate.evaluation.reliability import Reliability
from striate.evaluation.reporting.wording import signed_points, threshold_text
from striate.evaluation.verdict import ClassVerdict, Verdict

MOST_CURVES, MOST_CELLS, MOST_ROWS = 8, 80, 12
Cell = tuple[int, int]


def drawn_classes(verdict: Verdict) -> list[ClassVerdict]:
    """Classes whose curves are drawn: those with an operating point, then those ranked worst; of two classes one."""
    able = [one for one in verdict.per_class if one.roc]
    chosen = [one.point.positive for one in operating(verdict)]
    first = [one for name in chosen for one in able if one.class_name == name]
    others = sorted((one for one in able if one not in first), key=lambda one: one.auc.value or 0.0)
    return [*first, *others][: 1 if len(verdict.classes) == 2 else MOST_CURVES]


def operating(verdict: Verdict) -> tuple[OperatingVerdict, ...]:
    """The operating points that were judged, none where nothing is decided."""
    return verdict.decided.operating if verdict.decided else ()


def roc(verdict: Verdict, drawn: Sequence[ClassVerdict]) -> str:
    """Curves, the band of the first, and the operating points on these images."""
    curves = [one.roc for one in drawn if one.roc]
    if not curves:
        return ""
    series = [
        figures.Series(one.class_name, curve.false_positive_rate, curve.true_positive_rate, style)
        for style, (one, curve) in enumerate(zip(drawn, curves, strict=True))
    ]
    band = evidence.Band(curves[0].false_positive_rate, curves[0].low, curves[0].high)
    dots = [
        evidence.Dot(
            1 - specificity, sensitivity, f"from {threshold_text(one.point.threshold)}", _style(drawn, one)
        )
        for one in _on_curves(verdict, drawn)
        if (specificity := one.rates["specificity"].value) is not None
        and (sensitivity := one.rates["sensitivity"].value) is not None
    ]
    return evidence.roc("roc", series, band, dots)


def precision_recall(verdict: Verdict, drawn: Sequence[ClassVerdict]) -> str:
    """Curves, the band of the first and its chance level, and the operating points on these images."""
    curves = [one.precision_recall for one in drawn if one.precision_recall]
    if not curves:
        return ""
    series = []
    for style, (one, curve) in enumerate(zip(drawn, curves, strict=True)):
        recall, precision = _steps(curve, curve.precision)
        series.append(figures.Series(one.class_name, recall, precision, style))
    (recall, low), (_, high) = _steps(curves[0], curves[0].low), _steps(curves[0], curves[0].high)
    band = evidence.Band(recall, low, high)
    dots = []
    for one in _on_curves(verdict, drawn):
        # predictive values at the prevalence of a deployment do not lie on the curve of these images
        hits, called = one.counts.true_positives, one.counts.true_positives + one.counts.false_positives
        found = hits + one.counts.false_negatives
        if called and found:
            text = f"from {threshold_text(one.point.threshold)}"
            dots.append(evidence.Dot(hits / found, hits / called, text, _style(drawn, one)))
    return evidence.precision_recall("precision-recall", series, curves[0].prevalence, band, dots)


def _steps(curve: PrecisionRecallCurve, values: Sequence[float]) -> tuple[list[float], list[float]]:
    """The first point of every recall, that which average precision counts; all of the last, where the curve ends."""
    last = curve.recall[-1]
    kept = [
        (recall, value)
        for before, recall, value in zip((-1.0, *curve.recall), curve.recall, values, strict=False)
        if recall != before or recall == last
    ]
    return [recall for recall, _ in kept], [value for _, value in kept]


def _on_curves(verdict: Verdict, drawn: Sequence[ClassVerdict]) -> list[OperatingVerdict]:
    names = {one.class_name for one in drawn}
    return [one for one in operating(verdict) if one.point.positive in names]


def _style(drawn: Sequence[ClassVerdict], one: OperatingVerdict) -> int:
    return [each.class_name for each in drawn].index(one.point.positive)


def reliability(verdict: Verdict) -> list[str]:
    """The diagram of these probabilities, after that of the network's own where they were calibrated."""
    before = verdict.uncalibrated.reliability if verdict.uncalibrated else None
    panels = [(before, "before calibration"), (verdict.calibration, "as stated")]
    known = [(found, label) for found, label in panels if found and found.bins]
    ends = [
        end
        for found, _ in known
        for one in found.bins
        for end in (one.lowest, one.right.low)
        if end is not None
    ]
    least = np.floor(10 * min(ends, default=0.0)) / 10
    return [
        evidence.reliability(f"reliability-{number}", _bars(found), label, min(float(least), 0.9), style)
        for number, (found, label) in enumerate(known)
        for style in [1 if found is before else 0]
    ]


def _bars(found: Reliability) -> list[evidence.Bar]:
    return [
        evidence.Bar(
            one.stated,
            one.right.value or 0.0,
            one.right.low or 0.0,
            1.0 if one.right.high is None else one.right.high,
            one.lowest,
            one.highest,
        )
        for one in found.bins
    ]


def coverage(verdict: Verdict) -> str:
    """Accuracy over coverage, what would be best, and the threshold for abstaining."""
    curve = verdict.coverage
    if curve is None or not curve.chance:
        return ""
    found = figures.Series("accuracy", curve.coverage, curve.accuracy)
    shares = np.linspace(0.005, 1, 200)
    best = np.minimum(1.0, (1 - curve.chance) / shares)
    dot, judged = None, verdict.decided.abstention if verdict.decided else None
    if judged and judged.coverage.value is not None and judged.error.value is not None:
        text = f"from {threshold_text(judged.abstention.threshold)}"
        dot = evidence.Dot(judged.coverage.value, 1 - judged.error.value, text)
    ideal = figures.Series("best possible", shares.tolist(), best.tolist(), 6)
    return evidence.coverage("coverage", found, ideal, 1 - curve.chance, dot)


def subgroup_forest(verdict: Verdict) -> str:
    """Differences of accuracy to all other images, the lowest accuracy first."""
    rows = []
    for one in verdict.subgroups:
        value, low, high = (
            None if end is None else 100 * end
            for end in (one.difference.value, one.difference.low, one.difference.high)
        )
        if value is not None:
            rows.append(Difference(one.value, value, low, high, signed_points(one.difference)))
    unit = "percentage points, with 95 % intervals"
    left, right = "← worse than the others", "better →"
    return forest("subgroups", rows[:MOST_ROWS], left=left, right=right, unit=unit) if rows else ""


def confusion(verdict: Verdict, links: Collection[Cell] = ()) -> tuple[str, str]:
    """The confusion matrix, of the classes with most errors where there are too many to draw, and a note on that."""
    counts = np.array(verdict.confusion_matrix)
    if len(counts) <= MOST_CELLS:
        return matrix("matrix", counts.tolist(), verdict.classes, links), ""
    keep = np.array(kept_classes(verdict))
    rest = np.delete(np.arange(len(counts)), keep)
    # One more row and column for the others, so that the shares of a row stay true.
    part = np.zeros((len(keep) + 1, len(keep) + 1), dtype=int)
    part[:-1, :-1] = counts[np.ix_(keep, keep)]
    part[:-1, -1], part[-1, :-1] = (
        counts[np.ix_(keep, rest)].sum(axis=1),
        counts[np.ix_(rest, keep)].sum(axis=0),
    )
    part[-1, -1] = counts[np.ix_(rest, rest)].sum()
    names = [*(verdict.classes[index] for index in keep), f"{len(rest):,} others"]
    note = f"Drawn are the {MOST_CELLS} classes with most errors; the other {len(rest):,} share one line."
    return matrix("matrix", part.tolist(), names, links), note


def kept_classes(verdict: Verdict) -> list[int]:
    """The classes that have a line of their own in the matrix, in the order of the classes."""
    counts = np.array(verdict.confusion_matrix)
    if len(counts) <= MOST_CELLS:
        return list(range(len(counts)))
    errors = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
    return np.sort(np.argsort(-errors, kind="stable")[:MOST_CELLS]).tolist()


def learning(history: Sequence[Mapping[str, Any]], kept_epoch: int) -> list[tuple[str, str]]:
    """Loss and accuracy of training and validation, as pairs of name and figure; none without epochs."""
    drawn = []
    for quantity in ("loss", "accuracy"):
        series = [
            figures.Series(part, [x for x, _ in points], [y for _, y in points], style)
            for style, part in enumerate(("train", "validation"))
            if (points := _points(history, part, quantity))
        ]
        if series:
            drawn.append((quantity, figures.curves(quantity, series, quantity, float(kept_epoch))))
    return drawn


def _points(history: Sequence[Mapping[str, Any]], part: str, quantity: str) -> list[tuple[float, float]]:
    values = [(line["epoch"], (line.get(part) or {}).get(quantity)) for line in history]
    return [(float(epoch), float(value)) for epoch, value in values if value is not None]
