"""Images with equal pixels: under two labels, in two splits, or counted twice in a class."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, Shaped

from striate.data.audit.finding import Case, Finding, plural
from striate.data.audit.material import Material


@dataclass(frozen=True, eq=False)
class Repeated:
    """Images that share their pixels with another, sorted so that each set stands together.

    `members` are indices of images, `sets` the number of each one's set, 0, 1, 2, … in that order.
    """

    members: Int[np.ndarray, " member"]
    sets: Int[np.ndarray, " member"]

    @property
    def starts(self) -> Int[np.ndarray, " set"]:
        """Where each set begins."""
        return np.flatnonzero(np.diff(self.sets, prepend=-1))

    def differing(self, values: Shaped[np.ndarray, " image"]) -> Bool[np.ndarray, " set"]:
        """Whether a value differs within each set."""
        if not len(self.members):
            return np.zeros(0, bool)
        own = np.unique(values[self.members], return_inverse=True)[1]
        return np.minimum.reduceat(own, self.starts) != np.maximum.reduceat(own, self.starts)


def repeated(pictures: Int[np.ndarray, " image"]) -> Repeated:
    """The sets of images with equal pixels, which are told by a number for each.

    >>> found = repeated(np.array([1, 0, 1, 2]))
    >>> found.members.tolist(), found.sets.tolist()
    ([0, 2], [0, 0])
    """
    order = np.argsort(pictures, kind="stable")
    ordered = pictures[order]
    same = ordered[1:] == ordered[:-1]
    first, later = np.append(same, False), np.insert(same, 0, False)
    chosen = first | later
    return Repeated(order[chosen], np.cumsum((first & ~later)[chosen]) - 1)


def duplicates(material: Material) -> list[Finding]:
    """Conflicting labels and leaks are errors; copies within a class and a split are a warning.

    A set that leaks and has two labels is in both findings, since each needs settling.
    """
    images = material.images
    if len(images) < 2:
        return []
    found = repeated(material.pictures_known)
    conflict, leak = found.differing(images.labels), found.differing(images.splits)
    return [
        *_conflicts(material, found, conflict),
        *_leaks(material, found, leak),
        *_copies(material, found, ~conflict & ~leak),
    ]


def _conflicts(material: Material, found: Repeated, chosen: Bool[np.ndarray, " set"]) -> list[Finding]:
    cases = [
        material.case(image, f"the same pixels are labelled {material.label(partner)}", partner=partner)
        for image, partner in _partners(found, chosen, material.labels)
    ]
    return _finding(
        cases,
        int(chosen.sum()),
        kind="duplicates-across-classes",
        severity="error",
        words="with equal pixels under different labels",
        advice="At most one of the labels is right: drop or relabel the others.",
    )


def _leaks(material: Material, found: Repeated, chosen: Bool[np.ndarray, " set"]) -> list[Finding]:
    splits = material.images.splits
    cases = [
        material.case(
            image, f"in {_where(splits[image])}, its copy in {_where(splits[partner])}", partner=partner
        )
        for image, partner in _partners(found, chosen, splits)
    ]
    return _finding(
        cases,
        int(chosen.sum()),
        kind="duplicates-across-splits",
        severity="error",
        words="with equal pixels in different splits: a leak",
        advice="What is tested must not have been trained on: drop one side, or let striate make the split.",
    )


def _where(split: str) -> str:
    return str(split) or "no split"


def _copies(material: Material, found: Repeated, chosen: Bool[np.ndarray, " set"]) -> list[Finding]:
    if not chosen.any():
        return []
    inside = chosen[found.sets]
    firsts = found.members[found.starts][found.sets]
    copies = np.flatnonzero(inside & (found.members != firsts))
    cases = [
        material.case(image, "a copy of an image of its own class", partner=partner)
        for image, partner in zip(found.members[copies].tolist(), firsts[copies].tolist(), strict=True)
    ]
    return _finding(
        cases,
        int(chosen.sum()),
        kind="duplicates-within-class",
        severity="warning",
        words="with equal pixels and label",
        advice="Listed are the copies. They weigh an image more than once, and stay in one split; drop them if the "
        "weight is not meant.",
    )


def _partners(
    found: Repeated, chosen: Bool[np.ndarray, " set"], values: Shaped[np.ndarray, " image"]
) -> list[tuple[int, int]]:
    """Every image of the chosen sets, with the first of its set that has another value."""
    pairs = []
    for start in found.starts[chosen].tolist():
        stop = start + int(np.searchsorted(found.sets[start:], found.sets[start], side="right"))
        members = found.members[start:stop]
        own = values[members]
        head, other = int(members[0]), int(members[np.argmax(own != own[0])])
        pairs += [
            (int(image), other if value == own[0] else head)
            for image, value in zip(members, own, strict=True)
        ]
    return pairs


def _finding(
    cases: list[Case], sets: int, *, kind: str, severity: str, words: str, advice: str
) -> list[Finding]:
    if not cases:
        return []
    return [
        Finding(
            kind=kind,
            severity="error" if severity == "error" else "warning",
            sentence=f"{plural(sets, 'set')} of images {words}.",
            count=len(cases),
            advice=advice,
            cases=tuple(cases),
            numbers={"sets": sets, "images": len(cases)},
        )
    ]
