"""Which split an image belongs to: a pure function of the seed and a hash, of its pixels or of its group."""

import hashlib

import numpy as np
from jaxtyping import Bool, Float64, Int, Shaped

from striate.data.sources.layout import SPLITS
from striate.data.stratify import stratified
from striate.data.units import units
from striate.errors import SourceError, UsageError

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
    groups: Shaped[np.ndarray, " image"] | None = None,
    stratify: bool = False,
) -> tuple[Shaped[np.ndarray, " image"], list[str]]:
    """The split of every image, and what must be said about it.

    >>> digests = np.array([f"{number:032x}" for number in range(200)], dtype="S32")
    >>> splits, notes = assign_splits(digests, np.zeros(200, int), np.full(200, ""), seed=0)
    >>> [int((splits == split).sum()) for split in ("train", "validation", "test")], notes
    ([141, 30, 29], [])

    An image's place is u = BLAKE2b(seed, digest) / 2^64: training below 0.7, then validation, and test from
    0.85. Equal pixels therefore share a split, proportions are approximate, and new images move none of the
    others. Images of one group (a patient, a part) share the place of the group's name, so all of them share a
    split. A class without an image in one of the splits gets the one nearest to the boundary; the notes
    say so. With `stratify` the proportions are as exact in every class as groups allow, and new images may move
    others. Ready-made splits in `ready` ('' where there is none) are kept; validation, where they have
    none, is a tenth cut from training by the same rule. Raises SourceError for a class with fewer distinct
    pictures (or groups) than splits, UsageError for fractions that are none.
    """
    splits = np.asarray(ready).astype("U10")
    free = splits == ""
    if free.all():
        names, bounds = _cut(fractions)
    elif free.any():
        raise SourceError(
            f"{free.sum():,} of {len(free):,} images have no split; give it for all or for none"
        )
    elif "validation" not in splits:
        names, bounds = SPLITS[:2], np.array([0.0, 1.0 - VALIDATION_OF_TRAINING, 1.0])
        free = splits == "train"
    else:
        return splits, _ready_notes(splits, labels, classes)
    found = units(digests, groups)
    places = _places(found.keys, seed)
    unit, free_labels = found.of_image[free], np.asarray(labels)[free]
    chosen = (
        stratified(unit, free_labels, places, np.diff(bounds))
        if stratify
        else np.searchsorted(bounds[1:-1], places, side="right")
    )
    what = "pictures" if groups is None else "groups"
    placed, notes = _placed(places, chosen, unit, free_labels, names, bounds, classes, what)
    splits[free] = placed
    return splits, notes + (_ready_notes(splits, labels, classes) if not free.all() else [])


def assign_folds(
    digests: Shaped[np.ndarray, " image"],
    labels: Int[np.ndarray, " image"],
    folds: int,
    seed: int,
    *,
    groups: Shaped[np.ndarray, " image"] | None = None,
    stratify: bool = False,
) -> Int[np.ndarray, " image"]:
    """The fold of every image, from 0: equal pixels and groups share one, by the same hash as the splits.

    >>> digests = np.array([f"{number:032x}" for number in range(200)], dtype="S32")
    >>> np.bincount(assign_folds(digests, np.zeros(200, int), 4, seed=0, stratify=True)).tolist()
    [50, 50, 50, 50]

    Raises UsageError for fewer than two folds, SourceError for more folds than pictures or groups.
    """
    found = units(digests, groups)
    if folds < 2:
        raise UsageError(f"{folds} folds: there must be at least 2")
    if folds > len(found.keys):
        what = "different pictures" if groups is None else "groups"
        raise SourceError(f"{folds} folds cannot be made of {len(found.keys):,} {what}; ask for fewer")
    places = _places(found.keys, seed)
    if stratify:
        return stratified(found.of_image, np.asarray(labels), places, np.full(folds, 1 / folds))[
            found.of_image
        ]
    return np.minimum((places * folds).astype(np.int64), folds - 1)[found.of_image]


def half_of(
    digests: Shaped[np.ndarray, " image"],
    labels: Int[np.ndarray, " image"],
    seed: int,
    *,
    groups: Shaped[np.ndarray, " image"] | None = None,
) -> Bool[np.ndarray, " image"]:
    """Which images are in the first of two halves that share no pixels and no group, alike in their classes.

    >>> digests = np.array([f"{number:032x}" for number in range(200)], dtype="S32")
    >>> int(half_of(digests, np.zeros(200, int), seed=0).sum())
    100
    """
    found = units(digests, groups)
    part = stratified(found.of_image, np.asarray(labels), _places(found.keys, seed), np.array([0.5, 0.5]))
    return part[found.of_image] == 0


