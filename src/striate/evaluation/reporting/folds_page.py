"""The cross-validation as one offline page: the pooled verdict, a table of the folds, classes, confusions, recipe."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from striate.drawing import figures, html
from striate.drawing.numbers import decimal_parts, percent_parts
from striate.evaluation.folds import MEASURES, SHARES, FoldsVerdict
from striate.evaluation.intervals import Number
from striate.evaluation.reporting import findings
from striate.evaluation.reporting.folds_text import NAMES, by_auc, written
from striate.evaluation.reporting.report import environment
from striate.evaluation.reporting.text import cell, independence

MOST_CELLS = 40
"""Classes of which a matrix of confusions is drawn."""
LEAST_WIDTH = 0.05
"""Of the axis of accuracies."""


@dataclass(frozen=True, kw_only=True)
class FoldsOrigin:
    """How the page was made; `review` is the first sentence of the list of images to look at again."""

    command: str
    created: str
    recipe: Mapping[str, Any]
    versions: Mapping[str, str]
    review: str


@dataclass(frozen=True)
class Axis:
    """The part of 0 to 1 on which accuracies are drawn."""

    low: float
    high: float

    def bar(self, number: Number) -> dict[str, float] | None:
        """Left end and width of the interval, and the place of the value, in per cent of the axis."""
        if number.value is None:
            return None
        low, value, high = (
            100 * (number.value if end is None else end) for end in (number.low, number.value, number.high)
        )
        start, width = 100 * self.low, self.high - self.low
        return {
            "left": (low - start) / width,
            "width": (high - low) / width,
            "value": (value - start) / width,
        }


def axis_of(shares: Sequence[Number]) -> Axis:
    """The twentieths around every interval.

    >>> axis_of([Number(0.95, 0.91, 0.98, 100), Number(0.97, 0.94, 0.99, 100)])
    Axis(low=0.9, high=1.0)
    """
    ends = [end for share in shares for end in (share.low, share.value, share.high) if end is not None]
    steps = 1 / LEAST_WIDTH
    low, high = math.floor(min(ends, default=0.0) * steps), math.ceil(max(ends, default=1.0) * steps)
    return Axis(low / steps, max(high, low + 1) / steps)


def render_folds(verdict: FoldsVerdict, origin: FoldsOrigin) -> str:
    """The cross-validation as one HTML file: no script, no request, light and dark, prints on A4."""
    pooled = verdict.pooled
    judged = [*(fold.verdict for fold in verdict.folds), pooled]
    axis = axis_of([one.accuracy for one in judged])
    drawn = len(pooled.classes) <= MOST_CELLS
    body = (
        environment()
        .get_template("folds.html")
        .render(
            verdict=verdict,
            pooled=pooled,
            origin=origin,
            axis=axis,
            bars=[axis.bar(one.accuracy) for one in judged],
            spread=[(NAMES[name], written(one, name in SHARES)) for name, one in verdict.spread.items()],
            areas=[(name, area, written(spread, share=False)) for name, area, spread in by_auc(verdict)],
            classes=sorted(pooled.per_class, key=findings.recall),
            matrix=figures.matrix("matrix", pooled.confusion_matrix, pooled.classes) if drawn else "",
            finding={"classes": findings.on_classes(pooled), "matrix": findings.on_matrix(pooled)},
            independence=independence(pooled),
            cells={name: [in_cell(MEASURES[name](one), name) for one in judged] for name in MEASURES},
            on_folds=on_folds(verdict),
        )
    )
    return html.page(f"Cross-validation on {verdict.source}", body)


def in_cell(number: Number, measure: str) -> str:
    """A measure and its interval, under a heading that says the unit."""
    parts = percent_parts(number) if measure in SHARES else decimal_parts(number)
    return cell(number, *parts)


def on_folds(verdict: FoldsVerdict) -> str:
    """How far the accuracies of the folds lie apart, and whether that is more than chance would explain."""
    known = [fold for fold in verdict.folds if fold.verdict.accuracy.value is not None]
    worst = min(known, key=lambda fold: fold.verdict.accuracy.value or 0.0)
    best = max(known, key=lambda fold: fold.verdict.accuracy.value or 0.0)
    gap = 100 * ((best.verdict.accuracy.value or 0.0) - (worst.verdict.accuracy.value or 0.0))
    apart = (worst.verdict.accuracy.high or 1.0) < (best.verdict.accuracy.low or 0.0)
    said = (
        "their intervals do not overlap: look at what the images of the worst have in common"
        if apart
        else "their intervals overlap, as they would if the folds were equally hard"
    )
    return f"Fold {worst.number} does worst and fold {best.number} best, {gap:.1f} points apart; {said}."
