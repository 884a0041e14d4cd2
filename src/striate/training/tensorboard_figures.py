"""What TensorBoard shows of the validation images class by class: precision-recall curves and the confusion matrix."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from striate.drawing.matrix_picture import matrix_picture
from striate.evaluation.precision_recall import average_precision
from striate.training.events import Outcome

MOST_CURVES, MOST_RANKED = 20, 100
"""Classes whose curves are written: those of lowest average precision, among those of lowest recall."""
MOST_CELLS = 60
"""Classes that the matrix shows one by one: those with most errors; the others share a line."""


def curve_classes(outcome: Outcome) -> list[int]:
    """The classes whose precision-recall curve is worth a look, in their order: at most 20, all where there are fewer.

    A class without images inside and outside of it has no curve.
    """
    truth, count = outcome.truth, outcome.probabilities.shape[1]
    support = np.bincount(truth, minlength=count)
    known = np.flatnonzero((support > 0) & (support < len(truth)))
    if len(known) <= MOST_CURVES:
        return known.tolist()
    right = np.bincount(truth[outcome.probabilities.argmax(axis=1) == truth], minlength=count)
    ranked = known[np.argsort(right[known] / support[known], kind="stable")[:MOST_RANKED]]
    precisions = [precision_of(outcome.probabilities[:, one], truth == one) for one in ranked.tolist()]
    return sorted(ranked[np.argsort(precisions, kind="stable")[:MOST_CURVES]].tolist())


def precision_of(scores: Float[np.ndarray, " images"], inside: Bool[np.ndarray, " images"]) -> float:
    """The average precision of a class that has images inside and outside."""
    return average_precision(scores[inside], scores[~inside]).value or 0.0


def confusion_picture(outcome: Outcome, classes: tuple[str, ...]) -> UInt8[np.ndarray, "height width rgb"]:
    """The confusion matrix of the validation images as a picture."""
    count = len(classes)
    pairs = outcome.truth * count + outcome.probabilities.argmax(axis=1)
    counts = np.bincount(pairs, minlength=count * count).reshape(count, count)
    part, names = most_confused(counts, classes)
    return np.asarray(matrix_picture(part.tolist(), names))


def most_confused(
    counts: Int[np.ndarray, "truth predicted"], classes: tuple[str, ...], most: int = MOST_CELLS
) -> tuple[Int[np.ndarray, "kept kept"], list[str]]:
    """The matrix of the classes with most errors, and one line more for all others, so that rows keep their sums.

    >>> counts = np.array([[5, 0, 0], [0, 3, 1], [0, 2, 4]])
    >>> most_confused(counts, ("ant", "bee", "cat"), most=2)
    (array([[3, 1, 0],
           [2, 4, 0],
           [0, 0, 5]]), ['bee', 'cat', '1 others'])
    """
    if len(classes) <= most:
        return counts, list(classes)
    errors = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
    kept = np.sort(np.argsort(-errors, kind="stable")[:most])
    line = np.full(len(classes), most)
    line[kept] = np.arange(most)
    part = np.zeros((most + 1, most + 1), dtype=counts.dtype)
    np.add.at(part, (line[:, None], line[None, :]), counts)
    return part, [*(classes[one] for one in kept.tolist()), f"{len(classes) - most:,} others"]


def curves(
    outcome: Outcome, classes: tuple[str, ...]
) -> Iterator[tuple[str, Bool[np.ndarray, " images"], Float[np.ndarray, " images"]]]:
    """Of each class to be drawn its name, which images are of it, and how probable each was said to be."""
    for one in curve_classes(outcome):
        yield classes[one], outcome.truth == one, outcome.probabilities[:, one]
