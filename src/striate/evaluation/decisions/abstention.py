"""Answering only what one is sure of: accuracy against coverage, and the threshold for a wished one of the two.

`sureness` is any number that is larger where the classifier is surer: the highest probability, minus the energy,
minus a distance in feature space.
"""

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from striate.errors import UsageError
from striate.evaluation.intervals import Number, wilson
from striate.evaluation.metrics import Groups, proportion
from striate.evaluation.resampling import bca_limits

WISHES = ("coverage>=0.9", "error<=0.01")
POINTS = 200
RESAMPLES = 1000
_WISH = re.compile(r"(?:(coverage) *>=|(error) *<=) *(0?\.\d+|1(?:\.0*)?|0)", re.ASCII)


@dataclass(frozen=True)
class CoverageCurve:
    """Accuracy among the surest images, for drawing, by rising coverage; and the area of its error.

    `area` is the mean error over all coverages (AURC, 0 is best); `least` is what the same images would give, were
    all right ones surer than all wrong ones, and `chance` what they give in random order: the error itself.
    """

    coverage: tuple[float, ...]
    accuracy: tuple[float, ...]
    area: Number
    least: float
    chance: float

    def to_dict(self) -> dict[str, object]:
        """Everything as plain values."""
        return {**vars(self), "area": self.area.to_dict()}


@dataclass(frozen=True)
class Abstention:
    """No answer is given where `sureness` is below the `threshold`; chosen on validation by a `wish`.

    `coverage` and `error` are what it gave there: the share of images answered, and of wrong ones among those.
    """

    score: str
    threshold: float
    wish: str
    coverage: Number
    error: Number

    def to_dict(self) -> dict[str, object]:
        """Plain values, for the run's own file."""
        return {**vars(self), "coverage": self.coverage.to_dict(), "error": self.error.to_dict()}


def coverage_curve(
    sureness: Float[np.ndarray, " images"],
    right: Bool[np.ndarray, " images"],
    groups: Int[np.ndarray, " images"] | None = None,
    seed: int = 0,
) -> CoverageCurve | None:
    """Accuracy among the surest share of images, for every share; None without images.

    >>> found = coverage_curve(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, True, False, True]))
    >>> found.coverage, [round(value, 2) for value in found.accuracy], round(found.area.value, 3)
    ((0.25, 0.5, 0.75, 1.0), [1.0, 1.0, 0.67, 0.75], 0.146)

    Images of equal sureness are answered together or not at all; within them the error counts as spread evenly. The
    interval of the area is BCa over 1,000 resamples of images, or of whole groups. Source: Geifman and El-Yaniv
    2017, section 2 (risk and coverage).
    """
    n = len(right)
    if n == 0:
        return None
    order = np.argsort(-sureness, kind="stable")
    units = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    ranked = _Ranked(sureness[order], ~right[order], units[order])
    count = int(units.max()) + 1
    value = float(ranked.areas(np.ones((1, count)))[0])
    limits = bca_limits(value, *ranked.resampled(count, seed), np.ones(count))
    why = None if limits else "no spread between resamples, hence no interval"
    area = Number(value, *(limits or (None, None)), n, why)
    last = np.append(np.flatnonzero(np.diff(sureness[order])), n - 1)
    coverage = (last + 1) / n
    accuracy = np.cumsum(right[order])[last] / (last + 1)
    if len(last) > POINTS:
        keep = np.unique(np.searchsorted(coverage, np.linspace(0, 1, POINTS)).clip(0, len(last) - 1))
        coverage, accuracy = coverage[keep], accuracy[keep]
    wrong = int((~right).sum())
    best = np.append(np.zeros(n - wrong), np.arange(1, wrong + 1)) / np.arange(1, n + 1)
    return CoverageCurve(
        tuple(coverage.tolist()), tuple(accuracy.tolist()), area, float(best.mean()), wrong / n
    )


