"""Whether images to be judged have been trained on: the same pixels, or the same patient, part or writer."""

import csv
import io
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Shaped

from striate.data import Images
from striate.errors import SourceError

LEAKS = ("refuse", "drop", "accept")
SEEN = ("train", "validation")
"""Splits whose images have had a part in choosing the weights."""
SHOWN = 10
"""Images named in a sentence; the rest is counted."""


@dataclass(frozen=True, eq=False)
class Trained:
    """What had a part in choosing the weights: digests of pixels, and names of groups (None where none are known)."""

    digests: Shaped[np.ndarray, " image"]
    groups: frozenset[str] | None


def trained_of(images: Images) -> Trained:
    """The training and validation images of a table with splits."""
    seen = np.isin(images.splits, SEEN)
    assert images.digests is not None
    groups = None if images.groups is None else frozenset(images.groups[seen].tolist()) - {""}
    return Trained(images.digests[seen], groups)


def trained_in(splits: bytes, parts: tuple[str, ...] = SEEN) -> Trained:
    """The training and validation images of a run, or those of some other `parts`, from its splits.csv."""
    rows = list(csv.DictReader(io.StringIO(splits.decode("utf-8", errors="surrogateescape"))))
    rows = [row for row in rows if row["split"] in parts]
    grouped = bool(rows) and "group" in rows[0]
    groups = frozenset(row["group"] for row in rows if row["group"]) if grouped else None
    return Trained(np.array([row["digest"].encode() for row in rows], dtype="S32"), groups)


def without_leaks(
    images: Images, trained: Trained, *, own_split: str | None, leaks: str
) -> tuple[Images, str]:
    """The images after the leak check, and its sentence.

    Raises SourceError when images, or others of their group, were trained on and `leaks` is "refuse"; names them.
    """
    if own_split in SEEN:
        return images, f"These are the run's own {own_split} images: the weights were chosen with them."
    assert images.digests is not None
    same_pixels = np.isin(images.digests, trained.digests)
    same_group = in_trained_group(images, trained)
    leaked = same_pixels | same_group
    count = int(leaked.sum())
    if not count:
        return images, nothing_found(images, trained)
    found = listed(images, same_pixels, same_group)
    done = (
        "were trained on" if same_pixels[leaked].all() else "were trained on, or others of their group were"
    )
    if leaks == "refuse":
        raise SourceError(
            f"{count:,} of {len(images):,} images {done}, so a verdict would flatter: {found}. "
            "Leave them out with --leaks drop, or count them with --leaks accept."
        )
    if leaks == "drop":
        return images.select(~leaked), f"{count:,} images were left out that {done}: {found}."
    return images, f"{count:,} of these images {done}, and are counted all the same: {found}."


def in_trained_group(images: Images, trained: Trained) -> Bool[np.ndarray, " image"]:
    """Which images are of a group that was trained on."""
    if images.groups is None or not trained.groups:
        return np.zeros(len(images), dtype=bool)
    return np.isin(images.groups, sorted(trained.groups))


def nothing_found(images: Images, trained: Trained) -> str:
    """The sentence where there is no leak, with what was compared."""
    sentence = f"None of the {len(images):,} images has the pixels of one that was trained on"
    if trained.groups is None and images.groups is None:
        return f"{sentence}."
    if trained.groups is None:
        return f"{sentence}; whether others of their groups were is not known, for the run was trained without groups."
    if images.groups is None:
        return f"{sentence}; whether they are of groups that were trained on is not known."
    count = len(set(images.groups.tolist()) - {""})
    return f"{sentence}, and none of their {count:,} groups is one of the {len(trained.groups):,} trained on."


def listed(
    images: Images, same_pixels: Bool[np.ndarray, " image"], same_group: Bool[np.ndarray, " image"]
) -> str:
    """The leaked images in words: those with identical pixels by name, groups by their name and size."""
    parts = []
    if same_pixels.any():
        names = [name for name, leaked in zip(images.names, same_pixels, strict=True) if leaked]
        parts.append(f"{len(names):,} with identical pixels ({some(names)})")
    if same_group.any():
        assert images.groups is not None
        groups, counts = np.unique(images.groups[same_group], return_counts=True)
        named = [f"{name}: {count:,}" for name, count in zip(groups.tolist(), counts.tolist(), strict=True)]
        parts.append(
            f"{int(same_group.sum()):,} images of {counted_groups(len(named))} trained on ({some(named)})"
        )
    return "; ".join(parts)


def counted_groups(count: int) -> str:
    """So many groups in words, up to their verb."""
    return "1 group that was" if count == 1 else f"{count:,} groups that were"


def some(names: list[str]) -> str:
    """The first ten names, and how many more."""
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")
