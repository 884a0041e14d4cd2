"""What more training data would give: a power law carried on, with an interval from trainings drawn anew.

Three things make the answer uncertain, and all are drawn: the trainings differ from each other (seed and choice of
images), they are judged on few images, and these are the same for all, so that what is hard among them is hard for
every training. What is foretold is the share of errors of one new training on all images of their kind: its own spread
is part of the interval, the luck of new images to judge it on is not.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from striate.evaluation.intervals import CONFIDENCE, Number
from striate.evaluation.learning.power_law import LEAST, Laws, PowerLaw, fit_laws
from striate.evaluation.learning.trials import Spread, Trials, spread_of

RESAMPLES = 2000
AT_ONCE = 250
"""Resamples that are fitted in one go, so that none takes much memory."""
COARSE = 3
"""Closer looks at the exponent in a resample: to a part in a thousand."""
BAND = 25
"""Sizes at which the band of the law is given."""
Sizes = Float64[np.ndarray, " size"]


@dataclass(frozen=True, eq=False)
class Extrapolation:
    """The fitted law, and what it says of a new training on `size` images; all numbers are shares of errors.

    `present` is the law at the largest size, `gain` how much lower it is at `size`; `band` has a row a size: size,
    law, low, high. `misfit` is the chance of trainings as far from a law as these, where a law holds; None of three
    sizes, which a law always fits.
    """

    law: PowerLaw
    size: int
    present: Number
    predicted: Number
    gain: Number
    exponent: Number
    floor: Number
    spread: Spread
    misfit: float | None
    band: Float64[np.ndarray, "size 4"]

    @property
    def helps(self) -> bool:
        """Whether the gain is shown to be as much as one of the images judged."""
        return (self.gain.low or 0.0) * self.gain.n >= 1


@dataclass(frozen=True, eq=False)
class Drawn:
    """Laws fitted to trainings that were drawn: what they say at some sizes, and of a new training at the target."""

    said: Float64[np.ndarray, "draw size"]
    new: Float64[np.ndarray, " draw"]
    exponent: Float64[np.ndarray, " draw"]
    floor: Float64[np.ndarray, " draw"]
    distance: Float64[np.ndarray, " draw"]


def extrapolate(
    trials: Trials, factor: float = 2.0, *, seed: int = 0, confidence: float = CONFIDENCE
) -> Extrapolation:
    """The law through some trainings, carried on to `factor` times the largest size.

    >>> part = np.repeat([0, 1, 2, 3], 3)
    >>> errors = np.array([60, 58, 62, 43, 40, 44, 30, 31, 29, 22, 21, 20])
    >>> found = extrapolate(Trials(100 * 2**part, part, errors, images=500), seed=0)
    >>> found.size, round(found.law.exponent, 1), found.predicted.low < 0.03 < found.predicted.high, found.helps
    (1600, 0.5, True, True)

    The law is fitted to binomial counts, each training weighed by how much its spread adds to their variance. Then
    2,000 times: a spread, trainings with it, errors of them on images some of which are hard for all, and a law fitted
    to these. The interval holds the middle 95 % of what these laws say of a new training. ValueError for fewer than
    three sizes, or where no part has two trainings, which leaves their spread unknown.
    """
    sizes = np.asarray(trials.sizes, np.float64)
    if len(np.unique(sizes)) < 3:
        raise ValueError("a law of three numbers needs trainings of at least three sizes")
    level = fit_laws(sizes, trials.shares[None], np.full(len(sizes), float(trials.images))).errors(sizes)[0]
    spread = spread_of(trials, level)
    weights = trials.images / (1 + trials.images * spread.deviation**2 * level * (1 - level))
    fitted = fit_laws(sizes, trials.shares[None], weights)
    target = float(round(factor * sizes.max()))
    grid = np.geomspace(sizes.min(), max(target, sizes.max()), BAND)
    asked = np.concatenate([[sizes.max(), target], grid])
    drawn = redrawn(trials, fitted, weights, spread, asked, np.random.Generator(np.random.Philox(seed)))
    tails = (0.5 - confidence / 2, 0.5 + confidence / 2)
    value = fitted.errors(asked)[0]

    def number(one: float, draws: Float64[np.ndarray, " draw"]) -> Number:
        low, high = np.quantile(draws, tails).tolist()
        return Number(one, min(low, one), max(high, one), trials.images)

    own = distance(trials, fitted.errors(sizes), trials.shares[None])[0]
    return Extrapolation(
        law=fitted.law(0),
        size=int(target),
        present=number(float(value[0]), drawn.said[:, 0]),
        predicted=number(float(value[1]), drawn.new),
        gain=number(float(value[0] - value[1]), drawn.said[:, 0] - drawn.said[:, 1]),
        exponent=number(float(fitted.exponent[0]), drawn.exponent),
        floor=number(float(fitted.floor[0]), drawn.floor),
        spread=spread,
        misfit=float((drawn.distance >= own).mean()) if len(np.unique(trials.part)) > 3 else None,
        band=np.column_stack([grid, value[2:], *np.quantile(drawn.said[:, 2:], tails, axis=0)]),
    )


def redrawn(
    trials: Trials,
    fitted: Laws,
    weights: Float64[np.ndarray, " training"],
    spread: Spread,
    asked: Sizes,
    random: np.random.Generator,
) -> Drawn:
    """Trainings drawn about a law, a law fitted to each draw, and what it says; the second size asked is the target."""
    sizes = np.asarray(trials.sizes, np.float64)
    level = fitted.errors(sizes)[0]
    parts: list[Drawn] = []
    for deviations in drawn_deviations(spread, random):
        shares = drawn_errors(trials, level, deviations, random) / trials.images
        laws = fit_laws(sizes, shares, weights, COARSE)
        said = laws.errors(asked)
        parts.append(
            Drawn(
                said=said,
                new=apart(said[:, 1], deviations, random),
                exponent=laws.exponent,
                floor=laws.floor,
                distance=distance(trials, laws.errors(sizes), shares),
            )
        )
    return Drawn(*(np.concatenate([vars(part)[name] for part in parts]) for name in vars(parts[0])))


def distance(
    trials: Trials,
    expected: Float64[np.ndarray, "draw training"],
    shares: Float64[np.ndarray, "draw training"],
) -> Float64[np.ndarray, " draw"]:
    """How far the means of the parts lie from a law: squares in units of p (1 - p), summed."""
    unit = np.clip(expected * (1 - expected), LEAST, 1)
    rest = (shares - expected) / np.sqrt(unit)
    means = [rest[:, trials.part == number].mean(axis=1) for number in np.unique(trials.part).tolist()]
    return (np.stack(means) ** 2).sum(axis=0)


def drawn_deviations(spread: Spread, random: np.random.Generator) -> Iterator[Float64[np.ndarray, " draw"]]:
    """Deviations between trainings that could have made the one found, some at a time."""
    for start in range(0, RESAMPLES, AT_ONCE):
        some = min(AT_ONCE, RESAMPLES - start)
        yield spread.drawn(spread.found * spread.degrees / random.chisquare(spread.degrees, some))


def drawn_errors(
    trials: Trials,
    level: Float64[np.ndarray, " training"],
    deviations: Float64[np.ndarray, " draw"],
    random: np.random.Generator,
) -> Float64[np.ndarray, "draw training"]:
    """Errors of trainings drawn about a law, on images that are the same for all of a draw.

    The images hard for a better training are among those hard for a worse one.
    """
    shape = (len(deviations), len(level))
    p = apart(np.broadcast_to(level, shape), deviations[:, None], random)
    hard = trials.shared * p
    order = np.argsort(hard, axis=1)
    ranked = np.take_along_axis(hard, order, axis=1)
    before = np.concatenate([np.zeros((shape[0], 1)), ranked[:, :-1]], axis=1)
    steps = np.clip((ranked - before) / (1 - before), 0, 1)
    counts = np.zeros(shape, np.int64)
    total = np.zeros(shape[0], np.int64)
    for column in range(shape[1]):
        total = total + random.binomial(trials.images - total, steps[:, column])
        counts[:, column] = total
    known = np.empty_like(counts)
    np.put_along_axis(known, order, counts, axis=1)
    return (known + random.binomial(trials.images - known, (p - hard) / (1 - hard))).astype(np.float64)


def apart(
    level: Float64[np.ndarray, "..."], deviation: Float64[np.ndarray, "..."], random: np.random.Generator
) -> Float64[np.ndarray, "..."]:
    """Errors of trainings about a level, their log odds that far apart."""
    odds = np.clip(level, LEAST, 1 - LEAST)
    odds = odds / (1 - odds) * np.exp(deviation * random.standard_normal(odds.shape))
    return odds / (1 + odds)
