"""The differences between two runs with their intervals: image by image, or by groups where images belong together."""

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64, Int

from striate.evaluation.comparing.paired import agreement, score_difference, score_limits
from striate.evaluation.intervals import Number, undefined, wilson
from striate.evaluation.resampling import Resampled, resample

ACCURACY, LOG_LOSS, RECALLS = 0, 1, 2
"""Columns of what is resampled by groups; the recalls of the classes follow each other."""
FEW_GROUPS = 10
NO_IMAGE = "no image of this class"
NO_SPREAD = "no spread, hence no interval"
ONE_GROUP = "one group, hence no interval"


@dataclass(frozen=True, eq=False)
class Ground:
    """What all runs share: truth, classes, what belongs together (numbered from 0), and the seed of resamples."""

    truth: Int[np.ndarray, " images"]
    classes: tuple[str, ...]
    groups: Int[np.ndarray, " images"] | None
    seed: int


@dataclass(frozen=True, kw_only=True)
class Differences:
    """Other minus reference: accuracy by its best interval and by the bootstrap alone, and what else is measured."""

    accuracy: Number
    bootstrap: Number
    balanced_accuracy: Number
    log_loss: Number
    recalls: tuple[Number, ...]


def image_differences(
    ground: Ground,
    reference: Bool[np.ndarray, " images"],
    other: Bool[np.ndarray, " images"],
    worse: Float64[np.ndarray, " images"],
) -> Differences:
    """With images as units: Tango's score interval of proportions, BCa for the rest; `worse` is the loss added."""
    gain, ones = other.astype(np.float64) - reference, np.ones((len(other), 1))
    booted = resample(gain[:, None], ones, ground.seed)
    lost = resample(worse[:, None], ones, ground.seed)
    of_class = [ground.truth == index for index in range(len(ground.classes))]
    recalls = [
        score_difference(agreement(reference[mask], other[mask])) if mask.any() else undefined(NO_IMAGE)
        for mask in of_class
    ]
    n = len(other)
    return Differences(
        accuracy=score_difference(agreement(reference, other)),
        bootstrap=_number(booted, 0, n),
        balanced_accuracy=_mean(recalls),
        log_loss=_number(lost, 0, n),
        recalls=tuple(recalls),
    )


def group_differences(
    ground: Ground, gain: Float64[np.ndarray, " images"], worse: Float64[np.ndarray, " images"]
) -> Differences:
    """With groups as units, which are drawn whole.

    `gain` is 1 where only the other run is right and -1 where only the reference is; `worse` is the loss added.
    """
    assert ground.groups is not None
    booted, n = by_groups(ground, gain, worse), len(gain)
    of_class = [ground.truth == index for index in range(len(ground.classes))]
    accuracy = _cautious(_number(booted, ACCURACY, n), ground.groups, gain)
    recalls = tuple(
        _cautious(_number(booted, RECALLS + index, int(mask.sum())), ground.groups[mask], gain[mask])
        for index, mask in enumerate(of_class)
    )
    present = [RECALLS + index for index, mask in enumerate(of_class) if mask.any()]
    balanced, limits = _mean(list(recalls)), booted.limits_of_mean(present)
    if limits and not _leaning(ground.groups, gain):
        balanced = replace(balanced, low=limits[0], high=limits[1])
    return Differences(
        accuracy=accuracy,
        bootstrap=_number(booted, ACCURACY, n),
        balanced_accuracy=balanced,
        log_loss=_number(booted, LOG_LOSS, n),
        recalls=recalls,
    )


def group_rates(
    ground: Ground, right: Bool[np.ndarray, " images"], losses: Float64[np.ndarray, " images"]
) -> tuple[Number, Number, Number]:
    """Accuracy, balanced accuracy and log loss of one run, with intervals from whole groups."""
    assert ground.groups is not None
    booted, n = by_groups(ground, right.astype(np.float64), losses), len(right)
    supports = np.bincount(ground.truth, minlength=len(ground.classes))
    present = [RECALLS + index for index in np.flatnonzero(supports).tolist()]
    groups = len(np.unique(ground.groups))
    found = []
    for value, limits, reason in (
        (float(booted.values[ACCURACY]), booted.limits(ACCURACY), None),
        (
            float(booted.values[present].mean()),
            booted.limits_of_mean(present),
            _absent(len(present), len(supports)),
        ),
    ):
        known = wilson(round(value * groups), groups)
        low, high = limits or (min(known.low or 0.0, value), max(known.high or 0.0, value))
        found.append(Number(value, max(low, 0.0), min(high, 1.0), n, reason))
    return found[0], found[1], _number(booted, LOG_LOSS, n)


