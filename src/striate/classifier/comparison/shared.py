"""The images that runs can be compared on: test images of each, by their pixels, that none was trained on."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int, Shaped

from striate.classifier.leaks import Trained
from striate.data import Images, Pack
from striate.errors import SourceError

if TYPE_CHECKING:
    from striate.classifier.classifier import Classifier


ADVICE = (
    "Runs trained with the same splits (`striate train --splits RUN/splits.csv`) share all their test images."
)


@dataclass(frozen=True, eq=False)
class Side:
    """One run, the images that it offers (with their digests), and what it was trained on.

    `known` are all images whose group it knows: those offered, and its training images where they are at hand.
    """

    name: str
    classifier: "Classifier"
    images: Images
    pack: Pack
    trained: Trained
    known: Images
    offered: tuple[str, str]
    """What the images are, and whose: ("test images", "a"), ("images", "folder")."""

    @cached_property
    def places(self) -> dict[bytes, int]:
        """Where each picture stands in the table; of equal pixels, the first."""
        assert self.images.digests is not None
        digests = self.images.digests.tolist()
        return {digest: place for place, digest in reversed(list(enumerate(digests)))}

    @cached_property
    def labels(self) -> dict[bytes, frozenset[str]]:
        """Every class that each picture is given."""
        assert self.images.digests is not None
        found: dict[bytes, set[str]] = {}
        for digest, label in zip(self.images.digests.tolist(), self.images.labels.tolist(), strict=True):
            found.setdefault(digest, set()).add(self.images.classes[label])
        return {digest: frozenset(labels) for digest, labels in found.items()}

    @cached_property
    def seen(self) -> frozenset[bytes]:
        """Digests of what it was trained on."""
        return frozenset(self.trained.digests.tolist())


@dataclass(frozen=True, eq=False)
class Shared:
    """The images compared: for each side, their places in its table; their groups; and what was left out, in words."""

    places: tuple[Int[np.ndarray, " images"], ...]
    groups: Shaped[np.ndarray, " images"] | None
    notes: tuple[str, ...]


def share(sides: Sequence[Side]) -> Shared:
    """The images that every side offers under one class, and that none was trained on, nor on others of their group.

    Raises SourceError where none is left; says why.
    """
    groups = groups_known(sides)
    reasons = {digest: reason for side in sides for digest, reason in left_out(side, sides, groups)}
    kept = [digest for digest in sides[0].places if digest not in reasons]
    told = accounts(sides, reasons, len(kept))
    if not kept:
        raise SourceError(
            f"There is no image to compare the runs on: {' '.join(told)} "
            "Give labelled images that none of them was trained on with --data."
        )
    of_each = np.array([groups.get(digest, "") for digest in kept])
    grouped = bool((of_each != "").any())
    return Shared(
        places=tuple(np.array([side.places[digest] for digest in kept]) for side in sides),
        groups=of_each if grouped else None,
        notes=(*told, untouched(len(set(of_each.tolist()) - {""}) if grouped else None)),
    )


def groups_known(sides: Sequence[Side]) -> dict[bytes, str]:
    """The group of every picture whose group some side knows; the first one's word counts."""
    found: dict[bytes, str] = {}
    for side in reversed(sides):
        if side.known.groups is not None and side.known.digests is not None:
            pairs = zip(side.known.digests.tolist(), side.known.groups.tolist(), strict=True)
            found |= {digest: group for digest, group in pairs if group}
    return found


def left_out(side: Side, sides: Sequence[Side], groups: dict[bytes, str]) -> Iterator[tuple[bytes, str]]:
    """The pictures of a side that cannot be compared, each with the gravest reason."""
    touched = {one.name: groups_trained(one, groups) for one in sides}
    for digest, labels in side.labels.items():
        seen = [one.name for one in sides if digest in one.seen]
        related = [one.name for one in sides if groups.get(digest) in touched[one.name]]
        absent = [one.name for one in sides if digest not in one.places]
        if seen:
            yield digest, f"trained on by {' and '.join(seen)}"
        elif related:
            yield digest, f"of a group trained on by {' and '.join(related)}"
        elif absent:
            yield digest, f"not among the {side.offered[0]} of {' and '.join(absent)}"
        elif len(labels.union(*(one.labels[digest] for one in sides))) > 1:
            yield digest, "given more than one class"


def groups_trained(side: Side, groups: dict[bytes, str]) -> frozenset[str]:
    """The groups of what a side was trained on, as it names them and as another side knows them by their pixels."""
    named = side.trained.groups or frozenset()
    return (named | {groups[digest] for digest in side.seen if digest in groups}) - {""}


def accounts(sides: Sequence[Side], reasons: dict[bytes, str], kept: int) -> list[str]:
    """How many images of each side are compared, and what became of the rest; sides that fare alike together."""
    told: dict[tuple[int, str, str], list[str]] = {}
    for side in sides:
        counts = Counter(reasons[digest] for digest in side.labels if digest in reasons)
        counts["copies of another, with the same pixels"] = len(side.images) - len(side.labels)
        rest = "; ".join(f"{count:,} {reason}" for reason, count in counts.most_common() if count)
        told.setdefault((len(side.images), side.offered[0], rest), []).append(side.offered[1])
    sentences = []
    for (total, what, rest), owners in told.items():
        whose = f"{what} of {' and '.join(dict.fromkeys(owners))}"
        sentences.append(
            f"{kept:,} of {total:,} {whose} are compared; left out: {rest}."
            if rest
            else f"All {total:,} {whose} are compared."
        )
    few = any(kept < 0.9 * len(side.images) for side in sides) and sides[0].offered != sides[1].offered
    return [*sentences, *([ADVICE] if few else [])]


def untouched(groups: int | None) -> str:
    """What was looked into before an image was compared."""
    if groups is None:
        return "No run was trained on any of these images; groups are not known, so images of one patient may be torn."
    return f"No run was trained on any of these images, nor on another of their {groups:,} groups."
