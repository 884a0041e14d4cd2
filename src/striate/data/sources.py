"""Where images come from: one protocol, and the door that finds the reader for a location."""

import os
import zipfile
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int64

from striate.data.archive import ZipSource
from striate.data.arrays import DigitsSource
from striate.data.folder import FolderSource
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

    def load(self, name: str) -> Picture:
        """The picture, decoded, with what its file says of it; ImageError gives the reason alone."""
        ...

    def read(self, name: str) -> ImageArray:
        """The pixels of the picture; ImageError gives the reason alone."""
        ...

    def describe(self, name: str) -> Description:
        """Size, channels and depth by the header alone; ImageError gives the reason alone."""
        ...


EMBEDDED: dict[str, Callable[[], Source]] = {"digits": DigitsSource}


def open_source(location: str | os.PathLike) -> Source:
    """The source at a location: a folder, a zip, or the name of embedded data.

    >>> source = open_source("digits")
    >>> source.names[0], source.labels[0], len(source.names)
    ('digits/0001', '0', 1797)

    A path that exists comes first. Raises SourceError for what is neither.
    """
    given = os.fspath(location)
    if os.path.isdir(given):
        return FolderSource(given)
    if os.path.isfile(given):
        if _is_zip(given):
            return ZipSource(given)
        raise SourceError(f"{given} is neither a folder nor a zip archive; give the folder of class folders")
    if given in EMBEDDED:
        return EMBEDDED[given]()
    raise SourceError(
        f"{given!r} is no path that exists and no embedded data; {suggestion(given, EMBEDDED)} "
        "Otherwise give a folder or a zip of class folders."
    )


def _is_zip(path: str) -> bool:
    try:
        return zipfile.is_zipfile(path)
    except PermissionError:
        raise SourceError(f"there is no permission to read {path}") from None
