"""The part of the ROC curve that matters where a class must not be missed."""

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from striate.errors import UsageError
from striate.evaluation.intervals import Number, undefined, wilson
from striate.evaluation.resampling import bca_limits

RESAMPLES = 2000
NUMBERS_AT_ONCE = 4_000_000


def partial_auc(
    scores: Float[np.ndarray, " images"],
    inside: Bool[np.ndarray, " images"],
    sensitivity: float = 0.9,
    groups: Int[np.ndarray, " images"] | None = None,
    seed: int = 0,
) -> Number:
    """The mean specificity over all sensitivities from the given one up to 1: 1 is perfect, (1 - s) / 2 is chance.

    >>> inside = np.array([True] * 4 + [False] * 4)
    >>> partial_auc(np.array([.9, .8, .7, .4, .6, .5, .3, .2]), inside, 0.5).value  # of the two lowest positives
    0.75

    With sensitivity 0 it is the whole area. Ties count one half. The interval is BCa over 2,000 resamples of images,
    or of whole groups; where resamples do not differ, Wilson's of as many disjoint pairs as the smaller kind has.
    UsageError unless 0 <= sensitivity < 1. Source: Jiang, Metz and Nishikawa 1996 (the partial area index).
    """
    if not 0 <= sensitivity < 1:
        raise UsageError(f"sensitivity={sensitivity}: it lies from 0 up to, but not at, 1; 0.9 is common.")
    positives, negatives = int(inside.sum()), int((~inside).sum())
    n = positives + negatives
    if not positives or not negatives:
        return undefined("needs images inside and outside the class", n)
    unit = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    order = np.argsort(scores, kind="stable")
    ranked = _Ranked(scores[order], inside[order], unit[order], sensitivity)
    units = int(unit.max()) + 1
    value = float(ranked.areas(np.ones((1, units)))[0])
    generator = np.random.Generator(np.random.Philox(seed))
    each = max(1, NUMBERS_AT_ONCE // n)
    draws = []
    for start in range(0, RESAMPLES, each):
        drawn = generator.integers(0, units, (min(each, RESAMPLES - start), units))
        draws.append(
            ranked.areas(np.stack([np.bincount(row, minlength=units) for row in drawn]).astype(float))
        )
    limits = bca_limits(value, np.concatenate(draws), ranked.left_out(units, each), np.ones(units))
    if limits is None:
        pairs = min(positives, negatives)
        known = wilson(round(value * pairs), pairs)
        limits = min(known.low or 0.0, value), max(known.high or 0.0, value)
    return Number(value, max(limits[0], 0.0), min(limits[1], 1.0), n)


class _Ranked:
    """Images by rising score, so that the area of any weighting of their units is two running sums."""

    def __init__(
        self,
        scores: Float[np.ndarray, " images"],
        inside: Bool[np.ndarray, " images"],
        unit: Int[np.ndarray, " images"],
        sensitivity: float,
    ) -> None:
        self.first = np.append(0, np.flatnonzero(np.diff(scores)) + 1)  # of each run of equal scores
        self.inside, self.unit, self.share = inside, unit, 1 - sensitivity

    def areas(self, weights: Float64[np.ndarray, "some units"]) -> Float64[np.ndarray, " some"]:
        """The area of each weighting; NaN where it leaves one kind without images."""
        each = weights[:, self.unit]
        inside = np.add.reduceat(each * self.inside, self.first, axis=1)
        outside = np.add.reduceat(each * ~self.inside, self.first, axis=1)
        wanted = self.share * inside.sum(axis=1, keepdims=True)
        before = np.cumsum(inside, axis=1) - inside
        taken = np.clip(wanted - before, 0, inside)  # of the lowest positives, up to the share that is wanted
        part = np.divide(taken, inside, out=np.zeros_like(taken), where=inside > 0)
        below = np.cumsum(outside, axis=1) - outside + outside * part / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            return (taken * below).sum(axis=1) / (wanted[:, 0] * outside.sum(axis=1))

    def left_out(self, units: int, each: int) -> Float64[np.ndarray, " units"]:
        """The area without each unit; of many units, of a thousand evenly chosen ones."""
        chosen = np.unique(np.linspace(0, units - 1, min(units, 1000)).astype(int))
        found = np.full(units, np.nan)
        for start in range(0, len(chosen), each):
            some = chosen[start : start + each]
            weights = np.ones((len(some), units))
            weights[np.arange(len(some)), some] = 0
            found[some] = self.areas(weights)
        return found
