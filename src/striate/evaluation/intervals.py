"""A number with its interval: Wilson, MOVER, DeLong and their kin, as pure functions of counts.

Every interval takes the images as independent and the classifier as fixed. Several images of one patient or
one part are not independent; the interval is then too narrow.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from striate.drawing.numbers import decimal, percent

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Number:
    """An estimate, its interval and the number of cases behind it; None with a reason where it is undefined.

    >>> Number(0.941, 0.921, 0.956, 712).to_dict()
    {'value': 0.941, 'low': 0.921, 'high': 0.956, 'n': 712}
    >>> f"{Number(0.941, 0.921, 0.956, 712):%}"
    '94.1 % (92.1–95.6, n = 712)'

    As text with no more digits than its interval allows: `%` for a share in per cent, nothing for a plain number.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None = None

    def to_dict(self) -> dict[str, float | int | str | None]:
        """Value, low, high, n, and the reason where there is one, for JSON: what is missing is None, never NaN."""
        known = {"value": self.value, "low": self.low, "high": self.high, "n": self.n}
        return known if self.reason is None else {**known, "reason": self.reason}

    def __format__(self, spec: str) -> str:
        """The number with its interval and n, as the report writes it; ValueError for other formats than % and none."""
        if spec not in {"", "%"}:
            raise ValueError(
                f"A number with its interval is written with the format % or none, not {spec!r}."
            )
        return percent(self) if spec else decimal(self)


def undefined(reason: str, n: int = 0) -> Number:
    """A number that does not exist, and why."""
    return Number(None, None, None, n, reason)


@lru_cache(maxsize=16)
def normal_quantile(confidence: float) -> float:
    """The two-sided standard normal quantile: 1.96 at 0.95. ValueError unless 0 < confidence < 1."""
    from statistics import NormalDist

    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it lies between 0 and 1, such as 0.95")
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def wilson(successes: int, n: int, confidence: float = CONFIDENCE) -> Number:
    """The proportion `successes / n` with Wilson's score interval.

    >>> number = wilson(264, 270)
    >>> round(number.value, 4), round(number.low, 4), round(number.high, 4)
    (0.9778, 0.9524, 0.9898)

    Without cases (`n = 0`) the value is None. ValueError unless 0 <= successes <= n. Source: Wilson 1927;
    Brown, Cai and DasGupta 2001, equation 4.
    """
    if not 0 <= successes <= n:
        raise ValueError(
            f"{successes} successes of {n} cases: successes lie between 0 and the number of cases"
        )
    if n == 0:
        return undefined("no cases")
    share = successes / n
    return Number(share, *wilson_limits(share, float(n), normal_quantile(confidence)), n)


def wilson_limits(share: float, n: int | float, z: float) -> tuple[float, float]:
    """Wilson's limits of a share of `n` cases, which need not be whole, at `z` standard errors."""
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if share == 0 else min(max(centre - reach, 0.0), share)
    high = 1.0 if share == 1 else max(min(centre + reach, 1.0), share)
    return low, high


def mean_of_proportions(
    successes: Sequence[int], totals: Sequence[int], confidence: float = CONFIDENCE
) -> Number:
    """The unweighted mean of independent proportions, as balanced accuracy is of recalls.

    >>> number = mean_of_proportions([9, 1], [10, 2])
    >>> number.value, round(number.low, 3), round(number.high, 3)
    (0.7, 0.447, 0.907)

    The Wilson interval of each proportion is combined by the method of variance estimates recovery (MOVER):
    the distances from each proportion to its limits are added in quadrature. A class without cases has no
    proportion: it is left out of the mean, and `reason` says so. Source: Zou and Donner 2008, equations 3
    and 4; Newcombe 2001.
    """
    parts = [wilson(s, n, confidence) for s, n in zip(successes, totals, strict=True) if n > 0]
    absent = len(totals) - len(parts)
    if not parts:
        return undefined("no cases")
    k = len(parts)
    value = sum(part.value or 0.0 for part in parts) / k
    below = math.sqrt(sum(((p.value or 0.0) - (p.low or 0.0)) ** 2 for p in parts)) / k
    above = math.sqrt(sum(((p.high or 0.0) - (p.value or 0.0)) ** 2 for p in parts)) / k
    reason = f"mean over {k} of {len(totals)} classes: {absent} without images" if absent else None
    return Number(value, max(value - below, 0.0), min(value + above, 1.0), int(sum(totals)), reason)


