"""Finding one class among the rest: the precision–recall curve and average precision."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from striate.evaluation import intervals
from striate.evaluation.bands import pointwise_limits
from striate.evaluation.intervals import CONFIDENCE, Number, normal_quantile


@dataclass(frozen=True)
class PrecisionRecallCurve:
    """Points of a precision–recall curve by rising recall, thinned for drawing; it begins at recall 0.

    `prevalence` is the precision of a classifier that ranks at random; `low` and `high` are the limits at 95 % of the
    precision at each point by itself.
    """

    recall: tuple[float, ...]
    precision: tuple[float, ...]
    prevalence: float
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


def average_precision(
    positives: Float[np.ndarray, " positives"],
    negatives: Float[np.ndarray, " negatives"],
    confidence: float = CONFIDENCE,
    trials: int | None = None,
) -> Number:
    """The precision at each threshold weighted by the recall that it adds: a sum of steps, no interpolation.

    >>> round(average_precision(np.array([0.8, 0.6, 0.9]), np.array([0.7, 0.1, 0.2, 0.3])).value, 4)
    0.9167

    The interval is normal on the logit scale with the number of positives as its n (Boyd, Eng and Page 2013, section
    3.1), which holds its level where bootstraps do not; `trials` is the number to take instead where positives belong
    together, that of their groups. Perfect ranking has the Clopper-Pearson bound of disjoint
    pairs that its AUC has. Undefined without images of the class; 1 without others.
    """
    n = len(positives) + len(negatives)
    if not len(positives):
        return intervals.undefined("no image of this class", n)
    hits, called = _steps(positives, negatives)
    gained = np.diff(hits, prepend=0) / len(positives)
    value = min(float((gained * hits / called).sum()), 1.0)
    if not len(negatives):
        return Number(1.0, None, None, n, "no image outside this class, hence no interval")
    if value >= 1 - 1e-12:
        number = intervals.auc(1.0, None, trials or len(positives), len(negatives), confidence)
        return Number(1.0, number.low, 1.0, n)
    logit = math.log(value / (1 - value))
    reach = normal_quantile(confidence) / math.sqrt((trials or len(positives)) * value * (1 - value))
    low, high = (1 / (1 + math.exp(-end)) for end in (logit - reach, logit + reach))
    return Number(value, min(low, value), max(high, value), n)


def precision_recall_curve(
    positives: Float[np.ndarray, " positives"],
    negatives: Float[np.ndarray, " negatives"],
    points: int = 200,
    groups: Int[np.ndarray, " images"] | None = None,
) -> PrecisionRecallCurve | None:
    """The precision at every recall; None without images inside and outside the class.

    >>> curve = precision_recall_curve(np.array([0.9, 0.4]), np.array([0.5, 0.1]))
    >>> curve.recall, [round(value, 2) for value in curve.precision], curve.prevalence
    ((0.0, 0.5, 0.5, 1.0, 1.0), [1.0, 1.0, 0.5, 0.67, 0.5], 0.5)

    At most about `points` points, thinned at equal steps of recall and of precision. Between points nothing may be
    drawn straight (Davis and Goadrich 2006); the figure steps. `groups` are those of the positives, then of the
    negatives; the limits then take groups as independent.
    """
    if min(len(positives), len(negatives)) == 0:
        return None
    hits, called = _steps(positives, negatives)
    recall, precision = hits / len(positives), hits / called
    recall, precision = np.append(0.0, recall), np.append(precision[0], precision)
    called = np.append(called[0], called)
    if len(recall) > points:
        along = np.append(0.0, np.cumsum(np.abs(np.diff(recall)) + np.abs(np.diff(precision))))
        keep = np.searchsorted(along, np.linspace(0, along[-1], points)).clip(0, len(recall) - 1)
        keep = np.union1d(keep, [0, len(recall) - 1])
        recall, precision, called = recall[keep], precision[keep], called[keep]
    order = np.argsort(-np.concatenate([positives, negatives]), kind="stable")
    grouped = None if groups is None else groups[order]
    low, high = pointwise_limits(order < len(positives), called, grouped, precision=True)
    prevalence = len(positives) / (len(positives) + len(negatives))
    recall, precision, low, high = (tuple(values.tolist()) for values in (recall, precision, low, high))
    return PrecisionRecallCurve(recall, precision, prevalence, low, high)


def _steps(
    positives: Float[np.ndarray, " positives"], negatives: Float[np.ndarray, " negatives"]
) -> tuple[Int[np.ndarray, " thresholds"], Int[np.ndarray, " thresholds"]]:
    """Of every threshold, the highest first: positives at or above it, and all images at or above it."""
    scores = np.concatenate([positives, negatives])
    order = np.argsort(-scores, kind="stable")
    last_of_tie = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    return np.cumsum(order < len(positives))[last_of_tie], last_of_tie + 1
