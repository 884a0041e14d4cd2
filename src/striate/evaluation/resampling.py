"""The bootstrap of what follows from sums over units (images, or groups of them), with bias-corrected limits."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int

from striate.evaluation.intervals import CONFIDENCE

if TYPE_CHECKING:
    from scipy.sparse import csr_array

RESAMPLES = 10_000
MOST_DRAWS = 50_000_000
"""Resamples times units; more units get fewer resamples, never under a thousand."""
MOST_CELLS = 64
"""Up to so many different units, how often each is drawn is one multinomial draw."""
NEAR = 0.05
"""Of the resamples' deviation: what is so near to the value counts half as below it.

A score of few errors takes few values; those of as many errors as there are lie all just below it, or all just above.
"""
ROWS_AT_ONCE = 4096
"""Units that are left out in one call of a statistic."""
Statistic = Callable[[Float64[np.ndarray, "some columns"]], Float64[np.ndarray, "some statistics"]]
"""Numbers from the sums of each column, row by row; NaN where one is undefined."""


@dataclass(frozen=True, eq=False)
class Resampled:
    """Statistics as they are (`values`), as resamples have them, and as they are without one unit."""

    values: Float64[np.ndarray, " statistics"]
    draws: Float64[np.ndarray, "resamples statistics"]
    left_out: Float64[np.ndarray, "units statistics"]
    frequency: Float64[np.ndarray, " units"]
    """How many units are alike, and so stand for one row of `left_out`."""

    def limits(self, column: int, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
        """The limits of one ratio; None where resamples do not differ."""
        return bca_limits(
            self.values[column], self.draws[:, column], self.left_out[:, column], self.frequency, confidence
        )

    def limits_of_mean(
        self, columns: list[int], confidence: float = CONFIDENCE
    ) -> tuple[float, float] | None:
        """The limits of the mean of some ratios, as balanced accuracy is of recalls."""
        value = self.values[columns].mean()
        draws, left_out = self.draws[:, columns].mean(axis=1), self.left_out[:, columns].mean(axis=1)
        return bca_limits(value, draws, left_out, self.frequency, confidence)


def resample(
    numerators: Float64[np.ndarray, "units statistics"],
    denominators: Float64[np.ndarray, "units statistics"],
    seed: int,
) -> Resampled:
    """Draw units with replacement, 10,000 times, and take the ratios of their sums.

    The ratio of an accuracy has right images above and all images below, so units of unequal size are weighed as
    they should be. A ratio without a denominator in a resample is NaN there.

    >>> drawn = resample(np.array([[3.0], [1.0], [2.0]]), np.array([[4.0], [4.0], [4.0]]), seed=0)
    >>> drawn.values.tolist(), drawn.draws.shape
    ([0.5], (10000, 1))

    Source: Davison and Hinkley 1997, section 3.8 (whole clusters).
    """
    width = numerators.shape[1]

    def ratios(sums: Float64[np.ndarray, "some columns"]) -> Float64[np.ndarray, "some statistics"]:
        with np.errstate(invalid="ignore", divide="ignore"):
            return sums[:, :width] / sums[:, width:]

    return resample_sums(np.hstack([numerators, denominators]), ratios, seed)


def resample_sums(
    columns: Float64[np.ndarray, "units columns"], statistic: Statistic, seed: int
) -> Resampled:
    """Draw units with replacement, 10,000 times, and take what follows from the sums of their columns.

    >>> found = resample_sums(np.array([[3.0], [1.0], [2.0]]), np.sqrt, seed=0)
    >>> found.values.round(3).tolist(), found.left_out.round(3).tolist()
    ([2.449], [[2.236], [2.0], [1.732]])
    """
    cells, counts = np.unique(columns, axis=0, return_counts=True)
    return resample_cells(cells, counts, statistic, seed)


def resample_cells(
    cells: "Float64[np.ndarray, 'cells columns'] | csr_array",
    counts: Int[np.ndarray, " cells"],
    statistic: Statistic,
    seed: int,
) -> Resampled:
    """The same of units that are told apart already: `counts` of them are alike, and have one row of `cells`."""
    drawn = [statistic(weights @ cells) for weights in _weights(counts, seed)]
    totals = counts.astype(np.float64) @ cells
    rows = range(0, len(counts), ROWS_AT_ONCE)
    left_out = [statistic(totals - _dense(cells[start : start + ROWS_AT_ONCE])) for start in rows]
    return Resampled(
        values=statistic(totals[None])[0],
        draws=np.concatenate(drawn),
        left_out=np.concatenate(left_out),
        frequency=counts.astype(np.float64),
    )


def _dense(rows: "Float64[np.ndarray, 'some columns'] | csr_array") -> Float64[np.ndarray, "some columns"]:
    return rows if isinstance(rows, np.ndarray) else rows.toarray()


def bca_limits(
    value: float,
    draws: Float64[np.ndarray, " resamples"],
    left_out: Float64[np.ndarray, " units"],
    frequency: Float64[np.ndarray, " units"],
    confidence: float = CONFIDENCE,
) -> tuple[float, float] | None:
    """Bias-corrected and accelerated limits, at levels widened for few units; None where resamples do not differ.

    Sources: Efron 1987 (BCa); Hesterberg 2015, section 5.3 (expanded levels: a percentile interval of n units is as
    much too narrow as their standard deviation with divisor n and a normal quantile make it).
    """
    from scipy.special import ndtr, ndtri, stdtrit

    drawn, units = draws[np.isfinite(draws)], float(frequency.sum())
    if units < 2 or not np.isfinite(value) or len(drawn) == 0 or np.ptp(drawn) < 1e-12:
        return None
    near = np.abs(drawn - value) <= max(NEAR * float(drawn.std()), 1e-12)
    below = float(((drawn < value) & ~near).mean() + near.mean() / 2)
    bias = float(ndtri(min(max(below, 0.5 / len(drawn)), 1 - 0.5 / len(drawn))))
    reach = float(stdtrit(units - 1, 0.5 + confidence / 2)) * (units / (units - 1)) ** 0.5
    ends = bias + np.array([-reach, reach])
    stretch = 1 - _acceleration(left_out, frequency) * ends
    levels = ndtr(bias + ends / stretch) if (stretch > 0.1).all() else ndtr(bias + ends)
    low, high = np.quantile(drawn, levels).tolist()
    return min(low, value), max(high, value)


def _acceleration(left_out: Float64[np.ndarray, " units"], frequency: Float64[np.ndarray, " units"]) -> float:
    """A sixth of the skewness of the jackknife values."""
    known = np.isfinite(left_out)
    values, weights = left_out[known], frequency[known]
    distance = np.average(values, weights=weights) - values if len(values) else values
    spread = float((weights * distance**2).sum())
    return float((weights * distance**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0


def _weights(
    counts: Int[np.ndarray, " cells"], seed: int
) -> Iterator[Float64[np.ndarray, "resamples cells"]]:
    """How often each cell is drawn, some resamples at a time so that none takes much memory."""
    generator = np.random.Generator(np.random.Philox(seed))
    units, cells = int(counts.sum()), len(counts)
    if cells <= MOST_CELLS:
        yield generator.multinomial(units, counts / units, size=RESAMPLES).astype(np.float64)
        return
    wanted = max(1000, min(RESAMPLES, MOST_DRAWS // units))
    each = max(1, 4_000_000 // units)
    cell_of_unit = np.repeat(np.arange(cells), counts)
    for start in range(0, wanted, each):
        some = min(each, wanted - start)
        drawn = cell_of_unit[generator.integers(0, units, (some, units))]
        drawn += np.arange(some)[:, None] * cells
        yield np.bincount(drawn.ravel(), minlength=some * cells).reshape(some, cells).astype(np.float64)
