"""How the learning rate moves: pure functions of where a run stands, so that a resumed run finds its rate again."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from striate.training.recipe import Recipe

START = 1 / 25
"""Rate at the first step of `onecycle`, as a share of the peak (Smith & Topin 2019, section 2)."""


LOW_START = 0.2
"""Rate at the first step of `triangular`, as a share of the peak."""


class Phase(NamedTuple):
    """Epochs that train the same stages; every phase runs through the schedule from its beginning."""

    first: int
    """0-based number of its first epoch."""
    epochs: int
    freeze: str
    """Stages that keep their weights: none, all, or up to and including one."""


def phase_of(recipe: Recipe, epoch: int) -> Phase:
    """The phase that an epoch belongs to: `head_epochs` of the head alone, then all that is not frozen.

    >>> recipe = Recipe(epochs=10, head_epochs=3, freeze="stage1")
    >>> phase_of(recipe, 2), phase_of(recipe, 3)
    (Phase(first=0, epochs=3, freeze='all'), Phase(first=3, epochs=7, freeze='stage1'))
    """
    if epoch < recipe.head_epochs:
        return Phase(0, recipe.head_epochs, "all")
    return Phase(recipe.head_epochs, recipe.epochs - recipe.head_epochs, recipe.freeze)


def learning_rate(recipe: Recipe, epoch: int, progress: float, errors: Sequence[float] = ()) -> float:
    """The learning rate of one step.

    >>> recipe = Recipe(optimiser="sgd", learning_rate=0.1, epochs=30, schedule="step", step_epochs=10)
    >>> [round(learning_rate(recipe, epoch, 0.0), 6) for epoch in (0, 9, 10, 29)]
    [0.1, 0.1, 0.01, 0.001]

    Args:
        recipe: names the schedule and its peak.
        epoch: 0-based number of the epoch that the step belongs to, counted from the beginning of its phase.
        progress: share of all steps of the phase already taken, 0 to below 1.
        errors: validation errors (1 - accuracy) of the phase's epochs so far, oldest first; read by `plateau`.
    """
    match recipe.schedule:
        case "constant":
            factor = 1.0
        case "step":
            factor = recipe.drop ** (epoch // recipe.step_epochs)
        case "plateau":
            factor = recipe.drop ** plateaus(errors, recipe.plateau_epochs)
        case "cosine":
            factor = (1 + math.cos(math.pi * progress)) / 2
        case "onecycle":
            factor = one_cycle(progress, recipe.warmup)
        case "triangular":
            factor = triangle(progress, recipe.warmup)
    return recipe.peak_rate * factor


def one_cycle(progress: float, warmup: float) -> float:
    """Up from a 25th of the peak and down to zero, each half a cosine (Smith & Topin 2019).

    >>> [round(one_cycle(at, 0.25), 3) for at in (0.0, 0.25, 0.625, 1.0)]
    [0.04, 1.0, 0.5, 0.0]
    """
    if progress < warmup:
        return START + (1 - START) * (1 - math.cos(math.pi * progress / warmup)) / 2
    return (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup))) / 2


def triangle(progress: float, warmup: float) -> float:
    """Up from a fifth of the peak and down to zero, each in a straight line.

    >>> [round(triangle(at, 0.25), 3) for at in (0.0, 0.125, 0.25, 0.625, 1.0)]
    [0.2, 0.6, 1.0, 0.5, 0.0]

    Jordan 2024, 94% on CIFAR-10 in 3.29 Seconds on a Single GPU, section 3.1.
    """
    if progress < warmup:
        return LOW_START + (1 - LOW_START) * progress / warmup
    return (1 - progress) / (1 - warmup)


def plateaus(errors: Sequence[float], patience: int) -> int:
    """How often the error has stalled: the rate of He et al. 2016 (section 3.4) drops once for each.

    An epoch without a new lowest error is a bad one; more than `patience` bad epochs in a row are a plateau, and
    the count begins again.

    >>> plateaus([0.5, 0.4, 0.4, 0.4, 0.3], patience=1)
    1
    """
    best, bad, drops = math.inf, 0, 0
    for error in errors:
        best, bad = (error, 0) if error < best else (best, bad + 1)
        if bad > patience:
            drops, bad = drops + 1, 0
    return drops
