"""Intervals where images belong together: several of a patient, a part or a writer, which are not independent.

A proportion keeps Wilson's form with fewer images than there are: as many independent ones as would spread as much as
the groups do (Dean and Pagano 2015, the modified Wilson interval; Korn and Graubard 1998 for the degrees of freedom).
"""

import math
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from striate.evaluation.comparing.paired_auc import placements_of, variance_of
from striate.evaluation.intervals import CONFIDENCE, Number, auc, positive_mean, undefined, wilson_limits

ALIKE = 1e-20
"""A variance below it is what rounding leaves of none."""


def clustered_proportion(
    successes: Bool[np.ndarray, " images"],
    cases: Bool[np.ndarray, " images"],
    groups: Int[np.ndarray, " images"],
    why_not: str = "no cases",
    confidence: float = CONFIDENCE,
) -> Number:
    """The share of successes among the cases, with an interval that takes groups, not images, as independent.

    >>> right = np.array([True] * 45 + [False] * 5)
    >>> alone = clustered_proportion(right, np.full(50, True), np.arange(50))
    >>> together = clustered_proportion(right, np.full(50, True), np.arange(50) // 5)  # ten patients, one all wrong
    >>> round(alone.low, 2), round(together.low, 2)
    (0.78, 0.52)

    `n` counts images. Where no group differs from the others the number of groups stands for that of images, so the
    interval is never of zero width; one group alone has none.
    """
    images, count = int(cases.sum()), len(np.unique(groups[cases]))
    if images == 0:
        return undefined(why_not)
    share = float(successes[cases].mean())
    if count == 1 and images > 1:
        return Number(share, None, None, images, "one group, hence no interval")
    n = _effective(share, successes, cases, groups, count)
    return Number(share, *wilson_limits(share, n, _quantile(count, confidence)), images)


def clustered_f1(
    called: Bool[np.ndarray, " images"],
    inside: Bool[np.ndarray, " images"],
    groups: Int[np.ndarray, " images"],
    confidence: float = CONFIDENCE,
) -> Number:
    """F1 from the interval of the Jaccard index, as of independent images, with groups as units."""
    jaccard = clustered_proportion(
        called & inside, called | inside, groups, "no image is of this class or called so", confidence
    )
    if jaccard.value is None or jaccard.low is None or jaccard.high is None:
        mapped = None if jaccard.value is None else 2 * jaccard.value / (1 + jaccard.value)
        return Number(mapped, None, None, jaccard.n, jaccard.reason)
    value, low, high = (2 * j / (1 + j) for j in (jaccard.value, jaccard.low, jaccard.high))
    return Number(value, low, high, jaccard.n)


def clustered_mean(
    values: Float64[np.ndarray, " images"], groups: Int[np.ndarray, " images"], confidence: float = CONFIDENCE
) -> Number:
    """The mean of a positive quantity such as the log loss, with groups as units."""
    n, count = len(values), len(np.unique(groups))
    if n == 0:
        return undefined("no cases")
    mean = float(values.mean())
    variance = _variance(values - mean, np.full(n, True), groups, count)
    # of as many images as there are, the deviation whose mean would spread as much as that of the groups
    deviation = math.sqrt(variance * n) if count > 1 else None
    return positive_mean(mean, deviation, n, confidence)


def clustered_auc(
    scores: Float[np.ndarray, " images"],
    inside: Bool[np.ndarray, " images"],
    groups: Int[np.ndarray, " images"],
    confidence: float = CONFIDENCE,
) -> Number:
    """The area under the ROC curve with the variance of whole groups (Obuchowski 1997), on the logit scale.

    Where that is zero, the bound comes from as many disjoint pairs as the kind of fewer groups has.
    """
    n, positives = len(scores), int(inside.sum())
    if not 0 < positives < n:
        return undefined("needs images inside and outside the class", n)
    placements = placements_of(scores, inside)
    value = float(placements[inside].mean())
    own, others = (len(np.unique(groups[mask])) for mask in (inside, ~inside))
    number = auc(value, variance_of(placements, inside, groups), own, others, confidence)
    return replace(number, n=n)


def effective_size(
    successes: Bool[np.ndarray, " images"],
    cases: Bool[np.ndarray, " images"],
    groups: Int[np.ndarray, " images"],
) -> float:
    """As many independent images as have a share that spreads as much as that of these groups; some case is needed."""
    share = float(successes[cases].mean())
    return _effective(share, successes, cases, groups, len(np.unique(groups[cases])))


def _effective(
    share: float,
    successes: Bool[np.ndarray, " images"],
    cases: Bool[np.ndarray, " images"],
    groups: Int[np.ndarray, " images"],
    count: int,
) -> float:
    """As many independent images as spread as much as these groups do; no more than there are images."""
    variance = _variance(successes - share, cases, groups, count)
    if share in (0.0, 1.0) or variance <= ALIKE:
        return float(count)
    return min(share * (1 - share) / variance, float(cases.sum()))


def _variance(
    away: Float64[np.ndarray, " images"],
    cases: Bool[np.ndarray, " images"],
    groups: Int[np.ndarray, " images"],
    count: int,
) -> float:
    """Of the mean of the cases, from the sums of each group's distances from it (Cochran 1977, section 3.12)."""
    if count < 2:
        return 0.0
    sums = np.bincount(groups[cases], weights=away[cases])
    return float((sums**2).sum() * count / (count - 1)) / float(cases.sum()) ** 2


def _quantile(count: int, confidence: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(max(count - 1, 1), 0.5 + confidence / 2))
