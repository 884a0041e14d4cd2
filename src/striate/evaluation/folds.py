"""The verdict of a cross-validation: on each fold, on all out-of-fold answers, and how far the folds differ."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int, Shaped

from striate.drawing import numbers
from striate.evaluation.intervals import Number
from striate.evaluation.verdict import Verdict

SPLIT = "out-of-fold"
"""What the pooled verdict calls its images."""
MEASURES: dict[str, Callable[[Verdict], Number]] = {
    "accuracy": lambda verdict: verdict.accuracy,
    "balanced_accuracy": lambda verdict: verdict.balanced_accuracy,
    "macro_f1": lambda verdict: verdict.scores.macro_f1,
    "log_loss": lambda verdict: verdict.log_loss,
    "one_vs_one": lambda verdict: verdict.one_vs_one,
}
SHARES = ("accuracy", "balanced_accuracy", "macro_f1")
"""Measures that are written in per cent."""


@dataclass(frozen=True, kw_only=True)
class Fold:
    """What one network said of the images that it was not given; `images` counts those of each split."""

    number: int
    images: Mapping[str, int]
    kept_epoch: int
    verdict: Verdict

    def to_dict(self) -> dict[str, object]:
        """Everything as plain values."""
        return {
            "fold": self.number,
            "images": dict(self.images),
            "kept_epoch": self.kept_epoch,
            "verdict": self.verdict.to_dict(),
        }


@dataclass(frozen=True)
class Spread:
    """A measure over those folds in which it is defined; `deviation` divides by one less than their number.

    >>> spread_of([0.5, None, 1.0])
    Spread(mean=0.75, deviation=0.3535533905932738, least=0.5, greatest=1.0, folds=2)
    """

    mean: float | None
    deviation: float | None
    least: float | None
    greatest: float | None
    folds: int

    def to_dict(self) -> dict[str, float | int | None]:
        """Everything as plain values."""
        return dict(vars(self))


def spread_of(values: Sequence[float | None]) -> Spread:
    """Mean, standard deviation, least and greatest of the values that there are."""
    known = [value for value in values if value is not None]
    if not known:
        return Spread(None, None, None, None, 0)
    mean = math.fsum(known) / len(known)
    squares = math.fsum((value - mean) ** 2 for value in known)
    deviation = math.sqrt(squares / (len(known) - 1)) if len(known) > 1 else None
    return Spread(mean, deviation, min(known), max(known), len(known))


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Every image with the answer of the one network that was not given it; `fold` counts from 1.

    `probabilities` are `image class`, `truth` indices of classes; `groups` is None where none are known.
    """

    names: tuple[str, ...]
    truth: Int[np.ndarray, " image"]
    probabilities: Float64[np.ndarray, "image class"]
    fold: Int[np.ndarray, " image"]
    groups: Shaped[np.ndarray, " image"] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class FoldsVerdict:
    """What a cross-validation shows of a recipe: `pooled` is the verdict on all out-of-fold answers together."""

    source: str
    folds: tuple[Fold, ...]
    pooled: Verdict
    seed: int
    out_of_fold: OutOfFold
    notes: tuple[str, ...] = ()
    """What was said of the images."""

    @property
    def spread(self) -> dict[str, Spread]:
        """How far the folds differ in each measure."""
        return {
            name: spread_of([measure(fold.verdict).value for fold in self.folds])
            for name, measure in MEASURES.items()
        }

    @property
    def class_auc(self) -> dict[str, Spread]:
        """The AUC of each class against the rest over the folds, whose scores are each of one network."""
        each = zip(*(fold.verdict.per_class for fold in self.folds), strict=True)
        return {of_class[0].class_name: spread_of([one.auc.value for one in of_class]) for of_class in each}

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the pooled interval leaves out, what pooled AUCs mix, and of what networks this is the verdict."""
        return on_variance(len(self.folds)), on_pooled_auc(self), on_size(self.folds)

    def to_dict(self) -> dict[str, object]:
        """Everything as plain values but the answers themselves, which predictions.csv holds."""
        return {
            "source": self.source,
            "images": self.pooled.images,
            "seed": self.seed,
            "pooled": self.pooled.to_dict(),
            "spread": {name: one.to_dict() for name, one in self.spread.items()},
            "class_auc": {name: one.to_dict() for name, one in self.class_auc.items()},
            "folds": [fold.to_dict() for fold in self.folds],
            "remarks": list(self.remarks),
            "notes": list(self.notes),
        }


def on_variance(folds: int) -> str:
    """What no interval of a cross-validation can tell.

    >>> on_variance(5).partition(": ")[2].partition(",")[0]
    'any two of them share about 75 % of their training images'
    """
    shared = 100 * (folds - 2) / (folds - 1)
    between = (
        f"any two of them share about {shared:.0f} % of their training images"
        if folds > 2
        else "each was trained on what the other is judged by"
    )
    return (
        f"The pooled interval takes the {folds} networks as they are, and leaves out what other training images would "
        f"have changed: {between}, so the folds are not independent, and no unbiased estimate of that variance exists "
        "(Bengio and Grandvalet 2004). The standard deviation over the folds is therefore no standard error."
    )


def on_pooled_auc(verdict: FoldsVerdict) -> str:
    """That an AUC of all images ranks scores of different networks against each other, beside the mean over folds."""
    pooled, spread = verdict.pooled.one_vs_one, verdict.spread["one_vs_one"]
    said = "An AUC of all images together ranks scores of different networks against each other; the mean of the AUCs"
    if pooled.value is None or spread.mean is None:
        return f"{said} of the folds does not."
    digits = numbers.decimals(pooled.low, pooled.high)
    return (
        f"{said} of the folds does not: {pooled.value:.{digits}f} pooled, {spread.mean:.{digits}f} as that mean, over "
        "pairs of classes."
    )


def on_size(folds: Sequence[Fold]) -> str:
    """On how many images the networks were trained, and what follows for one trained on all."""
    trained = [fold.images.get("train", 0) for fold in folds]
    shares = [fold.images.get("train", 0) / max(1, sum(fold.images.values())) for fold in folds]
    few, many = min(trained), max(trained)
    counts = f"{few:,}" if few == many else f"{few:,} to {many:,}"
    share = 100 * math.fsum(shares) / len(shares)
    return (
        f"The networks were trained on {counts} images each, {share:.0f} % of them all; a network trained on more "
        "tends to do a little better."
    )
