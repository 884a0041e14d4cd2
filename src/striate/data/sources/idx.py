"""IDX files, the format of MNIST and Fashion-MNIST, gzipped or not, as a source.

The format is that of Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST database of handwritten digits", section
"File formats": two zero bytes, a type, the number of axes, their sizes as 32-bit big-endian numbers, the values.
"""

import gzip
import io
import math
import os
import re
import zlib
from collections.abc import Callable
from itertools import islice

import numpy as np
from jaxtyping import Shaped

from striate.data.sources.archive import Archive
from striate.data.sources.arrays import ArraySource, check_inflation, check_size, numbered
from striate.errors import ImageError, SourceError

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
NAME = re.compile(
    r"(?P<set>.*?)(?P<kind>images|labels)[-.]idx(?P<axes>\d)(?P<rest>[-.]\w+?)?(\.gz)?", re.IGNORECASE
)
SPLIT_WORDS = {"train": "train", "t10k": "test", "test": "test", "valid": "validation", "val": "validation"}
MEMBERS_LOOKED_AT = 64

Opener = Callable[[], io.BufferedIOBase]


class IdxSource(ArraySource):
    """Images and labels of IDX files: a folder or a zip of pairs, or one images file with its labels beside it.

    The pairs `train-images…`/`train-labels…` and `t10k-images…`/`t10k-labels…` are ready splits, named
    `train/00001` and `test/00001` in the order of the files; one pair alone has no split. Raises SourceError for
    files that are cut short, longer than their header says, of another kind, or that do not belong together.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        location = os.path.abspath(path)
        sets = _pairs(_files(location), location)
        arrays = {split: _pair(*pair) for split, pair in sorted(sets.items())}
        images = [images for images, _ in arrays.values()]
        shapes = {array.shape[1:] for array in images} | {array.dtype for array in images}
        if len(shapes) > 2:
            raise SourceError(f"{location} holds splits of different sizes or types: {_described(arrays)}")
        super().__init__(
            np.concatenate(images),
            np.concatenate([labels for _, labels in arrays.values()]),
            location=location,
            names=[name for split, (images, _) in arrays.items() for name in numbered(split, len(images))],
            splits=[split for split, (images, _) in arrays.items() for _ in images]
            if len(arrays) > 1
            else None,
        )

    @staticmethod
    def accepts(path: str | os.PathLike) -> bool:
        """Whether a folder, zip or file holds IDX images, told by names and the first four bytes."""
        try:
            if os.path.isfile(path) and not _is_zip(path):
                with open(path, "rb") as file:
                    return _begins_as_idx(_inflated(file).read(4))
            found = [opener for name, opener in _files(os.fspath(path)).items() if _kind(name) == "images"]
            if not found:
                return False
            with found[0]() as file:
                return _begins_as_idx(_inflated(file).read(4))
        except (OSError, SourceError, ImageError, EOFError, zlib.error):
            return False


def read_idx(file: io.BufferedIOBase, name: str) -> Shaped[np.ndarray, "..."]:
    """The array in an IDX file, gzipped or not, in the machine's byte order.

    >>> read_idx(io.BytesIO(bytes([0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 7, 8, 9])), "three").tolist()
    [[7, 8, 9]]

    No more is inflated than the header promises. Raises SourceError, with `name`, for anything else.
    """
    try:
        packed = file.seek(0, os.SEEK_END)
        stream = _inflated(file)
        head = stream.read(4)
        if not _begins_as_idx(head):
            raise SourceError(
                f"{name} is no IDX file: it begins with {head.hex(' ') or 'nothing'}, "
                "and not with two zero bytes, a type and a number of axes"
            )
        kind = np.dtype(TYPES[head[2]])
        axes = stream.read(4 * head[3])
        if len(axes) < 4 * head[3]:
            raise SourceError(f"{name} is cut short within its header")
        sizes = np.frombuffer(axes, ">u4").tolist()
        wanted = math.prod(sizes) * kind.itemsize
        check_size(wanted, name)
        if stream is not file:
            check_inflation(wanted, packed, name)
        values = stream.read(wanted)
        more = len(values) == wanted and stream.read(1)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise SourceError(f"{name} cannot be read: {error}") from error
    if len(values) < wanted or more:
        found = "more follow" if more else f"{len(values):,} are there; it is cut short"
        raise SourceError(f"the header of {name} promises {wanted:,} bytes of values, and {found}")
    return np.frombuffer(values, kind).reshape(sizes).astype(kind.newbyteorder("="), copy=False)


def _begins_as_idx(head: bytes) -> bool:
    return len(head) == 4 and head[:2] == b"\0\0" and head[2] in TYPES and 1 <= head[3] <= 4


def _inflated(file: io.BufferedIOBase) -> io.BufferedIOBase:
    file.seek(0)
    head = file.read(2)
    file.seek(0)
    return gzip.GzipFile(fileobj=file) if head == b"\x1f\x8b" else file


def _is_zip(path: str | os.PathLike) -> bool:
    with open(path, "rb") as file:
        return file.read(4) == b"PK\3\4"


def _kind(name: str) -> str:
    if "idx" not in name.lower():  # most names of a large folder are told by this alone
        return ""
    match = NAME.fullmatch(os.path.basename(name))
    return match["kind"].lower() if match else ""


def _files(location: str) -> dict[str, Opener]:
    """Every file named as IDX files are, by its path, with a way to open it."""
    if os.path.isdir(location):
        paths = (os.path.join(location, name) for name in sorted(filter(_kind, os.listdir(location))))
        return {path: _opener(path) for path in paths if os.path.isfile(path)}
    if _is_zip(location):
        archive = Archive(location)
        # A zip of IDX files has a handful of members: one of many is not read through only to find that out.
        members = [member for member in islice(archive.members(), MEMBERS_LOOKED_AT) if _kind(member.name)]
        return {
            f"{location}/{member.name}": lambda member=member: io.BytesIO(archive.read(member))
            for member in sorted(members)
        }
    folder, name = os.path.split(location)
    beside = {
        other: _opener(os.path.join(folder, other))
        for other in sorted(os.listdir(folder))
        if _kind(other) == "labels" and _set(other) == _set(name)
    }
    return {
        location: _opener(location),
        **{os.path.join(folder, other): opener for other, opener in beside.items()},
    }


def _opener(path: str) -> Opener:
    return lambda: open(path, "rb")


def _set(name: str) -> str:
    match = NAME.fullmatch(os.path.basename(name))
    return match["set"].lower() if match else ""


def _split_of(name: str) -> str:
    found = [split for word, split in SPLIT_WORDS.items() if word in _set(name)]
    return found[0] if found else "image"


def _pairs(
    files: dict[str, Opener], location: str
) -> dict[str, tuple[tuple[str, Opener], tuple[str, Opener]]]:
    """Images and labels that belong together, by split; of a file and its gzipped form the first is taken."""
    pairs: dict[str, tuple[tuple[str, Opener], tuple[str, Opener]]] = {}
    taken: dict[str, str] = {}
    for path, opener in files.items():
        if _kind(path) == "labels":
            continue
        labels = [
            (other, files[other]) for other in files if _kind(other) == "labels" and _set(other) == _set(path)
        ]
        if not labels:
            expected = os.path.basename(path).replace("images", "labels").replace("idx3", "idx1")
            raise SourceError(f"{path} has no labels beside it; {expected} is expected there")
        split = _split_of(path)
        if taken.setdefault(split, _set(path)) != _set(path):
            raise SourceError(
                f"{location} holds several sets of images for one split, {taken[split]}… and {_set(path)}…; "
                "give the images file of one of them"
            )
        pairs.setdefault(split, ((path, opener), labels[0]))
    if not pairs:
        raise SourceError(
            f"{location} holds no IDX images; train-images-idx3-ubyte and its labels are expected"
        )
    return pairs


def _pair(
    images: tuple[str, Opener], labels: tuple[str, Opener]
) -> tuple[Shaped[np.ndarray, "..."], Shaped[np.ndarray, " image"]]:
    pixels, classes = (_read(path, opener) for path, opener in (images, labels))
    if classes.ndim != 1 or classes.dtype.kind not in "iu":
        raise SourceError(
            f"{labels[0]} holds {classes.ndim} axes of {classes.dtype}; labels are one axis of integers"
        )
    if pixels.ndim not in (3, 4):
        raise SourceError(f"{images[0]} has {pixels.ndim} axes; images have 3, or 4 with their channels")
    if len(pixels) != len(classes):
        raise SourceError(f"{images[0]} holds {len(pixels):,} images but {labels[0]} {len(classes):,} labels")
    return pixels, classes


def _read(path: str, opener: Opener) -> Shaped[np.ndarray, "..."]:
    try:
        with opener() as file:
            return read_idx(file, path)
    except (OSError, ImageError) as error:
        raise SourceError(f"{path} cannot be read: {error}") from error


def _described(arrays: dict[str, tuple[Shaped[np.ndarray, "..."], Shaped[np.ndarray, " image"]]]) -> str:
    return ", ".join(f"{split} {images.shape[1:]} {images.dtype}" for split, (images, _) in arrays.items())
