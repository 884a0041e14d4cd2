"""How many images each class has: imbalance, and classes too small to be split or measured."""

import numpy as np
from jaxtyping import Int

from striate.data.audit.finding import Finding, plural
from striate.data.audit.material import Material
from striate.data.sources.layout import SPLITS

SPLITTABLE = 3
"""One image each for training, validation and test."""
MEASURABLE = 30
"""Below this a recall of 90 % is known no better than 74 to 97 %: the Wilson interval of 27 out of 30."""
IMBALANCED = 10.0


def class_counts(material: Material) -> list[Finding]:
    """The counts themselves as a note, and a warning for each way in which they are bad."""
    counts = np.bincount(material.labels, minlength=len(material.classes))
    return [
        _counts(material),
        *_too_small(material),
        *_few(material, counts),
        *_imbalance(material, counts),
    ]


def _counts(material: Material) -> Finding:
    counts = material.counts
    by_split = ", ".join(f"{sum(counts[s].values()):,} {s}" for s in SPLITS if s in counts)
    present = int((np.bincount(material.labels, minlength=1) > 0).sum())
    return Finding(
        kind="counts",
        severity="note",
        sentence=f"{plural(len(material), 'readable image')} of {plural(present, 'class', 'classes')}"
        f"{f': {by_split}' if by_split else '; not split yet'}.",
        count=len(material),
        numbers={"counts": counts},
    )


def _too_small(material: Material) -> list[Finding]:
    pairs = np.unique(material.pictures_known.astype(np.int64) * len(material.classes) + material.labels)
    distinct = np.bincount(pairs % len(material.classes), minlength=len(material.classes))
    small = np.flatnonzero(distinct < SPLITTABLE)
    return _classes(
        material,
        small,
        distinct,
        kind="class-too-small",
        severity="error",
        words=f"fewer than {SPLITTABLE} distinct images: too few for a training, validation and test image each",
        advice="Add images, or leave the class out.",
    )


def _few(material: Material, counts: Int[np.ndarray, " class"]) -> list[Finding]:
    few = np.flatnonzero((counts < MEASURABLE) & (counts >= SPLITTABLE))
    return _classes(
        material,
        few,
        counts,
        kind="class-small",
        severity="warning",
        words=f"fewer than {MEASURABLE} images: nothing reliable can be said about them",
        advice="Add images; the intervals of the verdict will show how little is known.",
    )


def _classes(
    material: Material,
    chosen: Int[np.ndarray, " chosen"],
    counts: Int[np.ndarray, " class"],
    *,
    kind: str,
    severity: str,
    words: str,
    advice: str,
) -> list[Finding]:
    if not len(chosen):
        return []
    ordered = chosen[np.argsort(counts[chosen], kind="stable")]
    listed = {material.classes[label]: int(counts[label]) for label in ordered.tolist()}
    first = ", ".join(f"{name} {count:,}" for name, count in list(listed.items())[:3])
    return [
        Finding(
            kind=kind,
            severity="error" if severity == "error" else "warning",
            sentence=f"{plural(len(chosen), 'class has', 'classes have')} {words} "
            f"({first}{', …' if len(listed) > 3 else ''}).",
            count=len(chosen),
            unit="class",
            advice=advice,
            numbers={"classes": listed},
        )
    ]


def _imbalance(material: Material, counts: Int[np.ndarray, " class"]) -> list[Finding]:
    present = np.flatnonzero(counts)
    if len(present) < 2:
        return []
    most, least = present[np.argmax(counts[present])], present[np.argmin(counts[present])]
    ratio = counts[most] / counts[least]
    if ratio < IMBALANCED:
        return []
    names = material.classes
    return [
        Finding(
            kind="imbalance",
            severity="warning",
            sentence=f"{names[most]} has {counts[most]:,} images, {names[least]} {counts[least]:,}: "
            f"{ratio:,.0f} times as many.",
            count=2,
            unit="class",
            advice="Accuracy alone will flatter; read balanced accuracy, and train with balanced batches.",
            numbers={"largest": int(counts[most]), "smallest": int(counts[least]), "ratio": float(ratio)},
        )
    ]
