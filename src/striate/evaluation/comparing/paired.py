"""Two classifiers on the same images: how often they agree, the difference with its score interval, exact tests.

A difference is always that of the other run minus the reference, so a positive one speaks for the other run.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from striate.evaluation.intervals import CONFIDENCE, Number, normal_quantile, undefined


@dataclass(frozen=True)
class Agreement:
    """Images that both runs have right, only the reference, only the other, and neither.

    >>> Agreement(59, 6, 16, 80).n
    161
    """

    both: int
    only_reference: int
    only_other: int
    neither: int

    @property
    def n(self) -> int:
        """All images."""
        return self.both + self.only_reference + self.only_other + self.neither

    @property
    def discordant(self) -> int:
        """Images that exactly one of the two has right; the others say nothing of the difference."""
        return self.only_reference + self.only_other

    def to_dict(self) -> dict[str, int]:
        """The four counts."""
        return dict(vars(self))


def agreement(reference: Bool[np.ndarray, " images"], other: Bool[np.ndarray, " images"]) -> Agreement:
    """The four counts of which run has which image right.

    >>> agreement(np.array([True, True, False]), np.array([True, False, False]))
    Agreement(both=1, only_reference=1, only_other=0, neither=1)
    """
    counts = np.bincount(2 * reference.astype(np.int64) + other, minlength=4).tolist()
    return Agreement(both=counts[3], only_reference=counts[2], only_other=counts[1], neither=counts[0])


@dataclass(frozen=True)
class McNemar:
    """Two-sided p of McNemar's test: exact, and mid-p, which is less conservative."""

    exact: float
    mid: float


def mcnemar(counts: Agreement) -> McNemar:
    """McNemar's test that both runs are right equally often, images being independent.

    >>> found = mcnemar(Agreement(59, 6, 16, 80))
    >>> round(found.exact, 4), round(found.mid, 4)
    (0.0525, 0.0347)

    The discordant images fall to either side as a fair coin would. Without a discordant image both are 1. Sources:
    McNemar 1947; Fagerland, Lydersen and Laake 2013, equations 3 and 4.
    """
    from scipy.special import bdtr

    n, least = counts.discordant, min(counts.only_reference, counts.only_other)
    if n == 0:
        return McNemar(1.0, 1.0)
    upto = float(bdtr(least, n, 0.5))
    below = float(bdtr(least - 1, n, 0.5)) if least else 0.0
    mid = upto + below if 2 * least < n else 1 - (upto - below) / 2
    return McNemar(min(2 * upto, 1.0), min(mid, 1.0))


def flip_p(differences: Int[np.ndarray, " groups"]) -> float:
    """The exact two-sided p of a sum of group differences, where chance swaps the runs a whole group at a time.

    `differences` holds, for each group, how many more of its images the other run has right. With one image a group
    this is McNemar's exact test; with several, images of one patient count as one observation, as they should.
    Source: Fisher 1935, section 21 (sign flips); Winkler et al. 2015 (whole blocks).

    >>> round(flip_p(np.array([1] * 16 + [-1] * 6)), 4), flip_p(np.array([4, 0, 0]))
    (0.0525, 1.0)
    """
    from scipy.special import bdtr

    chances = np.ones(1)
    for size, groups in zip(
        *np.unique(np.abs(differences[differences != 0]), return_counts=True), strict=True
    ):
        steps = np.arange(groups + 1)
        part = np.zeros(2 * size * groups + 1)
        part[:: 2 * size] = np.diff(bdtr(steps, groups, 0.5), prepend=0.0)
        chances = np.convolve(chances, part)
    reach = len(chances) // 2
    sums = np.abs(np.arange(-reach, reach + 1))
    return min(float(chances[sums >= abs(int(differences.sum()))].sum()), 1.0)


def score_difference(counts: Agreement, confidence: float = CONFIDENCE) -> Number:
    """The difference of two paired proportions, other minus reference, with Tango's score interval.

    >>> number = score_difference(Agreement(59, 6, 16, 80))
    >>> round(number.value, 4), round(number.low, 4), round(number.high, 4)
    (0.0621, 0.0054, 0.124)

    Never of zero width: where no image tells the runs apart it reaches z²/(n + z²) to both sides. Undefined without
    images. Source: Tango 1998, equation 9; its limits are found by bisection.
    """
    if counts.n == 0:
        return undefined("no cases")
    low, high = score_limits(counts.only_other, counts.only_reference, counts.n, confidence)
    value = (counts.only_other - counts.only_reference) / counts.n
    return Number(value, min(low, value), max(high, value), counts.n)


def score_limits(
    more: float | int, less: float | int, n: int, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Tango's limits of `(more - less) / n`; the counts of discordant pairs need not be whole."""
    z = normal_quantile(confidence)
    return _where_statistic_is(z, more, less, n), _where_statistic_is(-z, more, less, n)


def holm(chances: Sequence[float | None]) -> list[float | None]:
    """Holm's adjusted p of a family of tests, in their order; what is None takes no part.

    >>> holm([0.01, None, 0.04, 0.03])
    [0.03, None, 0.06, 0.06]

    Source: Holm 1979.
    """
    known = sorted((chance, place) for place, chance in enumerate(chances) if chance is not None)
    adjusted: list[float | None] = [None] * len(chances)
    largest = 0.0
    for rank, (chance, place) in enumerate(known):
        largest = max(largest, min((len(known) - rank) * chance, 1.0))
        adjusted[place] = largest
    return adjusted


def _where_statistic_is(wanted: float, more: float | int, less: float | int, n: int) -> float:
    """The difference at which the score statistic, which falls as the difference grows, has a value."""
    low, high = -1.0, 1.0
    while high - low > 1e-14:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if _score_statistic(middle, more, less, n) > wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _score_statistic(difference: float, more: float | int, less: float | int, n: int) -> float:
    b = -more - less + (2 * n - more + less) * difference
    root = math.sqrt(max(b * b + 8 * n * less * difference * (1 - difference), 0.0))
    # The likeliest share of pairs where only the reference is right, given the difference; without cancellation.
    product = 2 * less * difference * (1 - difference)
    share = product / (b + root) if b > 0 else (root - b) / (4 * n)
    variance = n * (2 * share + difference * (1 - difference))
    distance = more - less - n * difference
    if variance <= 0:
        return 0.0 if distance == 0 else math.copysign(math.inf, distance)
    return distance / math.sqrt(variance)
