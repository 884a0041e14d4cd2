"""What every source of encoded pictures shares: the bytes of a file by its name, decoded by their content."""

from collections.abc import Sequence

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

    def file_bytes(self, file: str) -> bytes:
        """All bytes of one file of the listing; ImageError gives the reason alone."""
        raise NotImplementedError

    def load(self, name: str) -> Picture:
        """The picture, decoded, with what its file says of it; ImageError gives the reason alone."""
        file, image = self.parts.get(name, (name, 0))
        return decode_picture(self.file_bytes(file), image)

    def read(self, name: str) -> ImageArray:
        """The pixels of the picture; ImageError gives the reason alone."""
        return self.load(name).pixels

    def describe(self, name: str) -> Description:
        """Size, channels and depth by the header alone; ImageError gives the reason alone."""
        file, image = self.parts.get(name, (name, 0))
        return describe_image(self.file_bytes(file), image)

    def column(self, name: str) -> list[str]:
        """One text an image from a column of the source's table; SourceError where there is no such column."""
        if not self.columns:
            raise SourceError(f"{self.location} has no table with columns, so none called {name!r}")
        raise SourceError(f"{self.location} has no column {name!r}; {suggestion(name, self.columns)}")
