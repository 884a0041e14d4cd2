"""Trainings of parts of the same images, judged on the same images: how far they lie apart, and how alike they err."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64, Int, Shaped

from striate.evaluation.intervals import CONFIDENCE, Number, normal_quantile, wilson_limits
from striate.evaluation.learning.power_law import LEAST


@dataclass(frozen=True, eq=False)
class Trials:
    """Trainings, how large the part was that each had, and how many of the same `images` each got wrong.

    `part` numbers the parts: trainings of one part differ by their seed and the choice of their images alone. `shared`
    is the share of the errors of a training that every other one makes too; see `shared_errors`.
    """

    sizes: Shaped[np.ndarray, " training"]
    part: Int[np.ndarray, " training"]
    errors: Shaped[np.ndarray, " training"]
    images: int
    shared: float = 0.0

    @property
    def shares(self) -> Float64[np.ndarray, " training"]:
        """The share of errors of each training."""
        return np.asarray(self.errors, np.float64) / self.images

    def only(self, which: Bool[np.ndarray, " training"]) -> "Trials":
        """Some of the trainings."""
        return replace(self, sizes=self.sizes[which], part=self.part[which], errors=self.errors[which])


@dataclass(frozen=True)
class Spread:
    """How far the errors of trainings of one part lie apart.

    `found` is the mean of their squared distances in units of p (1 - p), `judging` what of it comes from judging them
    on few images, `degrees` the number of distances that are free, `level` the mean of p (1 - p).
    """

    found: float
    judging: float
    degrees: int
    level: float

    @property
    def deviation(self) -> float:
        """The deviation between trainings, on the scale of log odds."""
        return float(self.drawn(np.array([self.found]))[0])

    def drawn(self, found: Float64[np.ndarray, " draw"]) -> Float64[np.ndarray, " draw"]:
        """The deviation that each found mean of squares stands for."""
        return np.sqrt(np.maximum(found - self.judging, 0.0) / self.level)


def spread_of(trials: Trials, level: Float64[np.ndarray, " training"]) -> Spread:
    """The spread between trainings of one part, about a law, and what of it is no more than few images judged.

    Distances are in units of p (1 - p) (Pearson's), pooled over the parts; a moment estimate, as of Williams 1982.
    """
    unit = np.maximum(level * (1 - level), LEAST)
    rest = trials.shares - level
    squares, degrees = 0.0, 0
    for number in np.unique(trials.part).tolist():
        mine = trials.part == number
        squares += float(((rest[mine] - rest[mine].mean()) ** 2 / unit[mine]).sum())
        degrees += int(mine.sum()) - 1
    if degrees < 1:
        raise ValueError("the spread between trainings needs at least two of one part")
    own = 1 - correlation(trials.shared, level).mean()
    return Spread(squares / degrees, float(own) / trials.images, degrees, float(unit.mean()))


def shared_errors(wrong: Bool[np.ndarray, "training image"], part: Int[np.ndarray, " training"]) -> float:
    """The share of errors that trainings of one part have in common beyond chance, 0 (none) to 1 (all).

    >>> wrong = np.zeros((2, 100), bool)
    >>> wrong[0, :10], wrong[1, 5:15] = True, True
    >>> round(shared_errors(wrong, np.array([0, 0])), 2)
    0.47

    Every training gets a share of the images wrong that is hard for all, and of the others some by chance. With errors
    p each and both wrong on J of the images, the hard share is (J - p²) / (1 - 2p + J), of p.
    """
    above, below = 0.0, 0.0
    for number in np.unique(part).tolist():
        mine = wrong[part == number].astype(np.float64)
        count, p = len(mine), float(mine.mean())
        if count < 2:
            continue
        both = (float((mine.sum(axis=0) ** 2).mean()) - float(mine.mean(axis=1).sum())) / (
            count * (count - 1)
        )
        above += both - p * p
        below += p * (1 - 2 * p + both)
    return min(max(above / below, 0.0), 1 - LEAST) if below > 0 else 0.0


def correlation(shared: float, level: Shaped[np.ndarray, " training"]) -> Shaped[np.ndarray, " training"]:
    """The correlation of two trainings' errors on the same images, where a share of them is hard for all."""
    p = np.clip(level, LEAST, 1 - LEAST)
    hard = shared * p
    both = hard + (p - hard) ** 2 / (1 - hard)
    return (both - p * p) / (p * (1 - p))


def mean_errors(
    errors: Shaped[np.ndarray, " training"], images: int, shared: float, deviation: float
) -> Number:
    """The mean share of errors of some trainings of one part, for trainings like these and images like these.

    >>> number = mean_errors(np.array([10, 14]), 200, shared=0.5, deviation=0.0)
    >>> number.value, round(number.low, 3), round(number.high, 3), number.n
    (0.06, 0.037, 0.095, 200)

    Wilson's interval of as many images as have the same variance: errors on the same images do not add up.
    """
    count, share = len(errors), float(np.mean(errors)) / images
    p = min(max(share, 0.5 / images), 1 - 0.5 / images)
    rho = float(correlation(shared, np.array([p]))[0])
    variance = p * (1 - p) * (rho + (1 - rho) / count) / images + (deviation * p * (1 - p)) ** 2 / count
    low, high = wilson_limits(share, p * (1 - p) / variance, normal_quantile(CONFIDENCE))
    return Number(share, low, high, images)
