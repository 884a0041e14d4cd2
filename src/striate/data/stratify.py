"""Splits whose shares hold in every class, as nearly as units that may not be torn apart allow."""

import numpy as np
from jaxtyping import Float64, Int


def stratified(
    unit: Int[np.ndarray, " image"],
    labels: Int[np.ndarray, " image"],
    places: Float64[np.ndarray, " unit"],
    shares: Float64[np.ndarray, " part"],
) -> Int[np.ndarray, " unit"]:
    """The part of every unit, so that each class comes as near to `shares` as whole units can.

    >>> unit, labels = np.arange(20), np.repeat([0, 1], 10)
    >>> part = stratified(unit, labels, np.linspace(0, 0.95, 20), np.array([0.5, 0.3, 0.2]))
    >>> [np.bincount(part[labels == label]).tolist() for label in (0, 1)]
    [[5, 3, 2], [5, 3, 2]]

    Units go in the order of their size, the largest first, and then of their places; each to the part that is
    furthest behind in the classes it brings. The rule of scikit-learn's StratifiedGroupKFold, for unequal shares.
    """
    count = len(places)
    classes, number = np.unique(labels, return_inverse=True)
    pairs, images = np.unique(unit * len(classes) + number, return_counts=True)
    owner, brought = pairs // len(classes), pairs % len(classes)
    starts = np.searchsorted(owner, np.arange(count + 1))
    totals = np.bincount(number, minlength=len(classes)).astype(np.float64)
    behind = shares[:, None] * totals
    part = np.zeros(count, dtype=np.int64)
    sizes = np.bincount(unit, minlength=count)
    for one in np.lexsort((places, -sizes)).tolist():
        own = slice(starts[one], starts[one + 1])
        which = brought[own]
        # What a class lacks counts in shares of that class, so that a rare one weighs as much as a common one.
        lacking = (behind[:, which] * (images[own] / totals[which])).sum(axis=1)
        best = int(np.argmax(lacking))
        part[one] = best
        behind[best, which] -= images[own]
    return part
