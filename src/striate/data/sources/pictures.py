"""What every source of encoded pictures shares: the bytes of a file by its name, decoded by their content."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int64

from striate.errors import SourceError, suggestion
from striate.pixels.picture import Description, ImageArray, Picture
from striate.pixels.reading import decode_picture, describe_image


class PictureSource:
    """A listing of encoded pictures; a subclass gives `file_bytes`, and fills the fields in its constructor.

    A file of several pages or frames is listed as several pictures, `scan.dcm#1`, `scan.dcm#2`, …; `parts` says
    which file and which picture in it (from 0) such a name means, and is empty where every file holds one.
    """

    location: str
    names: list[str]
    labels: list[str] | None = None
    splits: list[str] | None = None
    groups: list[str] | None = None
    stamps: Int64[np.ndarray, "image field"]
    notes: list[str]
    in_memory = False
    columns: Sequence[str] = ()
    parts: dict[str, tuple[str, int]]
    _last: tuple[str, bytes] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_last": None}

    def file_bytes(self, file: str) -> bytes:
        """All bytes of one file of the listing; ImageError gives the reason alone."""
        raise NotImplementedError

    def load(self, name: str, draft: tuple[int, int] | None = None) -> Picture:
        """The picture, decoded, with what its file says of it; ImageError gives the reason alone.

        With `draft` a JPEG may come at a fraction of its size, not below that height and width.
        """
        data, image = self._found(name)
        return decode_picture(data, image, draft=draft)

    def read(self, name: str) -> ImageArray:
        """The pixels of the picture; ImageError gives the reason alone."""
        return self.load(name).pixels

    def describe(self, name: str) -> Description:
        """Size, channels and depth by the header alone; ImageError gives the reason alone."""
        return describe_image(*self._found(name))

    def column(self, name: str) -> list[str]:
        """One text an image from a column of the source's table; SourceError where there is no such column."""
        if not self.columns:
            raise SourceError(f"{self.location} has no table with columns, so none called {name!r}")
        raise SourceError(f"{self.location} has no column {name!r}; {suggestion(name, self.columns)}")

    def _found(self, name: str) -> tuple[bytes, int]:
        """The bytes that hold a picture and its place in them; frames read in turn read their file once."""
        if name not in self.parts:
            return self.file_bytes(name), 0
        file, image = self.parts[name]
        last = self._last
        if last is None or last[0] != file:
            self._last = last = None  # two large files need not be in memory at once
            self._last = last = file, self.file_bytes(file)
        return last[1], image
