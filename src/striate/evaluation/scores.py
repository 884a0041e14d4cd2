"""Summaries of a confusion matrix over all classes, with intervals from images or whole groups drawn again."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int

from striate.evaluation.intervals import Number, undefined, wilson
from striate.evaluation.resampling import Resampled, resample_cells

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Counts = Float64[np.ndarray, "some classes"]
"""Of each class, for some matrices at once: right images, images of the class, or images called so."""
Score = Callable[[Counts, Counts, Counts], Float64[np.ndarray, " some"]]
"""One number a matrix from its hits, supports and called; NaN where it is undefined."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Averages over classes, and agreement beyond chance.

    Macro is the plain mean over the classes that have images; weighted is by their images. Micro precision, recall
    and F1 of single labels are all the accuracy.
    """

    macro_precision: Number
    macro_recall: Number
    macro_f1: Number
    weighted_precision: Number
    weighted_recall: Number
    weighted_f1: Number
    kappa: Number
    matthews: Number

    def to_dict(self) -> dict[str, dict[str, float | int | str | None]]:
        """Every score with its interval and its n."""
        return {name: number.to_dict() for name, number in vars(self).items()}


def scores(
    truth: Int[np.ndarray, " images"],
    predicted: Int[np.ndarray, " images"],
    classes: int,
    groups: Int[np.ndarray, " images"] | None = None,
    seed: int = 0,
) -> Scores:
    """Averages and agreement of predicted classes, each with its BCa interval at 95 %.

    >>> truth, predicted = np.array([0, 0, 1, 1, 2, 2] * 10), np.array([0, 0, 1, 2, 2, 2] * 10)
    >>> found = scores(truth, predicted, classes=3)
    >>> round(found.macro_f1.value, 3), round(found.kappa.value, 3), round(found.matthews.value, 3)
    (0.822, 0.75, 0.783)

    `groups` numbers what belongs together from 0; whole groups are then drawn. Where every resample gives the same
    (all right, or all wrong), the interval is Wilson's of so many images, or groups, all right: never of zero width.
    A precision of a class that no image is called counts as 0, as scikit-learn has it. Sources: Cohen 1960 (kappa);
    Gorodkin 2004 (the correlation coefficient of Matthews for several classes); Efron 1987 (BCa).
    """
    n = len(truth)
    if n == 0:
        return Scores(**{name: undefined("no cases") for name in SCORES})
    cells, counts = _units(truth, predicted, classes, groups)

    def statistic(sums: Float64[np.ndarray, "some columns"]) -> Float64[np.ndarray, "some statistics"]:
        hits, support, called = np.split(sums, 3, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.column_stack([score(hits, support, called) for score in SCORES.values()])

    drawn = resample_cells(cells, counts, statistic, seed)
    notes = _notes(np.bincount(truth, minlength=classes), np.bincount(predicted, minlength=classes))
    found = {name: _number(drawn, index, n, name) for index, name in enumerate(SCORES)}
    return Scores(**{name: replace(one, reason=one.reason or notes.get(name)) for name, one in found.items()})


def precision(hits: Counts, support: Counts, called: Counts) -> Counts:
    """The share of images called so that are of the class; 0 where no image is called so."""
    del support
    return np.where(called > 0, hits / called, 0.0)


def recall(hits: Counts, support: Counts, called: Counts) -> Counts:
    """The share of the class that is called so; 0 where no image is of the class."""
    del called
    return np.where(support > 0, hits / support, 0.0)


def f1(hits: Counts, support: Counts, called: Counts) -> Counts:
    """2 hits / (support + called); 0 where both are."""
    both = support + called
    return np.where(both > 0, 2 * hits / both, 0.0)


def macro(rate: Callable[[Counts, Counts, Counts], Counts]) -> Score:
    """The plain mean of a rate over the classes that have images."""

    def score(hits: Counts, support: Counts, called: Counts) -> Float64[np.ndarray, " some"]:
        present = support > 0
        return np.where(present, rate(hits, support, called), 0.0).sum(axis=1) / present.sum(axis=1)

    return score


def weighted(rate: Callable[[Counts, Counts, Counts], Counts]) -> Score:
    """The mean of a rate over classes, weighted by their images."""

    def score(hits: Counts, support: Counts, called: Counts) -> Float64[np.ndarray, " some"]:
        return (rate(hits, support, called) * support).sum(axis=1) / support.sum(axis=1)

    return score


def kappa(hits: Counts, support: Counts, called: Counts) -> Float64[np.ndarray, " some"]:
    """Agreement beyond what the same frequencies agree on by chance; undefined where chance would agree on all."""
    n = support.sum(axis=1)
    observed, expected = hits.sum(axis=1) / n, (support * called).sum(axis=1) / n**2
    return np.where(expected < 1, (observed - expected) / (1 - expected), np.nan)


def matthews(hits: Counts, support: Counts, called: Counts) -> Float64[np.ndarray, " some"]:
    """The correlation of truth and prediction; undefined where either is always the same class."""
    n = support.sum(axis=1)
    together = hits.sum(axis=1) * n - (support * called).sum(axis=1)
    spread = (n**2 - (support**2).sum(axis=1)) * (n**2 - (called**2).sum(axis=1))
    return np.where(spread > 0, together / np.sqrt(spread), np.nan)


SCORES: dict[str, Score] = {
    "macro_precision": macro(precision),
    "macro_recall": macro(recall),
    "macro_f1": macro(f1),
    "weighted_precision": weighted(precision),
    "weighted_recall": weighted(recall),
    "weighted_f1": weighted(f1),
    "kappa": kappa,
    "matthews": matthews,
}
UNDEFINED = {
    "kappa": "truth and prediction are one class, so chance alone would agree on all",
    "matthews": "truth or prediction is always the same class",
}


def _units(
    truth: Int[np.ndarray, " images"],
    predicted: Int[np.ndarray, " images"],
    classes: int,
    groups: Int[np.ndarray, " images"] | None,
) -> "tuple[csr_array, Int[np.ndarray, ' cells']]":
    """Hits, supports and called of every kind of unit, sparse, and how many there are of each kind."""
    from scipy.sparse import csr_array

    if groups is None:
        pairs, counts = np.unique(np.column_stack([truth, predicted]), axis=0, return_counts=True)
        truth, predicted = pairs.T
        unit = np.arange(len(pairs))
    else:
        _, unit = np.unique(groups, return_inverse=True)
        counts = np.ones(int(unit.max()) + 1, dtype=np.int64)
    right = np.flatnonzero(truth == predicted)
    rows = np.concatenate([unit[right], unit, unit])
    columns = np.concatenate([truth[right], classes + truth, 2 * classes + predicted])
    # entries of the same place add up
    return csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(counts), 3 * classes)), counts


def _notes(support: Int[np.ndarray, " classes"], called: Int[np.ndarray, " classes"]) -> dict[str, str]:
    """What the averages leave out, or count as 0."""
    present = support > 0
    few, silent = int(present.sum()), int((present & (called == 0)).sum())
    notes: dict[str, str] = {}
    if few < len(support):
        absent = f"mean over {few} of {len(support)} classes: {len(support) - few} without images"
        notes = {name: absent for name in SCORES if name.startswith("macro")}
    if silent:
        whose = "is never called; its" if silent == 1 else "are never called; their"
        nought = f"{silent} of the {few} classes with images {whose} precision counts as 0"
        notes |= {
            name: "; ".join(filter(None, (notes.get(name), nought)))
            for name in ("macro_precision", "weighted_precision")
        }
    return notes


def _number(drawn: Resampled, column: int, n: int, name: str) -> Number:
    value = float(drawn.values[column])
    if not np.isfinite(value):
        return undefined(UNDEFINED[name], n)
    limits = drawn.limits(column)
    if limits and limits[1] - limits[0] > 1e-12:
        return Number(value, *limits, n)
    units = int(drawn.frequency.sum())
    known = wilson(round(abs(value) * units), units)
    low, high = min(known.low or 0.0, value), max(known.high or 0.0, value)
    return Number(value, low, high, n)