def choose_abstention(
    wish: str, score: str, sureness: Float[np.ndarray, " images"], right: Bool[np.ndarray, " images"]
) -> Abstention:
    """The threshold on these images for `coverage>=SHARE` or `error<=SHARE`.

    >>> sureness, right = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, True, False, True])
    >>> found = choose_abstention("error<=0.1", "probability", sureness, right)
    >>> round(found.threshold, 3), found.coverage.value, found.error.value
    (0.75, 0.5, 0.0)

    Of a least coverage, the highest threshold that keeps it; of a largest error, the lowest that keeps it. The
    threshold lies halfway between the last that is answered and the first that is not. UsageError for any other
    wish, without images, and where no threshold keeps the error: the least there is is named.
    """
    kind, share = _wish(wish)
    n = len(right)
    if n == 0:
        raise UsageError("No threshold can be chosen: there is no validation image.")
    order = np.argsort(-sureness, kind="stable")
    ordered = sureness[order].astype(np.float64)
    last = np.append(np.flatnonzero(np.diff(ordered)), n - 1)
    answered = last + 1
    errors = np.cumsum(~right[order])[last] / answered
    if kind == "coverage":
        index = int(np.argmax(answered / n >= share - 1e-12))
    else:
        kept = np.flatnonzero(errors <= share + 1e-12)
        if not len(kept):
            raise UsageError(
                f"{wish} cannot be reached on the validation images: the least error of any threshold is"
                f" {errors.min():.3g}."
            )
        index = int(kept[-1])
    below = float(ordered[last[index] + 1]) if last[index] + 1 < n else -np.inf
    level = float(ordered[last[index]])
    threshold = level if not np.isfinite(below) else (level + below) / 2
    wrong = round(errors[index] * answered[index])
    return Abstention(
        score, threshold, wish, wilson(int(answered[index]), n), wilson(int(wrong), int(answered[index]))
    )


def abstained(
    threshold: float,
    sureness: Float[np.ndarray, " images"],
    right: Bool[np.ndarray, " images"],
    groups: Groups = None,
) -> tuple[Number, Number]:
    """The share of images that are answered at a threshold, and the share of wrong ones among those."""
    answered = sureness.astype(np.float64) >= threshold  # float32 would round the threshold
    coverage = proportion(answered, np.full(len(right), True), groups, "no cases")
    why = "no image was answered" if len(right) else "no cases"
    return coverage, proportion(~right, answered, groups, why)


def energy_sureness(logits: Float[np.ndarray, "images classes"]) -> Float64[np.ndarray, " images"]:
    """The logarithm of the summed exponentials of the logits: minus the energy of Liu et al. 2020, equation 4.

    >>> energy_sureness(np.array([[0.0, 0.0], [5.0, 0.0]])).round(2).tolist()
    [0.69, 5.01]
    """
    highest = logits.max(axis=1).astype(np.float64)
    return highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))


def _wish(text: str) -> tuple[Literal["coverage", "error"], float]:
    found = _WISH.fullmatch(text.strip().lower())
    if not found:
        raise UsageError(f"{text!r} is no wish for abstaining; write one like: {', '.join(WISHES)}.")
    return ("coverage" if found[1] else "error"), float(found[3])


class _Ranked:
    """Images by falling sureness, so that the area of any weighting of their units is two running sums."""

    def __init__(
        self,
        sureness: Float[np.ndarray, " images"],
        wrong: Bool[np.ndarray, " images"],
        unit: Int[np.ndarray, " images"],
    ) -> None:
        self.first = np.append(0, np.flatnonzero(np.diff(sureness)) + 1)  # of each run of equal sureness
        self.wrong, self.unit = wrong, unit

    def areas(self, weights: Float64[np.ndarray, "some units"]) -> Float64[np.ndarray, " some"]:
        """The mean, over images, of the error among those at least as sure."""
        each = weights[:, self.unit]
        count = np.add.reduceat(each, self.first, axis=1)
        wrong = np.add.reduceat(each * self.wrong, self.first, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            errors = np.cumsum(wrong, axis=1) / np.cumsum(count, axis=1)
        return np.where(count > 0, errors * count, 0.0).sum(axis=1) / count.sum(axis=1)

    def resampled(
        self, units: int, seed: int
    ) -> tuple[Float64[np.ndarray, " resamples"], Float64[np.ndarray, " units"]]:
        """The area of 1,000 resamples, and without each unit (of many units, of a thousand evenly chosen ones)."""
        generator = np.random.Generator(np.random.Philox(seed))
        draws = [
            self.areas(np.bincount(generator.integers(0, units, units), minlength=units)[None].astype(float))
            for _ in range(RESAMPLES)
        ]
        left_out = np.full(units, np.nan)
        for unit in np.unique(np.linspace(0, units - 1, min(units, 1000)).astype(int)):
            weights = np.ones((1, units))
            weights[0, unit] = 0
            left_out[unit] = self.areas(weights)[0] if units > 1 else np.nan
        return np.concatenate(draws), left_out
