"""The law that errors follow as training data grows: a power of their number down to a floor, by maximum likelihood.

Sources: Cortes et al. 1993 (the law with a floor); Figueroa et al. 2012 (weighted fits and extrapolation);
Hestness et al. 2017 and Rosenfeld et al. 2020 (that it holds for deep networks, between chance and the floor).
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int, Shaped

EXPONENTS = (0.01, 4.0)
"""Between these an exponent is looked for; a doubling then takes away 0.7 % to 94 % of what is above the floor."""
FIRST, LATER, ZOOMS = 32, 9, 12
"""Exponents tried at first and in each closer look, and how many of these there are: to a part in 10⁸."""
STEPS = 8
"""Of Fisher scoring, for scale and floor under one exponent."""
LEAST = 1e-7
"""No error is taken for less likely than this, nor than this short of certain."""


@dataclass(frozen=True)
class PowerLaw:
    """The share of errors after training on n images: `scale · n^-exponent + floor`.

    >>> law = PowerLaw(scale=2.0, exponent=0.5, floor=0.01)
    >>> law.errors(np.array([100.0, 400.0])).round(3).tolist()
    [0.21, 0.11]
    """

    scale: float
    exponent: float
    floor: float

    def errors(self, sizes: Shaped[np.ndarray, " size"]) -> Float64[np.ndarray, " size"]:
        """The share of errors, 0 to 1, after training on each number of images."""
        return np.clip(self.scale * np.asarray(sizes, np.float64) ** -self.exponent + self.floor, 0, 1)


@dataclass(frozen=True, eq=False)
class Laws:
    """Many laws as columns; `last` is the error above the floor at the size `reference`."""

    last: Float64[np.ndarray, " law"]
    exponent: Float64[np.ndarray, " law"]
    floor: Float64[np.ndarray, " law"]
    reference: float

    def errors(self, sizes: Shaped[np.ndarray, " size"]) -> Float64[np.ndarray, "law size"]:
        """The share of errors of every law at every size."""
        ratio = np.asarray(sizes, np.float64) / self.reference
        drop = ratio ** -self.exponent[:, None]
        return np.clip(self.last[:, None] * drop + self.floor[:, None], 0, 1)

    def law(self, number: int) -> PowerLaw:
        """One of them."""
        last, exponent, floor = (float(part[number]) for part in (self.last, self.exponent, self.floor))
        return PowerLaw(last * self.reference**exponent, exponent, floor)


def fit_power_law(
    sizes: Shaped[np.ndarray, " training"],
    errors: Shaped[np.ndarray, " training"],
    images: int,
    weights: Shaped[np.ndarray, " training"] | None = None,
) -> PowerLaw:
    """The law under which `errors` of `images` judged are most likely, neither scale nor floor below zero.

    >>> law = fit_power_law(np.array([100, 200, 400, 800]), np.array([210.0, 151.4, 110.0, 80.7]), 1000)
    >>> round(law.scale, 2), round(law.exponent, 2), round(law.floor, 2)
    (2.0, 0.5, 0.01)

    Each training counts as `images` independent trials, times its weight. Errors that do not fall with the size give
    a scale of 0. ValueError for fewer than three sizes, which determine no law.
    """
    known = np.asarray(sizes, np.float64)
    if len(np.unique(known)) < 3:
        raise ValueError("a law of three numbers needs trainings of at least three sizes")
    shares = np.asarray(errors, np.float64)[None] / images
    given = np.ones(len(known)) if weights is None else np.asarray(weights, np.float64)
    return fit_laws(known, shares, given).law(0)


def fit_laws(
    sizes: Float64[np.ndarray, " training"],
    shares: Float64[np.ndarray, "law training"],
    weights: Float64[np.ndarray, " training"],
    zooms: int = ZOOMS,
) -> Laws:
    """A law for each row of shares of errors: exponents are tried ever closer to the best one.

    For one exponent the likelihood of scale and floor has a single maximum, so none is missed. Trainings of one size
    are summed first, which leaves the likelihood as it is.
    """
    different, which = np.unique(sizes, return_inverse=True)
    summed = (which[:, None] == np.arange(len(different))) * weights[:, None]
    weights = summed.sum(axis=0)
    shares = shares @ summed / weights
    reference = float(sizes.max())
    logs = np.log(different / reference)
    lowest, highest = map(math.log, EXPONENTS)
    tried = np.broadcast_to(np.linspace(lowest, highest, FIRST), (len(shares), FIRST))
    for _ in range(zooms):
        tried = closer(tried, scored(powers(tried, logs), shares[:, None], weights)[2].argmax(axis=1))
    last, floor, likelihood = scored(powers(tried, logs), shares[:, None], weights)
    at = np.arange(len(shares)), likelihood.argmax(axis=1)
    return Laws(last[at], np.exp(tried[at]), floor[at], reference)


def powers(
    tried: Float64[np.ndarray, "law tried"], logs: Float64[np.ndarray, " training"]
) -> Float64[np.ndarray, "law tried training"]:
    """Sizes, relative to the reference, to minus each exponent, of which `tried` are the logarithms."""
    return np.exp(-np.exp(tried)[:, :, None] * logs)


def closer(
    tried: Float64[np.ndarray, "law tried"], best: Int[np.ndarray, " law"]
) -> Float64[np.ndarray, "law closer"]:
    """Exponents between the neighbours of the best one, itself among them."""
    rows = np.arange(len(tried))
    below, centre, above = (tried[rows, np.clip(best + step, 0, tried.shape[1] - 1)] for step in (-1, 0, 1))
    nearer = below[:, None] + (above - below)[:, None] * np.linspace(0, 1, LATER)
    nearer[:, LATER // 2] = centre
    return np.sort(nearer, axis=1)


def scored(
    raised: Float64[np.ndarray, "law tried training"],
    shares: Float64[np.ndarray, "law 1 training"],
    weights: Float64[np.ndarray, " training"],
) -> tuple[
    Float64[np.ndarray, "law tried"], Float64[np.ndarray, "law tried"], Float64[np.ndarray, "law tried"]
]:
    """Scale, floor and log-likelihood under each exponent, by Fisher scoring within the limits of both."""
    last = floor = np.zeros(raised.shape[:2])
    expected = np.broadcast_to(np.clip(shares, 1e-3, 1 - 1e-3), raised.shape)
    for _ in range(STEPS):
        weight = weights / (expected * (1 - expected))
        lifted = weight * raised
        xx, x1, one = (lifted * raised).sum(-1), lifted.sum(-1), weight.sum(-1)
        xy, y1 = (lifted * shares).sum(-1), (weight * shares).sum(-1)
        free = np.maximum(xx * one - x1 * x1, 1e-300)
        last, floor = (xy * one - x1 * y1) / free, (xx * y1 - x1 * xy) / free
        last, floor = (
            np.where(last < 0, 0.0, np.where(floor < 0, xy / xx, last)),
            np.where(last < 0, y1 / one, np.maximum(floor, 0.0)),
        )
        expected = np.clip(last[..., None] * raised + floor[..., None], LEAST, 1 - LEAST)
    found = weights * (shares * np.log(expected) + (1 - shares) * np.log1p(-expected))
    return last, floor, found.sum(axis=-1)
