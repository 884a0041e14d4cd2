"""Arrays in an `.npz` file of NumPy's as a source: images, labels, and what else is known of each image.

The format is that of NumPy Enhancement Proposal 1: a zip of `.npy` files. Nothing is ever unpickled.
"""

import math
import os
import zipfile
import zlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Shaped

from striate.data.sources.arrays import ArraySource, check_inflation, check_size, numbered
from striate.data.sources.layout import SPLIT_FOLDERS
from striate.data.sources.order import natural_order
from striate.errors import SourceError, suggestion

IMAGES, LABELS = ("images", "x", "data"), ("labels", "y", "label", "targets")
OPTIONAL = ("classes", "groups", "names", "splits")
EXPECTED = (
    "images and labels (or x and y), or x_train, y_train, x_test and y_test (or train_images, train_labels, …), "
    f"and if need be {', '.join(OPTIONAL)}"
)

Arrays = Mapping[str, Shaped[np.ndarray, "..."]]


class Part(NamedTuple):
    """The keys of one split's images and labels."""

    split: str
    images: str
    labels: str | None


class NpzSource(ArraySource):
    """Images and labels of an `.npz` file, as NumPy's `savez` writes it, as Keras' `mnist.npz` or MedMNIST's files.

    Keys are `images` and `labels` (or `x` and `y`), one pair in all or one a split: `x_train`, `train_images`, ….
    One pair may have `splits`, `groups` and `names`, one entry an image; `classes` are the names of numbered labels.
    Without names, images are called by split or key and place, `train/00001`. The order is the natural one of the
    names. Raises SourceError for other keys, sizes that do not fit, objects, and more than may be held in memory.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        location = os.path.abspath(path)
        arrays = _read(location)
        parts = _parts(arrays, location)
        known = {key: _words(arrays[key], key, location) for key in OPTIONAL if key in arrays}
        if len(parts) > 1 and (alone := [key for key in OPTIONAL[1:] if key in known]):
            raise SourceError(
                f"{location} has {alone[0]} beside several splits; it needs one pair of arrays then"
            )
        pixels = _joined([arrays[part.images] for part in parts], location)
        names, order = _ordered(parts, arrays, known, location)
        for key in OPTIONAL[1:]:
            if key in known and len(known[key]) != len(pixels):
                raise SourceError(f"{location} has {len(pixels):,} images but {len(known[key]):,} {key}")
        labels = _labels(parts, arrays, known.get("classes"), location)
        splits = _splits(parts, arrays, known.get("splits"), location)
        groups = known.get("groups")
        super().__init__(
            pixels[order] if (np.diff(order) != 1).any() else pixels,
            None if labels is None else [labels[row] for row in order],
            location=location,
            names=names,
            splits=None if splits is None else [splits[row] for row in order],
            groups=None if groups is None else [groups[row] for row in order],
        )

    @staticmethod
    def accepts(path: str | os.PathLike) -> bool:
        """Whether a file is a zip whose first member is an `.npy` file."""
        try:
            if not os.path.isfile(path):
                return False
            with open(path, "rb") as file:
                head = file.read(30)
                name = file.read(int.from_bytes(head[26:28], "little"))
        except OSError:
            return False
        return head.startswith(b"PK\3\4") and len(head) == 30 and name.endswith(b".npy")


def _read(location: str) -> dict[str, Shaped[np.ndarray, "..."]]:
    """Every array that could be meant, its size known and allowed before any is read."""
    try:
        with zipfile.ZipFile(location) as archive:
            members = {
                name.removesuffix(".npy").lower(): archive.getinfo(name)
                for name in archive.namelist()
                if name.endswith(".npy") and "/" not in name
            }
            total = sum(_checked_size(archive, member, location) for member in members.values())
            check_size(total, location)
            arrays = {}
            for key, member in members.items():
                with archive.open(member) as file:
                    arrays[key] = np.lib.format.read_array(file, allow_pickle=False)
            return arrays
    except (
        OSError,
        EOFError,
        ValueError,
        zlib.error,
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise SourceError(f"{location} cannot be read as an .npz file: {error}") from error


def _checked_size(archive: zipfile.ZipFile, member: zipfile.ZipInfo, location: str) -> int:
    """The bytes of an array by its own header, which must agree with the archive's."""
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise SourceError(
                f"{member.filename} in {location} is of the .npy version {version}; 1.0 or 2.0 are read"
            )
        old = version == (1, 0)
        header = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
        shape, _, dtype = header(file)
        start = file.tell()
    if dtype.hasobject:
        raise SourceError(
            f"{member.filename} in {location} holds Python objects, which would have to be unpickled; "
            "save text as an array of text, and images as one array of numbers"
        )
    size = math.prod(shape) * dtype.itemsize
    if start + size != member.file_size:
        raise SourceError(
            f"{member.filename} in {location} is cut short or damaged: {size:,} bytes are promised"
        )
    check_inflation(size, member.compress_size, f"{member.filename} in {location}")
    return size


