"""Where images come from: one protocol, and the door that finds the reader for a location."""

import os
import stat
import zipfile
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int64

from striate.data.sources.archive import ZipStore
from striate.data.sources.arrays import DigitsSource
from striate.data.sources.cifar import CifarSource
from striate.data.sources.folder import FolderStore
from striate.data.sources.idx import IdxSource
from striate.data.sources.inflated import is_tar
from striate.data.sources.kinds import kind_of
from striate.data.sources.meaning import open_store
from striate.data.sources.npz import NpzSource
from striate.data.sources.table_source import open_table
from striate.data.sources.tars import TarStore
from striate.errors import SourceError, suggestion
from striate.pixels.picture import Description, ImageArray, Picture


@runtime_checkable
class Source(Protocol):
    """A listing of pictures that can read each of them; picklable, so that worker processes can read too.

    `names` are relative, with '/' between folders, in natural order. `stamps` say which content the names
    stand for without decoding it: an archive's checksums and sizes, a folder's sizes and times. `notes` are
    what must be said about the listing, such as files left out. `in_memory` sources need no pack on disk.
    """

    location: str
    names: list[str]
    labels: list[str] | None
    splits: list[str] | None
    groups: list[str] | None
    stamps: Int64[np.ndarray, "image field"]
    notes: list[str]
    in_memory: bool

    @property
    def columns(self) -> Sequence[str]:
        """The names of a table's columns, where the source has one."""
        ...

    def load(self, name: str, draft: tuple[int, int] | None = None) -> Picture:
        """The picture, decoded, with what its file says of it; ImageError gives the reason alone.

        With `draft`, a height and a width, a JPEG may come smaller than it is, but not below them.
        """
        ...

    def read(self, name: str) -> ImageArray:
        """The pixels of the picture; ImageError gives the reason alone."""
        ...

    def describe(self, name: str) -> Description:
        """Size, channels and depth by the header alone; ImageError gives the reason alone."""
        ...

    def column(self, name: str) -> list[str]:
        """One text an image from a column of the source's table; SourceError where there is no such column."""
        ...


ARRAYS = (NpzSource, IdxSource, CifarSource)
ACCEPTED = """\
a folder of class folders, or a zip or tar of them; a csv, tsv, JSON lines or parquet table with the columns file \
and label; parquet files with the pictures inside; tar shards of webdataset (key.jpg, key.cls); IDX or CIFAR files; \
an .npz with images and labels"""


def open_source(location: str | os.PathLike) -> Source:
    """The source at a location, found by its content: see `ACCEPTED`, or the name of embedded or downloaded data.

    >>> source = open_source("digits")
    >>> source.names[0], source.labels[0], len(source.names)
    ('digits/0001', '0', 1797)

    A path that exists comes first. Raises SourceError for what is none of these.
    """
    given = os.fspath(location)
    try:
        mode = os.stat(given).st_mode
    except (OSError, ValueError):
        return _named(given)
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise SourceError(f"{given} is a pipe or a device; give {ACCEPTED}")
    for kind in ARRAYS:
        if kind.accepts(given):
            return kind(given)
    return open_store(FolderStore(given)) if stat.S_ISDIR(mode) else _of_file(given)


def _of_file(path: str) -> Source:
    try:
        with open(path, "rb") as file:
            head = file.read(4)
    except OSError as error:
        reason = "there is no permission to read it" if isinstance(error, PermissionError) else error.strerror
        raise SourceError(f"{path} cannot be opened: {reason}") from None
    if zipfile.is_zipfile(path) or head.startswith(b"PK"):
        return open_store(ZipStore(path))
    if is_tar(path):
        return open_store(TarStore(path))
    if head == b"PAR1" or kind_of(path) in ("table", "parquet"):
        return open_table(path)
    raise SourceError(f"{path} is no source of images; give {ACCEPTED}")


def _named(given: str) -> Source:
    from striate.data.named.downloads import (  # it opens what it downloads by this very door
        NAMES,
        named_source,
    )

    if given == "digits":
        return DigitsSource()
    source = named_source(given)
    if source is not None:
        return source
    raise SourceError(
        f"{given!r} is no path that exists and no data set by name; {suggestion(given, ('digits', *NAMES))} "
        f"Otherwise give {ACCEPTED}."
    )
