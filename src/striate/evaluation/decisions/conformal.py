"""Sets of classes that hold the true one as often as was promised: split conformal prediction."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from striate.errors import UsageError
from striate.evaluation.intervals import Number
from striate.evaluation.metrics import Groups, proportion


@dataclass(frozen=True)
class Conformal:
    """A class is in the set where its probability is at least `threshold`; calibrated on `images` of validation."""

    coverage: float
    threshold: float
    images: int

    def sets(self, probabilities: Float[np.ndarray, "images classes"]) -> Bool[np.ndarray, "images classes"]:
        """Which classes are in the set of each image; a set may be empty."""
        return probabilities.astype(np.float64) >= self.threshold

    def to_dict(self) -> dict[str, object]:
        """Plain values, for the run's own file."""
        return vars(self).copy()


@dataclass(frozen=True)
class ConformalVerdict:
    """What the sets are worth on other images: how often they hold the truth, and how many classes they name."""

    promised: float
    coverage: Number
    mean_size: float
    empty: Number
    single: Number

    def to_dict(self) -> dict[str, object]:
        """Everything as plain values."""
        numbers = {name: getattr(self, name).to_dict() for name in ("coverage", "empty", "single")}
        return {"promised": self.promised, "mean_size": self.mean_size, **numbers}


def calibrate_sets(
    truth: Int[np.ndarray, " images"],
    probabilities: Float[np.ndarray, "images classes"],
    coverage: float = 0.9,
) -> Conformal:
    """The threshold whose sets hold the true class of a new image with at least this probability.

    >>> probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]])
    >>> calibrate_sets(np.array([0, 0, 0, 1]), probabilities, coverage=0.75).threshold  # the lowest but one of four
    0.6

    Over the draw of calibration and new images, as long as the two are exchangeable; for one calibration set the
    coverage varies around it, the less the more images there are. UsageError unless 0 < coverage < 1, and where the
    images are too few for it: the least number is named. Sources: Vovk, Gammerman and Shafer 2005; Sadinle, Lei and
    Wasserman 2019 (least sets); Angelopoulos and Bates 2023, section 1.
    """
    if not 0 < coverage < 1:
        raise UsageError(f"coverage={coverage}: it is a share between 0 and 1, such as 0.9.")
    n = len(truth)
    rank = math.ceil((n + 1) * coverage - 1e-9)
    if rank > n:
        least = math.ceil(coverage / (1 - coverage) - 1e-6)
        raise UsageError(
            f"Sets of {100 * coverage:g} % need at least {least} images to calibrate on; there are {n}."
        )
    own = np.take_along_axis(probabilities, truth[:, None], axis=1)[:, 0]
    return Conformal(coverage, float(np.sort(own)[n - rank]), n)


def judge_sets(
    conformal: Conformal,
    truth: Int[np.ndarray, " images"],
    probabilities: Float[np.ndarray, "images classes"],
    groups: Groups = None,
) -> ConformalVerdict:
    """How the sets do on images that had no part in calibrating them; intervals of `groups` where there are any."""
    sets, n = conformal.sets(probabilities), len(truth)
    every = np.full(n, True)
    sizes = sets.sum(axis=1)
    held = np.take_along_axis(sets, truth[:, None], axis=1)
    return ConformalVerdict(
        promised=conformal.coverage,
        coverage=proportion(held[:, 0], every, groups, "no cases"),
        mean_size=float(sizes.mean()) if n else 0.0,
        empty=proportion(sizes == 0, every, groups, "no cases"),
        single=proportion(sizes == 1, every, groups, "no cases"),
    )
