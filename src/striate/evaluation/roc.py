"""Ranking one class against the rest: the ROC curve and the area under it, with DeLong's variance."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from striate.evaluation import intervals
from striate.evaluation.bands import pointwise_limits
from striate.evaluation.intervals import CONFIDENCE, Number


@dataclass(frozen=True)
class RocCurve:
    """Points of a ROC curve from (0, 0) to (1, 1), thinned for drawing.

    `low` and `high` are the limits at 95 % of the true positive rate at each point by itself.
    """

    false_positive_rate: tuple[float, ...]
    true_positive_rate: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


def roc_auc(
    positives: Float[np.ndarray, " positives"],
    negatives: Float[np.ndarray, " negatives"],
    confidence: float = CONFIDENCE,
) -> Number:
    """The probability that a positive scores above a negative, ties counting one half.

    >>> round(roc_auc(np.array([0.8, 0.6, 0.9]), np.array([0.7, 0.1, 0.2, 0.3])).value, 4)
    0.9167

    The two structural components are found by sorting, in O(n log n): Sun and Xu 2014, after DeLong 1988.
    """
    inside, outside = np.sort(positives), np.sort(negatives)
    if min(len(inside), len(outside)) == 0:
        return intervals.auc(0.0, None, len(inside), len(outside), confidence)
    placement_inside = _placements(inside, outside)
    placement_outside = _placements(outside, inside)
    value = float(placement_inside.mean())
    variance = None
    if min(len(inside), len(outside)) > 1:
        variance = float(
            placement_inside.var(ddof=1) / len(inside) + placement_outside.var(ddof=1) / len(outside)
        )
    return intervals.auc(min(max(value, 0.0), 1.0), variance, len(inside), len(outside), confidence)


def roc_curve(
    positives: Float[np.ndarray, " positives"],
    negatives: Float[np.ndarray, " negatives"],
    points: int = 200,
    groups: Int[np.ndarray, " images"] | None = None,
) -> RocCurve | None:
    """The ROC curve of scores inside and outside a class; None if either is empty.

    >>> curve = roc_curve(np.array([0.9, 0.4]), np.array([0.5, 0.1]))
    >>> curve.false_positive_rate, curve.true_positive_rate
    ((0.0, 0.0, 0.5, 0.5, 1.0), (0.0, 0.5, 0.5, 1.0, 1.0))

    At most about `points` points. They are thinned at equal steps along the curve, so corners survive to
    within 2/points. `groups` are those of the positives, then of the negatives; the limits then take groups as
    independent.
    """
    if min(len(positives), len(negatives)) == 0:
        return None
    scores = np.concatenate([positives, negatives])
    order = np.argsort(-scores, kind="stable")
    inside = np.cumsum(order < len(positives))
    last_of_tie = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = np.concatenate([[0], inside[last_of_tie]])
    alarms = np.concatenate([[0], last_of_tie + 1 - inside[last_of_tie]])
    x, y = alarms / len(negatives), hits / len(positives)
    if len(x) > points:
        keep = np.unique(np.searchsorted(x + y, np.linspace(0, 2, points)).clip(0, len(x) - 1))
        keep = np.union1d(keep, [0, len(x) - 1])
        x, y, hits, alarms = x[keep], y[keep], hits[keep], alarms[keep]
    grouped = None if groups is None else groups[order]
    low, high = pointwise_limits(order < len(positives), hits + alarms, grouped, precision=False)
    return RocCurve(*(tuple(values.tolist()) for values in (x, y, low, high)))


def _placements(
    scores: Float[np.ndarray, " scores"], others: Float[np.ndarray, " others"]
) -> Float[np.ndarray, " scores"]:
    """For each score, the share of the sorted others below it, ties counting one half."""
    below = np.searchsorted(others, scores, side="left")
    below_or_equal = np.searchsorted(others, scores, side="right")
    return (below + below_or_equal) / (2 * len(others))
