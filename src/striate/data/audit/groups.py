"""Groups that must stay together, such as patients, found in more than one split."""

import numpy as np
from jaxtyping import Bool, Int, Shaped

from striate.data.audit.finding import Case, Cases, Finding, plural
from striate.data.audit.material import Material
from striate.data.sources.layout import SPLITS


def groups(material: Material) -> list[Finding]:
    """Groups across splits are errors; images without a group, and groups of one class, are told."""
    given = material.images.groups
    if given is None or not len(given):
        return []
    names, number = np.unique(given, return_inverse=True)
    known = names[number] != ""
    leaking = _leaking(material.images.splits, number, known, len(names))
    return [
        *_across_splits(material, names, number, leaking),
        *_without(material, known),
        _summary(material, number, known),
    ]


def _leaking(
    splits: Shaped[np.ndarray, " image"],
    number: Int[np.ndarray, " image"],
    known: Bool[np.ndarray, " image"],
    count: int,
) -> Bool[np.ndarray, " group"]:
    """The groups with images in more than one split, those not yet split left out."""
    held = [np.bincount(number[known & (splits == split)], minlength=count) > 0 for split in SPLITS]
    return np.sum(held, axis=0) > 1


def _across_splits(
    material: Material,
    names: Shaped[np.ndarray, " group"],
    number: Int[np.ndarray, " image"],
    leaking: Bool[np.ndarray, " group"],
) -> list[Finding]:
    if not leaking.any():
        return []
    chosen = np.flatnonzero(leaking[number])
    chosen = chosen[np.argsort(number[chosen], kind="stable")]
    splits = material.images.splits

    def word(image: int) -> Case:
        group = material.naming(str(names[number[image]]))
        return material.case(image, f"in {splits[image] or 'no split'}", other=f"group {group}")

    total = int((names != "").sum())
    return [
        Finding(
            kind="groups-across-splits",
            severity="error",
            sentence=f"{leaking.sum():,} of {plural(total, 'group')} have images in more than one split: a leak.",
            count=int(leaking.sum()),
            unit="group",
            advice="Images of one group resemble each other: the test is too easy. Let striate split by group.",
            cases=Cases(chosen, word),
            numbers={"groups": total, "images": len(chosen)},
        )
    ]


def _without(material: Material, known: Bool[np.ndarray, " image"]) -> list[Finding]:
    missing = np.flatnonzero(~known)
    if not len(missing):
        return []
    return [
        Finding(
            kind="without-group",
            severity="warning",
            sentence=f"{len(missing):,} of {len(known):,} images have no group; each is taken to stand alone.",
            count=len(missing),
            advice="Where such images belong to a group of others, the split may tear them apart.",
            cases=Cases(missing, lambda image: material.case(image, "no group")),
        )
    ]


def _summary(
    material: Material, number: Int[np.ndarray, " image"], known: Bool[np.ndarray, " image"]
) -> Finding:
    sizes = np.bincount(number[known])
    sizes = sizes[sizes > 0]
    if not len(sizes):
        return Finding(
            kind="groups", severity="note", sentence="No image has a group.", count=0, unit="group"
        )
    pairs = np.unique(number[known].astype(np.int64) * len(material.classes) + material.labels[known])
    single = int((np.bincount(pairs // len(material.classes)) == 1).sum())
    return Finding(
        kind="groups",
        severity="note",
        sentence=f"{plural(len(sizes), 'group')} of {int(sizes.min()):,} to {plural(int(sizes.max()), 'image')}; "
        f"{single:,} of them {'has' if single == 1 else 'have'} images of one class only.",
        count=len(sizes),
        unit="group",
        advice="Intervals count images; images of one group are not independent, so the groups are the true n.",
        numbers={
            "groups": len(sizes),
            "smallest": int(sizes.min()),
            "largest": int(sizes.max()),
            "single_class": single,
        },
    )
