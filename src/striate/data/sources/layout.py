"""What the folders in a listing mean: classes, ready-made splits, or neither. Pure: names in, meaning out."""

import os
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from striate.data.sources.order import natural_key as natural_key
from striate.errors import SourceError

SPLITS = ("train", "validation", "test")
SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
EXPECTED = """\
Expected one of
    {root}/<class>/picture.png
    {root}/{{train,validation,test}}/<class>/picture.png"""


@dataclass(frozen=True)
class Layout:
    """A listing understood: names below the looked-through folder, each with a label and maybe a split."""

    prefix: str
    names: list[str]
    labels: list[str]
    splits: list[str] | None
    notes: list[str]


def read_layout(names: Iterable[str], location: str, *, look_through: bool) -> Layout:
    """The classes and splits that a sorted listing of relative picture names stands for.

    >>> layout = read_layout(["set/test/cat/1.png", "set/train/cat/2.png", "set/train/dog/3.png"], "set.zip",
    ...                      look_through=True)
    >>> layout.prefix, layout.labels, layout.splits
    ('set/', ['cat', 'cat', 'dog'], ['test', 'train', 'train'])

    With `look_through` a single folder that wraps everything is no class. Raises SourceError for a listing
    that is empty, has pictures outside class folders, one class only, or classes beside split folders.
    """
    names = list(names)
    if not names:
        raise SourceError(f"{location} holds no pictures. {EXPECTED.format(root=_last(location))}")
    prefix = _wrapping(names, look_through)
    names = [name[len(prefix) :] for name in names]
    root = _last(location)
    _refuse_loose(names, 0, f"{location}{'/' + prefix.rstrip('/') if prefix else ''}", root)
    notes: list[str] = []
    splits = None
    labels = _shared(name.split("/", 1)[0] for name in names)
    tops = Counter(labels)
    if _is_split(tops, notes):
        _refuse_mixture(tops, location)
        meant = {label: SPLIT_FOLDERS[label.lower()] for label in tops}
        splits = [meant[label] for label in labels]
        _refuse_loose(names, 1, location, root)
        labels = _shared(name.split("/", 2)[1] for name in names)
    refuse_single_class(set(labels), location, f" {EXPECTED.format(root=root)}")
    return Layout(prefix, names, labels, splits, notes)


def _shared(labels: Iterable[str]) -> list[str]:
    """Each distinct label once in memory: a million images have few classes."""
    known: dict[str, str] = {}
    return [known.setdefault(label, label) for label in labels]


def refuse_single_class(labels: Collection[str], location: str, expected: str = "") -> None:
    """SourceError where all images are of one class."""
    if len(labels) == 1:
        raise SourceError(
            f"{location} holds one class only, {next(iter(labels))!r}; a classifier needs at least two.{expected}"
        )


def _wrapping(names: list[str], look_through: bool) -> str:
    """The folders around everything: any in an archive, only a lone split folder otherwise."""
    prefix = ""
    for folder in names[0].split("/")[:-1]:
        inner = f"{prefix}{folder}/"
        if not all(name.startswith(inner) for name in names):
            break
        if not (look_through or folder.lower() in SPLIT_FOLDERS):
            break
        if any("/" not in name[len(inner) :] for name in names):
            break
        prefix = inner
    return prefix


def _is_split(tops: Counter[str], notes: list[str]) -> bool:
    found = [top for top in tops if top.lower() in SPLIT_FOLDERS]
    kinds = {SPLIT_FOLDERS[top.lower()] for top in found}
    if len(kinds) == 1:
        which = " and ".join(found)
        notes.append(f"{which} is taken for a class, since no other split folder stands beside it")
    return len(kinds) > 1


def _refuse_mixture(tops: Counter[str], location: str) -> None:
    others = [top for top in tops if top.lower() not in SPLIT_FOLDERS]
    if others:
        splits_found = [top for top in tops if top.lower() in SPLIT_FOLDERS]
        raise SourceError(
            f"{location} has class folders ({_some(others)}) beside split folders ({_some(splits_found)}); "
            "move the classes into the splits, or the splits elsewhere"
        )
    if "train" not in {SPLIT_FOLDERS[top.lower()] for top in tops}:
        raise SourceError(f"{location} has split folders ({_some(list(tops))}) but none to train on")


def _refuse_loose(names: list[str], depth: int, location: str, root: str) -> None:
    loose = [name for name in names if name.count("/") <= depth]
    if loose:
        raise SourceError(
            f"{location} has {len(loose):,} picture{'s' * (len(loose) > 1)} outside any class folder "
            f"({_some(loose)}). {EXPECTED.format(root=root)}"
        )


def _some(names: list[str], limit: int = 3) -> str:
    return ", ".join(names[:limit]) + (f" and {len(names) - limit:,} more" if len(names) > limit else "")


def _last(location: str) -> str:
    return os.path.basename(location.rstrip("/")) or location
