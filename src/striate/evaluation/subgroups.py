"""The verdict for every value of a column: site, scanner, sex, image size; the worst first."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from striate.evaluation.intervals import Number, undefined
from striate.evaluation.judgement import judge
from striate.evaluation.metrics import accuracy
from striate.evaluation.verdict import Subgroup

MOST_VALUES = 50
OTHERS = "(others)"
NONE = "(none)"


def subgroups(
    truth: Int[np.ndarray, " images"],
    probabilities: Float[np.ndarray, "images classes"],
    classes: Sequence[str],
    values: Sequence[str],
    split: str = "test",
    groups: Int[np.ndarray, " images"] | None = None,
) -> list[Subgroup]:
    """Judge the images of each value of a column by themselves, lowest accuracy first.

    >>> truth = np.array([0, 1] * 20)
    >>> sure = np.where(truth[:, None] == [0, 1], 0.8, 0.2)
    >>> sure[:10] = sure[:10, ::-1]
    >>> worst, best = subgroups(truth, sure, ["cat", "owl"], ["north"] * 15 + ["south"] * 25)
    >>> worst.value, round(worst.verdict.accuracy.value, 2), best.verdict.accuracy.value
    ('north', 0.33, 1.0)

    No value is `(none)`; beyond the fifty most frequent values, the rest are `(others)`. The interval of the
    difference combines those of the two accuracies (Newcombe 1998, method 10).
    """
    named = np.array([value or NONE for value in values], dtype=object)
    frequent, counts = np.unique(named, return_counts=True)
    if len(frequent) > MOST_VALUES:
        kept = set(frequent[np.argsort(-counts, kind="stable")[: MOST_VALUES - 1]].tolist())
        named = np.array([value if value in kept else OTHERS for value in named.tolist()], dtype=object)
    found = []
    for value in sorted(set(named.tolist())):
        mask = named == value
        of_mask, of_rest = (None if groups is None else groups[part] for part in (mask, ~mask))
        own = judge(truth[mask], probabilities[mask], tuple(classes), split=split, groups=of_mask)
        rest = accuracy(truth[~mask], probabilities[~mask], of_rest)
        found.append(Subgroup(value, own, difference(own.accuracy, rest)))
    return sorted(found, key=lambda one: (one.verdict.accuracy.value or 0.0, one.value))


def difference(own: Number, rest: Number) -> Number:
    """Of two independent proportions, from the interval of each.

    >>> from striate.evaluation.intervals import wilson
    >>> found = difference(wilson(56, 70), wilson(48, 80))
    >>> round(found.value, 2), round(found.low, 4), round(found.high, 4)  # Newcombe's own example
    (0.2, 0.0524, 0.3339)
    """
    if own.value is None or rest.value is None:
        return undefined("all images have this value", own.n)
    value = own.value - rest.value
    if None in (own.low, own.high, rest.low, rest.high):
        return Number(value, None, None, own.n, "one group, hence no interval")
    low = value - math.hypot(own.value - (own.low or 0.0), (rest.high or 0.0) - rest.value)
    high = value + math.hypot((own.high or 0.0) - own.value, rest.value - (rest.low or 0.0))
    return Number(value, max(low, -1.0), min(high, 1.0), own.n)