def _parts(arrays: Arrays, location: str) -> list[Part]:
    """Which arrays are images, and which are their labels, by the names they have."""
    found: dict[str, Part] = {}
    for key in arrays:
        split, word = _split_and_word(key)
        if word not in IMAGES or arrays[key].ndim < 3:
            continue
        if split in found:
            raise SourceError(
                f"{location} has two arrays of images for one split, {found[split].images} and {key}"
            )
        labels = [other for other in arrays if _split_and_word(other)[0] == split]
        labels = [other for other in labels if _split_and_word(other)[1] in LABELS]
        found[split] = Part(split, key, labels[0] if labels else None)
    if not found:
        keys = ", ".join(f"{key} {value.shape}" for key, value in arrays.items()) or "nothing"
        raise SourceError(f"{location} holds {keys}; expected are {EXPECTED}")
    if len(found) > 1 and "" in found:
        raise SourceError(
            f"{location} has {found[''].images} beside the arrays of splits; keep one or the other"
        )
    if len({part.labels is None for part in found.values()}) > 1:
        without = next(part.images for part in found.values() if part.labels is None)
        raise SourceError(f"{location} has no labels for {without}, though other splits have theirs")
    return [found[split] for split in sorted(found)]


def _split_and_word(key: str) -> tuple[str, str]:
    """`x_train` and `train_images` taken apart; a key without a split has the split ''."""
    first, _, last = key.rpartition("_")
    for split, word in ((last, first), (first, last)):
        if split in SPLIT_FOLDERS:
            return SPLIT_FOLDERS[split], word
    return "", key


def _joined(images: list[Shaped[np.ndarray, "..."]], location: str) -> Shaped[np.ndarray, "..."]:
    if len({(array.shape[1:], array.dtype) for array in images}) > 1:
        kinds = ", ".join(f"{array.shape[1:]} {array.dtype}" for array in images)
        raise SourceError(f"{location} holds splits of different sizes or types: {kinds}")
    return images[0] if len(images) == 1 else np.concatenate(images)


def _ordered(
    parts: list[Part], arrays: Arrays, known: Mapping[str, list[str]], location: str
) -> tuple[list[str], Int[np.ndarray, " image"]]:
    """Names in natural order, and the rows that they have in the file."""
    if "names" not in known:
        names = [
            name for part in parts for name in numbered(part.split or part.images, len(arrays[part.images]))
        ]
        return names, np.arange(len(names))
    names = known["names"]
    if len(set(names)) < len(names) or "" in names:
        raise SourceError(
            f"{location} has names that are empty or there twice; every image needs one of its own"
        )
    order = natural_order(names)
    return [names[row] for row in order], np.array(order, dtype=np.int64)


def _labels(parts: list[Part], arrays: Arrays, classes: list[str] | None, location: str) -> list[str] | None:
    labels: list[str] = []
    for part in parts:
        if part.labels is None:
            return None
        words = _words(arrays[part.labels], part.labels, location)
        if len(words) != len(arrays[part.images]):
            raise SourceError(
                f"{location} has {len(arrays[part.images]):,} {part.images} but {len(words):,} {part.labels}"
            )
        numbers = arrays[part.labels].dtype.kind in "iub"
        labels += words if classes is None or not numbers else _classed(words, classes, location)
    return labels


def _classed(words: list[str], classes: list[str], location: str) -> list[str]:
    wrong = [word for word in words if not word.isdecimal() or int(word) >= len(classes)]
    if wrong:
        raise SourceError(
            f"{location} has the label {wrong[0]}, but classes are numbered 0 to {len(classes) - 1}"
        )
    return [classes[int(word)] for word in words]


def _splits(parts: list[Part], arrays: Arrays, given: list[str] | None, location: str) -> list[str] | None:
    if given is None:
        several = len(parts) > 1
        return [part.split for part in parts for _ in arrays[part.images]] if several else None
    unknown = sorted({word for word in given if word.lower() not in SPLIT_FOLDERS})
    if unknown:
        raise SourceError(f"{location} has the split {unknown[0]!r}; {suggestion(unknown[0], SPLIT_FOLDERS)}")
    return [SPLIT_FOLDERS[word.lower()] for word in given]


def _words(array: Shaped[np.ndarray, "..."], key: str, location: str) -> list[str]:
    """One text an entry, from numbers or text; a second axis of length one is let go."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise SourceError(
            f"{key} in {location} has the shape {array.shape}; one entry an image is needed, on one axis"
        )
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    if array.dtype.kind in "SU":
        return np.char.decode(array, "utf-8").tolist() if array.dtype.kind == "S" else array.tolist()
    if array.dtype.kind not in "iu":
        raise SourceError(f"{key} in {location} is {array.dtype}; give whole numbers or text")
    return [str(value) for value in array.tolist()]
