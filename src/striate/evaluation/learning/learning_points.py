"""Trainings on parts of the images as points of a learning curve, and the law through them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int

from striate.evaluation.intervals import Number
from striate.evaluation.learning.extrapolation import Extrapolation, extrapolate
from striate.evaluation.learning.trials import Trials, mean_errors, shared_errors

FEWEST = 3
"""Parts that a law is fitted to."""
GUESSING = "no better than guessing"
OFF = "off the law of the larger parts"


@dataclass(frozen=True)
class CurveTraining:
    """One training: the part of the training images that it had, and how many of the images judged it got wrong."""

    part: float
    images: int
    repeat: int
    seed: int
    epochs: int
    judged: int
    errors: int

    @property
    def accuracy(self) -> float:
        """The share of the images judged that it got right."""
        return 1 - self.errors / self.judged


@dataclass(frozen=True)
class CurvePoint:
    """The trainings of one part: their images (the mean), their mean accuracy, and the worst and the best of them.

    `left_out` is why they have no part in the law, '' where they have.
    """

    part: float
    images: int
    epochs: int
    trainings: int
    accuracy: Number
    lowest: float
    highest: float
    left_out: str = ""


@dataclass(frozen=True, eq=False)
class Fitted:
    """The points of a curve, the law through them, the share of errors that trainings have in common beyond chance,
    and how many independent images those judged are worth.
    """

    points: tuple[CurvePoint, ...]
    found: Extrapolation
    shared: float
    worth: int


def learn_curve(
    trainings: Sequence[CurveTraining],
    wrong: Bool[np.ndarray, "training image"],
    *,
    factor: float = 2.0,
    guessing: float,
    groups: Int[np.ndarray, " image"] | None = None,
    seed: int = 0,
) -> Fitted:
    """The law through some trainings, and what it says of `factor` times the largest number of images.

    `wrong` says of each training which of the images judged it got wrong, `groups` what belongs together among these.
    The smallest parts are left out of the law where it does not hold yet: see `not_yet`.
    """
    parts = sorted({one.part for one in trainings})
    number = np.array([parts.index(one.part) for one in trainings])
    sizes = np.array([one.images for one in trainings])
    shared, judged = shared_errors(wrong, number), wrong.shape[1]
    worth = judged if groups is None else worth_of(wrong, groups)
    errors = wrong.sum(axis=1) * (worth / judged)
    every = Trials(sizes, number, errors, worth, shared)
    reasons = not_yet(every, guessing)
    used = number >= len(reasons)
    found = extrapolate(every.only(used), factor, seed=seed)
    points = []
    for place, part in enumerate(parts):
        mean = mean_errors(errors[number == place], worth, shared, found.spread.deviation)
        mine = [one for one in trainings if one.part == part]
        why = reasons[place] if place < len(reasons) else ""
        points.append(point(mine, of_all(mean, judged), why))
    numbers = ("present", "predicted", "gain", "exponent", "floor")
    found = replace(found, **{name: of_all(getattr(found, name), judged) for name in numbers})
    return Fitted(tuple(points), found, shared, worth)


def not_yet(trials: Trials, guessing: float) -> list[str]:
    """Why the smallest parts are left out of the law, one reason each: they come before it (Hestness et al. 2017).

    A part is not shown to be better than guessing, and three others remain; or its interval does not meet the one in
    which the law of the larger parts expects a training on so few images, and four others remain.
    """
    reasons: list[str] = []
    while (left := int(trials.part.max()) + 1 - len(reasons)) > FEWEST:
        mine, larger = (trials.only(which) for which in sides(trials, len(reasons)))
        mean = mean_errors(mine.errors, mine.images, trials.shared, 0.0)
        low, high = mean.low or 0.0, mean.high or 1.0
        if high >= 1 - guessing:
            reasons.append(GUESSING)
            continue
        if left <= FEWEST + 1:
            break
        expected = extrapolate(larger, float(mine.sizes.mean() / larger.sizes.max())).predicted
        if low <= (expected.high or 1.0) and high >= (expected.low or 0.0):
            break
        reasons.append(OFF)
    return reasons


def sides(trials: Trials, part: int) -> tuple[Bool[np.ndarray, " training"], Bool[np.ndarray, " training"]]:
    """The trainings of one part, and those of larger ones."""
    return trials.part == part, trials.part > part


def point(trainings: Sequence[CurveTraining], errors: Number, left_out: str) -> CurvePoint:
    """The trainings of one part as a point."""
    return CurvePoint(
        part=trainings[0].part,
        images=round(float(np.mean([one.images for one in trainings]))),
        epochs=max(one.epochs for one in trainings),
        trainings=len(trainings),
        accuracy=turned(errors),
        lowest=min(one.accuracy for one in trainings),
        highest=max(one.accuracy for one in trainings),
        left_out=left_out,
    )


def worth_of(wrong: Bool[np.ndarray, "training image"], groups: Int[np.ndarray, " image"]) -> int:
    """How many independent images some are worth that come in groups, each right or wrong in part together.

    >>> wrong = np.array([[True, True, False, False, False, False]])
    >>> worth_of(wrong, np.array([0, 0, 1, 1, 2, 2])), worth_of(wrong, np.arange(6))
    (3, 6)

    Their number over the design effect: how much larger the variance of the mean is between groups than between images
    (Kish 1965), taken over all trainings.
    """
    rest = wrong - wrong.mean(axis=1, keepdims=True)
    sums = np.stack([np.bincount(groups, weights=row) for row in rest])
    alone, together = float((rest**2).sum()), float((sums**2).sum())
    effect = max(together / alone, 1.0) if alone > 0 else 1.0
    return max(round(wrong.shape[1] / effect), 2)


def of_all(number: Number, judged: int) -> Number:
    """The same number, said of all images judged."""
    return replace(number, n=judged)


def turned(errors: Number) -> Number:
    """The accuracy of a share of errors.

    >>> turned(Number(0.25, 0.125, 0.5, 40))
    Number(value=0.75, low=0.5, high=0.875, n=40, reason=None)
    """
    value, low, high = (None if end is None else 1 - end for end in (errors.value, errors.high, errors.low))
    return replace(errors, value=value, low=low, high=high)
