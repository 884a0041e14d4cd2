"""Which split an image belongs to: a pure function of the seed and the hash of its pixels."""

import hashlib

import numpy as np
from jaxtyping import Float64, Int, Shaped

from striate.data.layout import SPLITS
from striate.errors import SourceError

FRACTIONS = (0.7, 0.15, 0.15)
VALIDATION_OF_TRAINING = 0.1


def assign_splits(
    digests: Shaped[np.ndarray, " image"],
    labels: Int[np.ndarray, " image"],
    ready: Shaped[np.ndarray, " image"],
    seed: int,
    *,
    classes: tuple[str, ...] = (),
    fractions: tuple[float, float, float] = FRACTIONS,
) -> tuple[Shaped[np.ndarray, " image"], list[str]]:
    """The split of every image, and what must be said about it.

    >>> digests = np.array([f"{number:032x}" for number in range(200)], dtype="S32")
    >>> splits, notes = assign_splits(digests, np.zeros(200, int), np.full(200, ""), seed=0)
    >>> [int((splits == split).sum()) for split in ("train", "validation", "test")], notes
    ([141, 30, 29], [])

    An image's place is u = BLAKE2b(seed, digest) / 2^64: training below 0.7, then validation, and test from
    0.85. Equal pixels therefore share a split, proportions are approximate, and new images move none of the
    others. A class without an image in one of the splits gets the one nearest to the boundary; the notes
    say so. Ready-made splits in `ready` ('' where there is none) are kept; validation, where they have
    none, is a tenth cut from training by the same rule. Raises SourceError for a class with fewer distinct
    pictures than splits.
    """
    known, group = np.unique(digests, return_inverse=True)
    places = _places(known, seed)
    splits = np.asarray(ready).astype("U10")
    free = splits == ""
    if free.all():
        names, bounds = SPLITS, np.cumsum((0.0, *fractions))
    elif free.any():
        raise SourceError(
            f"{free.sum():,} of {len(free):,} images have no split; give it for all or for none"
        )

    elif "validation" not in splits:
        names, bounds = SPLITS[:2], np.array([0.0, 1.0 - VALIDATION_OF_TRAINING, 1.0])
        free = splits == "train"
    else:
        return splits, _ready_notes(splits, labels, classes)
    placed, notes = _placed(places, group[free], np.asarray(labels)[free], names, bounds, classes)
    splits[free] = placed
    return splits, notes + (_ready_notes(splits, labels, classes) if not free.all() else [])


def _places(digests: Shaped[np.ndarray, " group"], seed: int) -> Float64[np.ndarray, " group"]:
    key = int(seed).to_bytes(16, "little", signed=True)
    hashed = b"".join(hashlib.blake2b(digest, digest_size=8, key=key).digest() for digest in digests.tolist())
    # The upper 53 bits, so that no hash rounds up to 1.
    return (np.frombuffer(hashed, dtype=">u8") >> 11) / 2.0**53


def _placed(
    places: Float64[np.ndarray, " group"],
    group: Int[np.ndarray, " free"],
    labels: Int[np.ndarray, " free"],
    names: tuple[str, ...],
    bounds: Float64[np.ndarray, " bound"],
    classes: tuple[str, ...],
) -> tuple[Shaped[np.ndarray, " free"], list[str]]:
    pairs = np.unique(np.stack([labels, group], axis=1), axis=0)
    present, distinct = np.unique(pairs[:, 0], return_counts=True)

    _refuse_small(present, distinct, names, classes)

    split = np.searchsorted(bounds[1:-1], places, side="right")
    notes = []
    for label, members in zip(present.tolist(), np.split(pairs[:, 1], np.cumsum(distinct)[:-1]), strict=True):
        moved = _topped_up(split, places, members, bounds)
        notes += [
            f"class {_named(label, classes)!r} had no picture for {names[target]}; "
            f"the one nearest to it was taken from {names[source]}"
            for source, target in moved
        ]
    _check_complete(split, pairs, names, classes)
    return np.array(names, dtype="U10")[split[group]], notes


def _refuse_small(
    present: Int[np.ndarray, " class"],
    distinct: Int[np.ndarray, " class"],
    names: tuple[str, ...],
    classes: tuple[str, ...],
) -> None:
    """Each split needs a picture of each class, and equal pixels count once."""
    small = np.flatnonzero(distinct < len(names))
    if len(small):
        found = zip(present[small[:5]].tolist(), distinct[small[:5]].tolist(), strict=True)
        listed = ", ".join(f"{_named(label, classes)!r} has {count}" for label, count in found)
        raise SourceError(
            f"each class needs {len(names)} distinct readable pictures, one for each of {', '.join(names)}: "
            f"{listed}{', …' * (len(small) > 5)}; add pictures or leave the class out"
        )


def _topped_up(
    split: Int[np.ndarray, " group"],
    places: Float64[np.ndarray, " group"],
    members: Int[np.ndarray, " member"],
    bounds: Float64[np.ndarray, " bound"],
) -> list[tuple[int, int]]:
    """Moves into each empty split the member nearest to it, from a split that can spare one."""
    moved = []
    for target in range(len(bounds) - 1):
        counts = np.bincount(split[members], minlength=len(bounds) - 1)
        if counts[target]:
            continue
        spare = members[counts[split[members]] > 1]
        distance = np.maximum(bounds[target] - places[spare], places[spare] - bounds[target + 1])
        chosen = spare[np.argmin(distance)]
        moved.append((int(split[chosen]), target))
        split[chosen] = target
    return moved


def _check_complete(
    split: Int[np.ndarray, " group"],
    pairs: Int[np.ndarray, "pair 2"],
    names: tuple[str, ...],
    classes: tuple[str, ...],
) -> None:
    """Classes that share pictures can undo each other's topping up; then there is no split to be had."""
    held = np.zeros((pairs[:, 0].max() + 1, len(names)), dtype=bool)
    held[pairs[:, 0], split[pairs[:, 1]]] = True
    for label in np.unique(pairs[:, 0]).tolist():
        if not held[label].all():
            raise SourceError(
                f"class {_named(label, classes)!r} shares so many identical pictures with other classes that "
                f"it cannot have one in each of {', '.join(names)}; give every picture one class"
            )


def _ready_notes(
    splits: Shaped[np.ndarray, " image"], labels: Int[np.ndarray, " image"], classes: tuple[str, ...]
) -> list[str]:
    notes = []
    every = set(np.unique(labels).tolist())
    for name in [name for name in SPLITS if name in splits]:
        missing = sorted(every - set(np.unique(labels[splits == name]).tolist()))
        if not missing:
            continue
        listed = ", ".join(repr(_named(label, classes)) for label in missing[:5])
        if name == "train":
            raise SourceError(f"the ready-made training split has no picture of class {listed}; add some")
        listed += ", …" * (len(missing) > 5)
        notes.append(f"the ready-made {name} split has no picture of class {listed}")

    return notes


def _named(label: int, classes: tuple[str, ...]) -> str:
    return classes[label] if classes else str(label)
