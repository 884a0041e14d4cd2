"""Intervals at every point of a curve at once: of sensitivity along a ROC curve, of precision along the other."""

import numpy as np
from jaxtyping import Bool, Float64, Int

from striate.evaluation.clustered import ALIKE
from striate.evaluation.intervals import CONFIDENCE, normal_quantile

Along = Float64[np.ndarray, " points"]


def pointwise_limits(
    inside: Bool[np.ndarray, " images"],
    called: Int[np.ndarray, " points"],
    groups: Int[np.ndarray, " images"] | None,
    *,
    precision: bool,
    confidence: float = CONFIDENCE,
) -> tuple[Along, Along]:
    """The limits of sensitivity, or of precision, when the first `called` images of a ranking are called positive.

    >>> low, high = pointwise_limits(np.array([True, True, False]), np.array([0, 2, 3]), None, precision=False)
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([0.0, 0.34, 0.34], [0.66, 1.0, 1.0])

    `inside` says of every image, the surest first, whether it is of the class. Each limit holds for its point alone,
    not for the curve as a whole. Wilson's interval; with `groups`, that of `clustered_proportion`. Where nothing is
    called, or only images of one group, everything from 0 to 1 is possible.
    """
    if groups is None:
        hits = np.append(0, np.cumsum(inside))[called].astype(np.float64)
        cases = called.astype(np.float64) if precision else np.full(len(called), float(inside.sum()))
        return _limits(hits, cases, cases, np.full(len(called), normal_quantile(confidence)))
    units = np.unique(groups, return_inverse=True)[1]
    hits = _by_group(units, called, inside)
    cases = _by_group(units, called, np.full(len(inside), True))
    if not precision:
        cases = np.repeat(np.bincount(units, inside, len(cases))[:, None], len(called), axis=1)
    return _clustered(hits, cases, confidence)


def _by_group(
    units: Int[np.ndarray, " images"],
    called: Int[np.ndarray, " points"],
    counted: Bool[np.ndarray, " images"],
) -> Float64[np.ndarray, "groups points"]:
    """How many of the counted images each group has among those called at each point."""
    points = len(called)
    first = np.searchsorted(
        called, np.arange(len(units)), side="right"
    )  # point from which an image is called
    reached = counted & (first < points)
    cells = units[reached] * points + first[reached]
    groups = int(units.max(initial=-1)) + 1
    return (
        np.bincount(cells, minlength=groups * points)
        .reshape(groups, points)
        .cumsum(axis=1)
        .astype(np.float64)
    )


def _clustered(
    hits: Float64[np.ndarray, "groups points"], cases: Float64[np.ndarray, "groups points"], confidence: float
) -> tuple[Along, Along]:
    from scipy.special import stdtrit

    found, total, count = hits.sum(axis=0), cases.sum(axis=0), (cases > 0).sum(axis=0).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = found / total
        variance = ((hits - share * cases) ** 2).sum(axis=0) * count / (count - 1) / total**2
        spread = np.minimum(share * (1 - share) / variance, total)
    quantile = stdtrit(np.maximum(count - 1, 1), 0.5 + confidence / 2)
    low, high = _limits(found, total, np.where(variance > ALIKE, spread, count), quantile)
    alone = (count == 1) & (total > 1)
    return np.where(alone, 0.0, low), np.where(alone, 1.0, high)


def _limits(hits: Along, cases: Along, n: Along, z: Along) -> tuple[Along, Along]:
    """Wilson's limits of the shares `hits / cases`, each of `n` independent images."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = hits / cases
        centre = (share + z * z / (2 * n)) / (1 + z * z / n)
        reach = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = np.where(share == 0, 0.0, np.minimum(np.maximum(centre - reach, 0.0), share))
    high = np.where(share == 1, 1.0, np.maximum(np.minimum(centre + reach, 1.0), share))
    nothing = cases == 0
    return np.where(nothing, 0.0, low), np.where(nothing, 1.0, high)