def f1(
    true_positives: int, false_positives: int, false_negatives: int, confidence: float = CONFIDENCE
) -> Number:
    """F1 with the Wilson interval of the Jaccard index, mapped through `f1 = 2 j / (1 + j)`.

    >>> number = f1(8, 1, 1)
    >>> round(number.value, 3), round(number.low, 3), round(number.high, 3), number.n
    (0.889, 0.658, 0.971, 10)

    The Jaccard index is the proportion of true positives in the union of the images that are of the class
    and those called so; the map is monotone, so the limits map with it. The interval is conditional on the
    size of that union, which is `n`. An empty union leaves F1 undefined.
    """
    union = true_positives + false_positives + false_negatives
    if union == 0:
        return undefined("no image is of this class or called so")
    jaccard = wilson(true_positives, union, confidence)
    value, low, high = (
        2 * j / (1 + j) for j in (jaccard.value or 0.0, jaccard.low or 0.0, jaccard.high or 0.0)
    )
    return Number(value, min(low, value), max(high, value), union)


def auc(
    value: float, variance: float | None, positives: int, negatives: int, confidence: float = CONFIDENCE
) -> Number:
    """An area under the ROC curve with its interval from DeLong's variance, taken on the logit scale.

    >>> number = auc(0.9, 0.001, 40, 60)
    >>> round(number.low, 3), round(number.high, 3)
    (0.819, 0.947)
    >>> perfect = auc(1.0, 0.0, 20, 250)
    >>> round(perfect.low, 3), perfect.high
    (0.832, 1.0)

    Where the variance is zero or unknown (perfect separation, one positive, scores all tied) it says
    nothing. The bound then comes from min(positives, negatives) disjoint pairs of a positive and a
    negative: whichever way they are drawn, their mean estimates the same area, so the Clopper-Pearson
    interval of that many trials is a conservative bound, exact for perfect separation, and never of zero
    width. Sources: DeLong 1988; Pepe 2003, section 5.2.4 (logit); Clopper and Pearson 1934.
    """
    n = positives + negatives
    if positives == 0 or negatives == 0:
        return undefined("needs images inside and outside the class", n)
    if variance is None or variance <= 1e-15 or value in (0.0, 1.0):
        low, high = _clopper_pearson(value * min(positives, negatives), min(positives, negatives), confidence)
        return Number(value, min(low, value), max(high, value), n)
    logit = math.log(value / (1 - value))
    reach = normal_quantile(confidence) * math.sqrt(variance) / (value * (1 - value))
    return Number(value, min(_expit(logit - reach), value), max(_expit(logit + reach), value), n)


def positive_mean(
    mean: float, standard_deviation: float | None, n: int, confidence: float = CONFIDENCE
) -> Number:
    """The mean of a positive, skewed quantity such as the log loss, with a normal interval on the log scale.

    >>> number = positive_mean(0.10, 0.30, 270)
    >>> round(number.low, 3), round(number.high, 3)
    (0.07, 0.143)

    `mean * exp(±z s / (mean √n))` (delta method). On simulated losses of a good classifier it covers as
    often as the BCa bootstrap with 999 resamples (91 % of 95 % at n = 270, 94 % at n = 2000), stays above
    zero and needs no resampling of a million images. Few images carry most of a log loss: below some
    hundred images the interval is too narrow, whichever method makes it. Without spread (one image, equal
    losses) there is no interval.
    """
    if n == 0:
        return undefined("no cases")
    if not standard_deviation or mean <= 0:
        return Number(mean, None, None, n, "no spread between images, hence no interval")
    ratio = normal_quantile(confidence) * standard_deviation / (mean * math.sqrt(n))
    return Number(mean, mean * math.exp(-ratio), mean * math.exp(min(ratio, 700.0)), n)


def _clopper_pearson(successes: float, n: int, confidence: float) -> tuple[float, float]:
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    low = 0.0 if successes <= 0 else float(betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes >= n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    return low, high


def _expit(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))
