"""How far stated probabilities lie from how often they come true: bins, their error, and the Brier score in parts."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from striate.evaluation.intervals import Number
from striate.evaluation.metrics import check, proportion
from striate.evaluation.resampling import resample

BINS = 15
FEWEST_IN_BIN = 10


@dataclass(frozen=True)
class Bin:
    """Images of similar confidence: what was stated on average, and how many were right."""

    stated: float
    right: Number
    lowest: float
    highest: float


@dataclass(frozen=True)
class Reliability:
    """The bins, the expected calibration error with its bias taken out, and that error as it is usually given."""

    bins: tuple[Bin, ...]
    error: Number
    plain_error: float

    def to_dict(self) -> dict[str, object]:
        """Everything as plain values."""
        return {
            "error": self.error.to_dict(),
            "plain_error": self.plain_error,
            "bins": [{**vars(one), "right": one.right.to_dict()} for one in self.bins],
        }


@dataclass(frozen=True)
class Brier:
    """The Brier score, and what it is made of: `score` = `reliability` - `resolution` + `uncertainty`, up to binning.

    Reliability (0 is best) is what calibration can mend, resolution (more is better) what the network knows,
    uncertainty what the classes' frequencies leave open.
    """

    score: Number
    reliability: float
    resolution: float
    uncertainty: float

    def to_dict(self) -> dict[str, object]:
        """Everything as plain values."""
        return {**vars(self), "score": self.score.to_dict()}


def reliability(
    truth: Int[np.ndarray, " images"],
    probabilities: Float[np.ndarray, "images classes"],
    bins: int = BINS,
    groups: Int[np.ndarray, " images"] | None = None,
    seed: int = 0,
) -> Reliability | None:
    """How the confidence in the best class compares with how often it is right; None without images.

    >>> truth = np.array([0] * 80 + [1] * 20)
    >>> found = reliability(truth, np.array([[0.9, 0.1]] * 100))
    >>> round(found.plain_error, 3), len(found.bins), found.bins[0].right.value
    (0.1, 1, 0.8)

    Bins hold equally many images (at least ten, equal confidences never parted), so none is empty or ruled by two
    images. The plain error is positive even for perfect calibration; what chance alone is expected to add is
    taken out (Kumar, Liang and Ma 2019, section 4; here for the absolute error: the mean of the folded normal of
    each bin). The interval has the spread of bootstrapped errors, mended alike; it reaches down to 0 where chance alone
    explains the plain error. With `groups` those are resampled, and stand behind the interval of each bin.
    """
    check(truth, probabilities)
    if not len(truth):
        return None
    stated = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == truth
    bin_of = equal_bins(stated, bins)
    counts = np.bincount(bin_of)
    means, rates = np.bincount(bin_of, stated) / counts, np.bincount(bin_of, right) / counts
    plain = float((counts * np.abs(means - rates)).sum() / len(truth))
    debiased = max(float((counts * _unbiased(means - rates, rates, counts)).sum() / len(truth)), 0.0)
    parts = tuple(
        Bin(
            float(means[index]),
            proportion(right, bin_of == index, groups, "no cases"),
            float(stated[bin_of == index].min()),
            float(stated[bin_of == index].max()),
        )
        for index in range(len(counts))
    )
    spread = _spread(stated, right, bin_of, groups, seed)
    if spread is None:
        alone = f"one {'image' if groups is None else 'group'}, hence no interval"
        return Reliability(parts, Number(debiased, None, None, len(truth), alone), plain)
    reach, chance = spread
    low = 0.0 if plain <= chance else max(debiased - reach, 0.0)
    error = Number(debiased, low, debiased + reach, len(truth))
    return Reliability(parts, error, plain)


def brier(
    truth: Int[np.ndarray, " images"],
    probabilities: Float[np.ndarray, "images classes"],
    bins: int = BINS,
    groups: Int[np.ndarray, " images"] | None = None,
    seed: int = 0,
) -> Brier | None:
    """The mean squared distance of probabilities from the truth, summed over classes, and its parts; None for none.

    >>> found = brier(np.array([0, 1]), np.array([[0.8, 0.2], [0.4, 0.6]]))
    >>> round(found.score.value, 3)
    0.2

    0 is perfect, 2 the worst; with two classes it is twice that of the second class alone. The parts take each class
    against the rest in bins of equally many images, with the bias of small bins taken out of reliability and
    resolution alike. Sources: Brier 1950; Murphy 1973; Ferro and Fricker 2012, equations 6 and 7.
    """
    check(truth, probabilities)
    if not len(truth):
        return None
    n, classes = probabilities.shape
    hits = truth[:, None] == np.arange(classes)
    stated = probabilities.astype(np.float64)  # float32 would round the differences
    distances = ((stated - hits) ** 2).sum(axis=1)
    units = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    drawn = resample(np.bincount(units, distances)[:, None], np.bincount(units)[:, None].astype(float), seed)
    limits = drawn.limits(0)
    value = float(distances.mean())
    why = None if limits else "no spread between images, hence no interval"
    score = Number(value, *(limits or (None, None)), n, why)
    parts = np.array([_parts(hits[:, index], probabilities[:, index], bins) for index in range(classes)])
    return Brier(score, *parts.sum(axis=0).tolist())


def equal_bins(stated: Float64[np.ndarray, " images"], bins: int) -> Int[np.ndarray, " images"]:
    """The number of each image's bin, from 0: equally many images a bin, equal values in the same one.

    >>> equal_bins(np.repeat([0.5, 0.7, 0.9], 10), 3).tolist() == [0] * 10 + [1] * 10 + [2] * 10
    True
    """
    bins = max(1, min(bins, len(stated) // FEWEST_IN_BIN))
    order = np.argsort(stated, kind="stable")
    ordered, place = stated[order], np.arange(len(stated)) * bins // len(stated)
    first = np.append(True, np.diff(ordered) > 0)
    place = place[np.maximum.accumulate(np.where(first, np.arange(len(stated)), 0))]
    found = np.empty(len(stated), dtype=np.int64)
    found[order] = np.unique(place, return_inverse=True)[1]
    return found


def _unbiased(
    gaps: Float64[np.ndarray, " bins"], rates: Float64[np.ndarray, " bins"], counts: Int[np.ndarray, " bins"]
) -> Float64[np.ndarray, " bins"]:
    """Absolute gaps less what chance adds to each: the mean of a folded normal, less the gap it is folded around."""
    from scipy.special import ndtr

    deviation = np.sqrt(np.maximum(rates * (1 - rates), 0) / counts)
    size = np.abs(gaps)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(deviation > 0, size / deviation, np.inf)
    folded = deviation * np.sqrt(2 / np.pi) * np.exp(-(z**2) / 2) + size * (1 - 2 * ndtr(-z))
    return size - (folded - size)


def _spread(
    stated: Float64[np.ndarray, " images"],
    right: Bool[np.ndarray, " images"],
    bin_of: Int[np.ndarray, " images"],
    groups: Int[np.ndarray, " images"] | None,
    seed: int,
) -> tuple[float, float] | None:
    """Half the width of the 95 % interval of the error, and the largest plain error that chance alone explains.

    Images or groups are resampled within fixed bins; chance is how far gaps of resamples stray from the images' own.
    """
    bins, n = int(bin_of.max()) + 1, len(stated)
    units = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    count = int(units.max()) + 1
    if count < 2:
        return None
    gaps = np.zeros((count, bins))
    np.add.at(gaps, (units, bin_of), stated - right)
    own = gaps.sum(axis=0) / n
    generator = np.random.Generator(np.random.Philox(seed))
    sizes = np.bincount(units, minlength=count)
    found = np.empty((1000, bins))
    for row in found:
        weights = np.bincount(generator.integers(0, count, count), minlength=count)
        row[:] = (weights @ gaps) / (weights @ sizes)
    counts = np.bincount(bin_of)
    rates, share = np.bincount(bin_of, right) / counts, counts / n
    mended = [float((share * _unbiased(row / share, rates, counts)).sum()) for row in found]
    low, high = np.quantile(mended, [0.025, 0.975])
    chance = np.quantile(np.abs(found - own).sum(axis=1), 0.975)
    return float(high - low) / 2, float(chance)


def _parts(
    hits: Bool[np.ndarray, " images"], stated: Float[np.ndarray, " images"], bins: int
) -> tuple[float, float, float]:
    """Reliability, resolution and uncertainty of one class against the rest, without the bias of small bins."""
    n, bin_of = len(hits), equal_bins(stated.astype(np.float64), bins)
    counts = np.bincount(bin_of)
    means, rates = np.bincount(bin_of, stated) / counts, np.bincount(bin_of, hits) / counts
    overall = hits.mean()
    spread = np.where(counts > 1, rates * (1 - rates) / np.maximum(counts - 1, 1), 0.0)
    within = float((counts * spread).sum() / n)
    whole = float(overall * (1 - overall) / (n - 1)) if n > 1 else 0.0
    reliable = float((counts * (means - rates) ** 2).sum() / n) - within
    resolved = float((counts * (rates - overall) ** 2).sum() / n) - within + whole
    return reliable, resolved, float(overall * (1 - overall)) + whole
