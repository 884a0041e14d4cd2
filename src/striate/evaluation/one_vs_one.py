"""The area under the ROC curve for several classes: the mean over all pairs of classes, of each against the other."""

import numpy as np
from jaxtyping import Float, Float64, Int

from striate.evaluation import intervals
from striate.evaluation.intervals import CONFIDENCE, Number

MOST_CLASSES = 200
"""More classes have more than 19,900 pairs."""


def one_vs_one_auc(
    truth: Int[np.ndarray, " images"],
    probabilities: Float[np.ndarray, "images classes"],
    groups: Int[np.ndarray, " images"] | None = None,
    confidence: float = CONFIDENCE,
) -> Number:
    """How well any two classes are told apart, on average: it does not change with how many images each class has.

    >>> truth = np.array([0, 0, 1, 1, 2, 2])
    >>> probabilities = np.array([[.6, .3, .1], [.2, .5, .3], [.3, .6, .1], [.1, .8, .1], [.1, .2, .7], [.3, .3, .4]])
    >>> round(one_vs_one_auc(truth, probabilities).value, 4)
    0.9167

    Classes without images have no pair and are left out; `reason` says so. The variance is that of the mean of all
    pairs, each image's share in it added up (over its group where `groups` numbers what belongs together), and the
    interval is taken on the logit scale; where it is zero, from disjoint pairs, as for one class against the rest.
    Sources: Hand and Till 2001, equation 7; DeLong 1988, Obuchowski 1997 (the shares, alone and by clusters).
    """
    classes, n = probabilities.shape[1], len(truth)
    present = np.flatnonzero(np.bincount(truth, minlength=classes))
    if len(present) < 2:
        return intervals.undefined("needs images of two classes", n)
    if len(present) > MOST_CLASSES:
        return intervals.undefined(f"not computed for more than {MOST_CLASSES} classes", n)
    of = {index: np.flatnonzero(truth == index) for index in present.tolist()}
    areas, shares = [], np.zeros(n)
    for one in of:
        for other in of:
            if one != other:
                own, others = probabilities[of[one], one], probabilities[of[other], one]
                inside, outside = _above(own, others), 1 - _above(others, own)
                areas.append(float(inside.mean()))
                shares[of[one]] += (inside - areas[-1]) / len(own)
                shares[of[other]] += (outside - areas[-1]) / len(others)
    value, variance = float(np.mean(areas)), _variance(shares / len(areas), of, groups)
    fewest, next_fewest = sorted(len(rows) for rows in of.values())[:2]
    number = intervals.auc(min(max(value, 0.0), 1.0), variance, fewest, next_fewest, confidence)
    absent = classes - len(present)
    reason = f"mean over {len(present)} of {classes} classes: {absent} without images" if absent else None
    return Number(number.value, number.low, number.high, n, reason)


def _above(
    scores: Float[np.ndarray, " scores"], others: Float[np.ndarray, " others"]
) -> Float64[np.ndarray, " scores"]:
    """For each score, the share of the others below it, ties counting one half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, scores, side="left") + np.searchsorted(ordered, scores, side="right")
    return below / (2 * len(ordered))


def _variance(
    shares: Float64[np.ndarray, " images"],
    of: dict[int, Int[np.ndarray, " some"]],
    groups: Int[np.ndarray, " images"] | None,
) -> float | None:
    if groups is None:
        if min(map(len, of.values())) < 2:
            return None
        return float(sum((shares[rows] ** 2).sum() * len(rows) / (len(rows) - 1) for rows in of.values()))
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], weights=shares)
    return None if len(sums) < 2 else float((sums**2).sum() * len(sums) / (len(sums) - 1))
