"""What a learning curve trains: which parts of the training images, how often, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from striate.data import Images
from striate.data.units import units
from striate.errors import UsageError
from striate.training.recipe import Recipe

PARTS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
MOST_LONGER = 8
"""A small part gets as many steps as the whole, but no more than so many times its epochs."""
FEWEST = 3
"""Parts of different size: a law has three numbers."""
SPLITS = ("validation", "test")


@dataclass(frozen=True)
class CurvePlan:
    """What is to be trained: parts of the training images, each so many times, and what they are judged on."""

    parts: tuple[float, ...] = PARTS
    repeats: int = 3
    factor: float = 2.0
    split: str = "validation"

    def __post_init__(self) -> None:
        given = ", ".join(f"{part:g}" for part in self.parts)
        if len(set(self.parts)) < FEWEST or not all(0 < part <= 1 for part in self.parts):
            raise UsageError(
                f"parts {given}: give at least {FEWEST} different shares of the training images, above 0 and up to 1; "
                "for example 1/16,1/8,1/4,1/2,1."
            )
        if self.repeats < 2:
            raise UsageError(
                f"repeats={self.repeats}: at least 2, since trainings of one part tell how far chance moves them."
            )
        if not 1 < self.factor <= 100:
            raise UsageError(
                f"factor={self.factor:g}: give how many times the data to look ahead, above 1 and up to 100."
            )
        if self.split not in SPLITS:
            raise UsageError(f"split={self.split!r}: the trainings are judged on one of {', '.join(SPLITS)}.")


def standing(training: Images, seed: int) -> Float64[np.ndarray, " image"]:
    """Where each image stands, 0 to 1: in every class its units one after the other, in an order drawn by the seed.

    A unit is what may not be torn apart (a group, equal pixels); it goes with the commonest of its classes.
    """
    assert training.digests is not None
    unit = units(training.digests, training.groups).of_image
    pairs, counts = np.unique(np.stack([unit, training.labels]), axis=1, return_counts=True)
    by_count = np.lexsort((-counts, pairs[0]))
    first = by_count[np.searchsorted(pairs[0], np.arange(unit.max() + 1))]
    main, size = pairs[1][first], np.bincount(unit)
    place = np.empty(len(size))
    random = np.random.default_rng(seed)
    for label in np.unique(main).tolist():
        order = random.permutation(np.flatnonzero(main == label))
        ends = np.cumsum(size[order])
        place[order] = (ends - size[order] / 2) / ends[-1]
    return place[unit]


def complete(training: Images, chosen: Sequence[Bool[np.ndarray, " image"]]) -> bool:
    """Whether every choice of training images holds each class that they all have."""
    every = len(np.unique(training.labels))
    return all(len(np.unique(training.labels[rows])) == every for rows in chosen)


def lengthened(recipe: Recipe, images: int, whole: int) -> Recipe:
    """The recipe of a part: as many steps as the whole has, at most 8 times its epochs; the last weights are kept.

    >>> lengthened(Recipe(epochs=10), 157, 1257).epochs, lengthened(Recipe(epochs=10), 78, 1257).epochs
    (50, 80)

    Everything that a recipe counts in epochs grows with them. No epoch is chosen and nothing is stopped by validation.
    """
    steps, own = (-(-count // recipe.batch_size) for count in (whole, images))
    longer = min(max(steps / own, 1.0), float(MOST_LONGER))
    counted = ("epochs", "step_epochs", "plateau_epochs", "head_epochs")
    return recipe.changed(
        **{name: round(getattr(recipe, name) * longer) for name in counted},
        keep="last",
        early_stop=None,
        calibrate="none",
    )
