"""The difference of two areas under the ROC curve on the same images: DeLong's test, and by groups Obuchowski's."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from striate.evaluation.comparing.paired import score_limits
from striate.evaluation.intervals import CONFIDENCE, Number, normal_quantile, undefined


@dataclass(frozen=True)
class AucDifference:
    """The areas of two runs, their difference (other minus reference) and its two-sided p; None where undefined."""

    reference: float | None
    other: float | None
    difference: Number
    p: float | None


def auc_difference(
    reference: Float[np.ndarray, " images"],
    other: Float[np.ndarray, " images"],
    inside: Bool[np.ndarray, " images"],
    groups: Int[np.ndarray, " images"] | None = None,
    confidence: float = CONFIDENCE,
) -> AucDifference:
    """Compare how two runs rank the images inside a class above those outside it.

    `reference` and `other` are scores; `groups` numbers what belongs together, whose images are then not taken as
    independent. Where the ranks of the two say nothing of the spread (both perfect, or the same), the interval is
    Tango's for min(inside, outside) disjoint pairs of an image of each kind: wide, never of zero width.

    >>> inside = np.array([True, True, True, False, False, False])
    >>> found = auc_difference(np.array([.9, .4, .6, .5, .3, .7]), np.array([.9, .8, .7, .2, .1, .3]), inside)
    >>> round(found.reference, 3), found.other, round(found.difference.value, 3)
    (0.667, 1.0, 0.333)

    Sources: DeLong, DeLong and Clarke-Pearson 1988; Sun and Xu 2014; Obuchowski 1997 (clusters).
    """
    positives, negatives = int(inside.sum()), int((~inside).sum())
    n = positives + negatives
    if not positives or not negatives:
        return AucDifference(None, None, undefined("needs images inside and outside the class", n), None)
    before, after = placements_of(reference, inside), placements_of(other, inside)
    areas = float(before[inside].mean()), float(after[inside].mean())
    value = areas[1] - areas[0]
    variance = variance_of(after - before, inside, groups)
    if variance is None or variance <= 1e-15:
        trials = min(positives, negatives)
        low, high = score_limits(max(value, 0.0) * trials, max(-value, 0.0) * trials, trials, confidence)
        number = Number(value, min(low, value), max(high, value), n)
        return AucDifference(*areas, number, 1.0 if value == 0 else None)
    from scipy.special import ndtr

    error = float(np.sqrt(variance))
    reach = normal_quantile(confidence) * error
    number = Number(value, max(value - reach, -1.0), min(value + reach, 1.0), n)
    return AucDifference(*areas, number, min(2 * float(ndtr(-abs(value) / error)), 1.0))


def placements_of(
    scores: Float[np.ndarray, " images"], inside: Bool[np.ndarray, " images"]
) -> Float64[np.ndarray, " images"]:
    """For each image, the share of the other kind that it is ranked rightly against, ties counting one half."""
    found = np.empty(len(scores))
    for mask, sign in ((inside, 1.0), (~inside, -1.0)):
        others = np.sort(sign * scores[~mask])
        own = sign * scores[mask]
        below = np.searchsorted(others, own, side="left") + np.searchsorted(others, own, side="right")
        found[mask] = below / (2 * len(others))
    return found


def variance_of(
    placements: Float64[np.ndarray, " images"],
    inside: Bool[np.ndarray, " images"],
    groups: Int[np.ndarray, " images"] | None,
) -> float | None:
    """Of the mean placement; None with one image of a kind, or one group."""
    kinds = placements[inside], placements[~inside]
    if groups is None:
        if min(map(len, kinds)) < 2:
            return None
        return float(sum(kind.var(ddof=1) / len(kind) for kind in kinds))
    shares = np.where(
        inside, (placements - kinds[0].mean()) / len(kinds[0]), (placements - kinds[1].mean()) / len(kinds[1])
    )
    sums = np.bincount(groups, weights=shares)
    count = len(np.unique(groups))
    return None if count < 2 else float((sums**2).sum() * count / (count - 1))
