"""What a person should know of their images before the first step: each function returns sentences, or none."""

import numpy as np

from striate.data import Images, Pack
from striate.data.audit import audit_images
from striate.pixels import Preparation

SHOWN = 20
"""Unreadable files named one by one; splits.csv names them all."""
UNGROUPED = (
    "no group is named: images of one patient may stand in training and test, which flatters the verdict. "
    "--group PatientID keeps patients together."
)
SAID = frozenset({"unreadable", "duplicates-across-splits", "groups-across-splits", "imbalance"})
"""Kinds of finding of the audit that notes here tell with what follows for the training."""
IMBALANCE = 10
"""From this ratio of the largest training class to the smallest on, balance is worth a word."""


def on_unreadable(images: Images) -> list[str]:
    """Every file that cannot be read, with the reason."""
    count = len(images.unreadable)
    if not count:
        return []
    shown = [f"{name}: {reason}" for name, reason in images.unreadable[:SHOWN]]
    rest = [f"and {count - SHOWN:,} more, all in splits.csv as unreadable"] if count > SHOWN else []
    return [f"{count:,} of {len(images) + count:,} files cannot be read and are left out:", *shown, *rest]


def on_animations(images: Images, pack: Pack) -> list[str]:
    """That of animations only the first frame is looked at."""
    moving = np.flatnonzero(pack.facts["frames"][images.rows] > 1)
    if not len(moving):
        return []
    name = images.source.names[images.rows[moving[0]]]
    return [f"{len(moving):,} pictures are animations, such as {name}: the first frame is taken."]


def on_size(images: Images, preparation: Preparation, asked: int | None) -> list[str]:
    """That detail is lost, where pictures are larger than the size that was chosen for them."""
    if asked is not None or not len(images):
        return []
    name = images.names[len(images) // 2]
    picture = images.source.describe(name)
    if picture.height <= preparation.height and picture.width <= preparation.width:
        return []
    return [
        f"Pictures such as {name} ({picture.width} × {picture.height} pixels) are scaled to "
        f"{preparation.width} × {preparation.height}; --set size={2 * preparation.height} keeps more detail."
    ]


def on_leaks(images: Images) -> list[str]:
    """Identical pictures, or pictures of one group, in more than one split, as ready-made splits may have them."""
    found = []
    if same := images.straddling():
        shown = "; ".join(" = ".join(group) for group in same[:5]) + ("; …" if len(same) > 5 else "")
        found.append(
            f"{len(same):,} pictures stand in more than one split with identical pixels ({shown}): "
            "`evaluate` will refuse those that were trained on."
        )
    if torn := images.straddling_groups():
        shown = ", ".join(name for name, _ in torn[:10]) + (", …" if len(torn) > 10 else "")
        found.append(
            f"{len(torn):,} groups have images in more than one split ({shown}): a group leak. "
            "`evaluate` will refuse the images whose group was trained on; split by group to keep them apart."
        )
    return found


def on_audit(images: Images, pack: Pack) -> list[str]:
    """What the audit finds in what decoding has told already, where no other note says it."""
    audit = audit_images(images, pack, quick=True)
    found = [one for one in audit.findings if one.severity != "note" and one.kind not in SAID]
    more = ["`striate data audit` shows these pictures, and looks further."] if found else []
    return [*(one.sentence for one in found), *more]


def on_groups(images: Images, pack: Pack) -> list[str]:
    """How many groups each split has: they, not the images, are what is independent; or that patients may be torn."""
    if images.groups is None:
        count = int((pack.facts["format"][images.rows] == "DICOM").sum())
        return [f"{count:,} pictures are DICOM and {UNGROUPED}"] if count else []
    counts = {
        split: len(set(images.groups[images.splits == split].tolist()) - {""})
        for split in ("train", "validation", "test")
    }
    total = len(set(images.groups.tolist()) - {""})
    parts = ", ".join(f"{count:,} in {split}" for split, count in counts.items() if count)
    return [f"{total:,} groups are kept together: {parts}."] if not images.straddling_groups() else []


def on_balance(images: Images, balance: str) -> list[str]:
    """That classes differ much in size, where the recipe does nothing about it."""
    counts = np.bincount(images.of_split("train").labels, minlength=len(images.classes))
    if balance != "none" or not counts.min() or counts.max() < IMBALANCE * counts.min():
        return []
    most, least = images.classes[counts.argmax()], images.classes[counts.argmin()]
    return [
        f"Training classes differ much in size: {most!r} has {counts.max():,} images, {least!r} {counts.min():,}. "
        "--set balance=weights or balance=sampling gives every class the same say; read balanced accuracy first."
    ]
