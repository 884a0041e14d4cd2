"""CIFAR-10 and CIFAR-100 as a source: the binary version and the Python version, unpacked or as their archive.

The layout is that of A. Krizhevsky, "The CIFAR-10 and CIFAR-100 datasets", sections "Python version" and "Binary
version": a label (CIFAR-100: two, coarse and fine), then 1,024 red, 1,024 green and 1,024 blue values, row by row.
"""

import gzip
import os
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int64, UInt8

from striate.data.sources.arrays import ArraySource, numbered
from striate.data.sources.pickled import read_pickle
from striate.errors import SourceError

SIDE, VALUES = 32, 3 * 32 * 32
BATCHES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5")
SPLITS = {**dict.fromkeys(BATCHES, "train"), "train": "train", "test_batch": "test", "test": "test"}
META = ("batches.meta", "meta", "batches.meta.txt", "fine_label_names.txt", "coarse_label_names.txt")
KNOWN = frozenset({*SPLITS, *(f"{name}.bin" for name in SPLITS), *META})

# The largest honest file is CIFAR-100's training batch, 155 MB; the archives hold a page of text beside theirs.
FILE_BYTES, OTHER_BYTES, MEMBERS = 1 << 28, 1 << 20, 64
# Photographs hardly shrink: an archive that inflates more than this is a bomb.
RATIO, FREE_BYTES, BLOCK = 20, 1 << 24, 1 << 20


@dataclass(frozen=True)
class Batch:
    """The images of one file, `image height width channel`, with their labels as numbers."""

    pixels: UInt8[np.ndarray, "image 32 32 3"]
    labels: Int64[np.ndarray, " image"]
    coarse: Int64[np.ndarray, " image"] | None = None
    filenames: list[str] | None = None


class CifarSource(ArraySource):
    """CIFAR-10 or CIFAR-100 from the unpacked folder, its `.tar.gz`, or one batch; nothing is ever unpickled.

    Names are the file and the place in it, `data_batch_1/00001` or `test_batch/00001`; training and test files
    are ready splits. CIFAR-100 is labelled by its fine classes, and `column("coarse")` names the coarse ones; the
    Python version has a column `filename` too. Raises SourceError for files that are cut short, refused or mixed.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        location = os.path.abspath(path)
        batches: dict[str, Batch] = {}
        meta: dict[str, bytes] = {}
        for name, data in _files(location):
            if name in META:
                meta[name] = data
            elif (stem := name.removesuffix(".bin")) in batches:
                raise SourceError(f"{location} holds {stem} more than once; keep one version of it")
            else:
                read = _binary if name.endswith(".bin") else _pickled
                batches[stem] = read(data, f"{location}/{name}")
        if not batches:
            raise SourceError(
                f"{location} holds no CIFAR batches; data_batch_1 or train is expected, or their .bin"
            )
        if len({batch.coarse is None for batch in batches.values()}) > 1:
            raise SourceError(f"{location} mixes CIFAR-10 and CIFAR-100; keep each in a folder of its own")
        order = sorted(batches)
        ordered = [batches[stem] for stem in order]
        fine, coarse = _class_names(meta, location)
        super().__init__(
            np.concatenate([batch.pixels for batch in ordered]),
            [text for stem in order for text in _named(batches[stem].labels, fine, f"{location}/{stem}")],
            location=location,
            names=[name for stem in order for name in numbered(stem, len(batches[stem].labels))],
            splits=[SPLITS[stem] for stem in order for _ in batches[stem].labels]
            if len({SPLITS[stem] for stem in order}) > 1
            else None,
            columns=_columns(ordered, coarse, location),
        )
        missing = [stem for stem in BATCHES if "data_batch_1" in batches and stem not in batches]
        if missing:
            self.notes.append(f"not all batches are there: {', '.join(missing)} missing")
        if not fine:
            self.notes.append(
                "the file with the classes' names is missing, so classes are called by their numbers"
            )

    @staticmethod
    def accepts(path: str | os.PathLike) -> bool:
        """Whether a folder, an archive or a file holds CIFAR batches, told by names and first bytes."""
        try:
            if os.path.isdir(path):
                return any(_is_batch(os.path.join(path, name)) for name in KNOWN - set(META))
            return os.path.isfile(path) and (_is_batch(os.fspath(path)) or _is_archive(path))
        except (OSError, EOFError, zlib.error, tarfile.TarError, SourceError):
            return False


def _is_batch(path: str) -> bool:
    """Whether a file is called as a batch is, and begins or measures as one."""
    name = os.path.basename(path)
    if name not in KNOWN or name in META or not os.path.isfile(path):
        return False
    if name.endswith(".bin"):
        size = os.path.getsize(path)
        return size > 0 and size % (VALUES + _label_bytes(name)) == 0
    with open(path, "rb") as file:
        return file.read(2) in (b"\x80\x02", b"\x80\x03", b"\x80\x04")


def _is_archive(path: str | os.PathLike) -> bool:
    with open(path, "rb") as file:
        if file.read(2) != b"\x1f\x8b":
            return False
    for member, _ in _members(os.fspath(path)):
        name = os.path.basename(member.name)
        if name in KNOWN - {"train", "test", "meta"} or (name in KNOWN and member.name.startswith("cifar")):
            return True
    return False


def _files(location: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of every CIFAR file at a location, one at a time."""
    if not os.path.isdir(location) and os.path.basename(location) not in KNOWN:
        for member, archive in _members(location):
            name = os.path.basename(member.name)
            file = archive.extractfile(member) if name in KNOWN else None
            if file is not None:
                yield name, file.read()
        return
    folder, names = (location, KNOWN) if os.path.isdir(location) else os.path.split(location)
    chosen = names if isinstance(names, frozenset) else {names, *META}
    for name in sorted(chosen):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            if os.path.getsize(path) > FILE_BYTES:
                raise SourceError(f"{path} is larger than any CIFAR file ({FILE_BYTES:,} bytes at most)")
            with open(path, "rb") as file:
                yield name, file.read()


