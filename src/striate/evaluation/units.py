"""What belongs together: groups as numbers, and one answer a patient, part or writer from those for its images."""

import numpy as np
from jaxtyping import Float, Float64, Int, Shaped

from striate.errors import StriateError, suggestion

RULES = ("mean", "max")
UNITS = ("image", "group", "group-max")
"""What is judged: each image, or each group by the mean, or by the highest, of its images' probabilities."""


def numbered_groups(groups: Shaped[np.ndarray, " images"]) -> Int[np.ndarray, " images"]:
    """Groups as numbers from 0; each image without one is a group of its own.

    >>> numbered_groups(np.array(["p1", "", "p1", ""])).tolist()
    [2, 0, 2, 1]
    """
    alone = groups == ""
    numbers = np.empty(len(groups), dtype=np.int64)
    numbers[alone] = np.arange(alone.sum())
    numbers[~alone] = np.unique(groups[~alone], return_inverse=True)[1] + alone.sum()
    return numbers


def by_unit(
    truth: Int[np.ndarray, " images"],
    probabilities: Float[np.ndarray, "images classes"],
    groups: Shaped[np.ndarray, " images"],
    rule: str = "mean",
) -> tuple[list[str], Int[np.ndarray, " units"], Float64[np.ndarray, "units classes"]]:
    """The groups in the order of their first image, and the truth and the probabilities of each.

    >>> probabilities = np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]])
    >>> names, truth, of_groups = by_unit(np.array([0, 0, 1]), probabilities, np.array(["p1", "p1", "p2"]))
    >>> names, truth.tolist(), of_groups.round(2).tolist()
    (['p1', 'p2'], [0, 1], [[0.7, 0.3], [0.2, 0.8]])

    `mean` averages each class's probability; `max` takes the highest of any image, and divides by their sum: one
    clear image decides. StriateError for a rule that is neither, and for a group whose images are of several classes.
    """
    if rule not in RULES:
        raise StriateError(f"{rule!r} is no rule; {suggestion(rule, RULES)}")
    _, first_row, unit = np.unique(numbered_groups(groups), return_index=True, return_inverse=True)
    place = np.argsort(np.argsort(first_row))  # of each group by its first image
    unit, names = place[unit], [str(name) for name in groups[np.sort(first_row)]]
    first = np.full(len(names), -1, dtype=np.int64)
    first[unit[::-1]] = truth[::-1]
    mixed = np.flatnonzero(first[unit] != truth)
    if len(mixed):
        raise StriateError(
            f"Group {str(groups[mixed[0]])!r} has images of several classes, so it has no truth of its own;"
            " judge images instead, or name another column with --group."
        )
    values = probabilities.astype(np.float64)
    found = np.zeros((len(names), values.shape[1]))
    if rule == "mean":
        np.add.at(found, unit, values)
        found /= np.bincount(unit)[:, None]
    else:
        np.maximum.at(found, unit, values)
        found /= found.sum(axis=1, keepdims=True)
    return names, first, found


def in_units(
    by: str,
    truth: Int[np.ndarray, " images"],
    probabilities: Float64[np.ndarray, "images classes"],
    groups: Shaped[np.ndarray, " images"] | None,
) -> tuple[Int[np.ndarray, " units"], Int[np.ndarray, " units"], Float64[np.ndarray, "units classes"]]:
    """The first image, the truth and the probabilities of what is judged: images, or their groups; see `UNITS`.

    >>> chances = np.array([[0.2, 0.8], [0.9, 0.1], [0, 1]])
    >>> first, _, of_groups = in_units("group", np.array([1, 0, 1]), chances, np.array(["b", "a", "b"]))
    >>> first.tolist(), of_groups.round(2).tolist()
    ([0, 1], [[0.1, 0.9], [0.9, 0.1]])

    StriateError where groups are asked for and none are known, or as `by_unit` raises.
    """
    if by == "image":
        return np.arange(len(truth)), truth, probabilities
    if groups is None:
        raise StriateError(
            f"--by {by} needs to know what belongs together: name a column with --group, or a part of the file names"
            " with --group-from."
        )
    _, found, chances = by_unit(truth, probabilities, groups, "max" if by == "group-max" else "mean")
    return np.sort(np.unique(numbered_groups(groups), return_index=True)[1]), found, chances