def _cut(fractions: tuple[float, float, float]) -> tuple[tuple[str, ...], Float64[np.ndarray, " bound"]]:
    """The splits with a share above zero, and the places where one ends and the next begins."""
    shares = np.array(fractions, dtype=np.float64)
    if len(shares) != len(SPLITS) or (shares < 0).any() or not abs(shares.sum() - 1) < 1e-6 or not shares[0]:
        raise UsageError(
            f"fractions {', '.join(map(str, fractions))}: give the shares of {', '.join(SPLITS)}, none below zero, "
            "training above it, and 1 in all; for example 0.7,0.15,0.15"
        )
    names = tuple(name for name, share in zip(SPLITS, shares.tolist(), strict=True) if share)
    return names, np.cumsum([0.0, *shares[shares > 0].tolist()])


def _places(keys: list[bytes], seed: int) -> Float64[np.ndarray, " unit"]:
    key = int(seed).to_bytes(16, "little", signed=True)
    hashed = b"".join(hashlib.blake2b(one, digest_size=8, key=key).digest() for one in keys)
    # The upper 53 bits, so that no hash rounds up to 1.
    return (np.frombuffer(hashed, dtype=">u8") >> 11) / 2.0**53


def _placed(
    places: Float64[np.ndarray, " unit"],
    split: Int[np.ndarray, " unit"],
    unit: Int[np.ndarray, " free"],
    labels: Int[np.ndarray, " free"],
    names: tuple[str, ...],
    bounds: Float64[np.ndarray, " bound"],
    classes: tuple[str, ...],
    what: str,
) -> tuple[Shaped[np.ndarray, " free"], list[str]]:
    pairs = np.unique(np.stack([labels, unit], axis=1), axis=0)
    present, distinct = np.unique(pairs[:, 0], return_counts=True)

    _refuse_small(present, distinct, names, classes, what)

    notes = []
    for label, members in zip(present.tolist(), np.split(pairs[:, 1], np.cumsum(distinct)[:-1]), strict=True):
        moved = _topped_up(split, places, members, bounds)
        notes += [
            f"class {_named(label, classes)!r} had no {what[:-1]} for {names[target]}; "
            f"the one nearest to it was taken from {names[source]}"
            for source, target in moved
        ]
    _check_complete(split, pairs, names, classes, what)
    return np.array(names, dtype="U10")[split[unit]], notes


def _refuse_small(
    present: Int[np.ndarray, " class"],
    distinct: Int[np.ndarray, " class"],
    names: tuple[str, ...],
    classes: tuple[str, ...],
    what: str,
) -> None:
    """Each split needs a picture of each class, and equal pixels count once."""
    small = np.flatnonzero(distinct < len(names))
    if len(small):
        found = zip(present[small[:5]].tolist(), distinct[small[:5]].tolist(), strict=True)
        listed = ", ".join(f"{_named(label, classes)!r} has {count}" for label, count in found)
        raise SourceError(
            f"each class needs {len(names)} distinct readable {what}, one for each of {', '.join(names)}: "
            f"{listed}{', …' * (len(small) > 5)}; add {what} or leave the class out"
        )


def _topped_up(
    split: Int[np.ndarray, " unit"],
    places: Float64[np.ndarray, " unit"],
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
    split: Int[np.ndarray, " unit"],
    pairs: Int[np.ndarray, "pair 2"],
    names: tuple[str, ...],
    classes: tuple[str, ...],
    what: str,
) -> None:
    """Classes that share pictures can undo each other's topping up; then there is no split to be had."""
    held = np.zeros((pairs[:, 0].max() + 1, len(names)), dtype=bool)
    held[pairs[:, 0], split[pairs[:, 1]]] = True
    for label in np.unique(pairs[:, 0]).tolist():
        if not held[label].all():
            raise SourceError(
                f"class {_named(label, classes)!r} shares so many identical {what} with other classes that "
                f"it cannot have one in each of {', '.join(names)}; "
                + (
                    "give every picture one class"
                    if what == "pictures"
                    else "ask for fewer splits, or add groups"
                )
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