def _members(location: str) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
    """The files of an archive in its order, as a stream; SourceError once it is clear that it is none of CIFAR's."""
    try:
        with (
            _Inflating(location) as stream,
            tarfile.open(fileobj=stream, mode="r|", bufsize=BLOCK) as archive,
        ):
            for count, member in enumerate(archive):
                known = os.path.basename(member.name) in KNOWN
                if count > MEMBERS or member.size > (FILE_BYTES if known else OTHER_BYTES):
                    raise SourceError(
                        f"{location} is no archive of CIFAR: {member.name!r} does not belong there"
                    )
                if member.isfile():
                    yield member, archive
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise SourceError(f"{location} cannot be read as an archive: {error}") from error


class _Inflating(gzip.GzipFile):
    """A gzipped file that gives no more than an archive of photographs can hold."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self._location = location
        self._left = max(FREE_BYTES, RATIO * os.path.getsize(location))

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self._left -= len(data)
        if self._left < 0:
            raise SourceError(
                f"{self._location} inflates to {RATIO} times its size: no archive of pictures does that"
            )
        return data


def _label_bytes(name: str) -> int:
    return 2 if name in ("train.bin", "test.bin") else 1


def _binary(data: bytes, path: str) -> Batch:
    labels = _label_bytes(os.path.basename(path))
    length = labels + VALUES
    if not data or len(data) % length:
        raise SourceError(
            f"{path} is cut short or no CIFAR batch: {len(data):,} bytes are no whole number of {length}-byte images"
        )
    records = np.frombuffer(data, np.uint8).reshape(-1, length)
    coarse = records[:, 0].astype(np.int64) if labels == 2 else None
    return Batch(_images(records[:, labels:]), records[:, labels - 1].astype(np.int64), coarse)


def _pickled(data: bytes, path: str) -> Batch:
    held = read_pickle(data, path)
    values = held.get("data") if isinstance(held, dict) else None
    if (
        not isinstance(values, np.ndarray)
        or values.dtype != np.uint8
        or values.shape != (len(values), VALUES)
    ):
        raise SourceError(
            f"{path} is no CIFAR batch: it has no entry 'data' with {VALUES:,} values of uint8 an image"
        )
    labels = _whole(held, "fine_labels" if "fine_labels" in held else "labels", len(values), path)
    coarse = _whole(held, "coarse_labels", len(values), path) if "coarse_labels" in held else None
    filenames = held.get("filenames")
    if not isinstance(filenames, list) or len(filenames) != len(values):
        filenames = None
    return Batch(_images(values), labels, coarse, [_text(name) for name in filenames] if filenames else None)


def _whole(held: dict[str, Any], key: str, count: int, path: str) -> Int64[np.ndarray, " image"]:
    labels = held.get(key)
    if isinstance(labels, np.ndarray):
        labels = labels.tolist()
    if not isinstance(labels, list) or not all(type(label) is int and 0 <= label < 256 for label in labels):
        raise SourceError(f"{path} is no CIFAR batch: it has no list {key!r} of class numbers")
    if len(labels) != count:
        raise SourceError(f"{path} holds {count:,} images but {len(labels):,} labels")
    return np.array(labels, dtype=np.int64)


def _images(planes: UInt8[np.ndarray, "image 3072"]) -> UInt8[np.ndarray, "image 32 32 3"]:
    return np.ascontiguousarray(planes.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1))


def _class_names(meta: dict[str, bytes], location: str) -> tuple[list[str], list[str]]:
    """Names of the classes and of the coarse classes, empty where no file tells them."""
    for name in ("batches.meta", "meta"):
        if name in meta:
            held = read_pickle(meta[name], f"{location}/{name}")
            held = held if isinstance(held, dict) else {}
            fine = held.get("fine_label_names") or held.get("label_names") or []
            return [_text(word) for word in fine], [
                _text(word) for word in held.get("coarse_label_names") or []
            ]
    fine = meta.get("fine_label_names.txt") or meta.get("batches.meta.txt") or b""
    return _lines(fine), _lines(meta.get("coarse_label_names.txt", b""))


def _lines(data: bytes) -> list[str]:
    return [line.strip() for line in data.decode("ascii", "replace").splitlines() if line.strip()]


def _text(value: Any) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)


def _named(labels: Int64[np.ndarray, " image"], names: list[str], path: str) -> list[str]:
    if not names:
        return [str(label) for label in labels.tolist()]
    if labels.max() >= len(names):
        raise SourceError(f"{path} has the label {labels.max()}, but only {len(names)} classes have names")
    return [names[label] for label in labels.tolist()]


def _columns(batches: list[Batch], coarse: list[str], location: str) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = {}
    coarsely = [batch.coarse for batch in batches if batch.coarse is not None]
    if coarsely:
        columns["coarse"] = [name for labels in coarsely for name in _named(labels, coarse, location)]
    if all(batch.filenames is not None for batch in batches):
        columns["filename"] = [name for batch in batches for name in batch.filenames or ()]
    return columns