def by_groups(
    ground: Ground, gains: Float64[np.ndarray, " images"], losses: Float64[np.ndarray, " images"]
) -> Resampled:
    """Whole groups drawn with replacement: the mean gain, the mean loss, and the mean gain of each class."""
    groups, classes = ground.groups, len(ground.classes)
    assert groups is not None
    count = int(groups.max()) + 1
    sizes = np.bincount(groups, minlength=count).astype(np.float64)
    cells = groups * classes + ground.truth
    of_class = np.bincount(cells, minlength=count * classes).reshape(count, classes)
    gained = np.bincount(cells, weights=gains, minlength=count * classes).reshape(count, classes)
    lost = np.bincount(groups, weights=losses, minlength=count)
    return resample(
        np.column_stack([gained.sum(axis=1), lost, gained]),
        np.column_stack([sizes, sizes, of_class]).astype(np.float64),
        ground.seed,
    )


def _number(booted: Resampled, column: int, n: int) -> Number:
    if n == 0:
        return undefined(NO_IMAGE)
    limits = booted.limits(column)
    value = float(booted.values[column])
    return Number(value, *limits, n) if limits else Number(value, None, None, n, NO_SPREAD)


def _cautious(
    number: Number, groups: Int[np.ndarray, " images"], gain: Float64[np.ndarray, " images"]
) -> Number:
    """The number, its interval mended where resamples cannot tell how far a difference may reach.

    With one image a group it is Tango's. Where few groups differ and all lean to one side, no resample leans to the
    other: the interval is then at least Tango's for the share of groups that differ, times how much they do.
    """
    sums = np.bincount(groups, weights=gain)
    pairs, value = len(np.unique(groups)), number.value
    if value is None:
        return number
    more, less = float((sums > 0).sum()), float((sums < 0).sum())
    if pairs == 1 and len(groups) > 1:
        return replace(number, low=None, high=None, reason=ONE_GROUP)
    if pairs == len(groups):
        low, high = score_limits(more, less, pairs)
    elif _leaning(groups, gain):
        size = abs(value) * pairs / (more + less) if more + less else 1.0
        low, high = (size * limit for limit in score_limits(more, less, pairs))
        low, high = max(min(low, number.low or 0.0), -1.0), min(max(high, number.high or 0.0), 1.0)
    else:
        return number
    return replace(number, low=min(low, value), high=max(high, value), reason=None)


def _leaning(groups: Int[np.ndarray, " images"], gain: Float64[np.ndarray, " images"]) -> bool:
    """Whether few groups differ, and all of them to one side."""
    sums = np.bincount(groups, weights=gain)
    more, less = int((sums > 0).sum()), int((sums < 0).sum())
    return min(more, less) == 0 and max(more, less) < FEW_GROUPS


def _mean(parts: list[Number]) -> Number:
    """The mean of independent differences, by the method of variance estimates recovery (Zou and Donner 2008)."""
    known = [part for part in parts if part.value is not None]
    if not known:
        return undefined("no cases")
    k = len(known)
    value = sum(part.value or 0.0 for part in known) / k
    below = math.sqrt(sum(((p.value or 0.0) - (p.low or 0.0)) ** 2 for p in known)) / k
    above = math.sqrt(sum(((p.high or 0.0) - (p.value or 0.0)) ** 2 for p in known)) / k
    n = sum(part.n for part in known)
    return Number(value, max(value - below, -1.0), min(value + above, 1.0), n, _absent(k, len(parts)))


def _absent(present: int, classes: int) -> str | None:
    if present == classes:
        return None
    return f"mean over {present} of {classes} classes: {classes - present} without images"
