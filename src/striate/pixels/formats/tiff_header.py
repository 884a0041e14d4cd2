"""The directories of a TIFF, classic or big, in either byte order: where its pages are and what they hold.

TIFF 6.0, section 2; BigTIFF as in the libtiff specification. EXIF is such a directory too.
"""

import struct
from dataclasses import dataclass
from functools import cached_property

from striate.errors import ImageError
from striate.pixels.formats.content import CUT_SHORT, Content
from striate.pixels.limits import limits

_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_MOST_ENTRIES = 4096

ORIENTATION = 274


@dataclass(frozen=True)
class Entry:
    """One field of a directory: the kind of its values, how many, and where they stand in the file."""

    kind: int
    count: int
    start: int


class Tiff:
    """The directories of one file; `offsets` lists them in order, and raises ImageError for a chain that is broken."""

    def __init__(self, content: Content) -> None:
        self.content = content
        mark = content.exactly(0, 4)
        if mark[:2] not in (b"II", b"MM"):
            raise ImageError("it is no TIFF")
        self.order = "<" if mark[:2] == b"II" else ">"
        self.big = 43 in mark[2:4]
        self._start = content.unpack(self.order + ("Q" if self.big else "I"), 8 if self.big else 4)[0]

    @cached_property
    def offsets(self) -> list[int]:
        """Where each directory of the main chain starts."""
        found: dict[int, None] = {}
        following = self._start
        while following:
            if following in found:
                raise ImageError("its list of pages runs in a circle: it is damaged")
            found[following] = None
            limits().check_frames(len(found))
            count, first, size = self._entries(following)
            following = self.content.unpack(self.order + ("Q" if self.big else "I"), first + count * size)[0]
        if not found:
            raise ImageError("it holds no page")
        return list(found)

    def directory(self, offset: int) -> dict[int, Entry]:
        """The fields of one directory by their tags; every one of them must lie inside the file."""
        count, first, size = self._entries(offset)
        table = self.content.exactly(first, count * size)
        layout = self.order + ("HHQ" if self.big else "HHI")
        room = 8 if self.big else 4
        fields: dict[int, Entry] = {}
        for index in range(count):
            tag, kind, values = struct.unpack_from(layout, table, index * size)
            start = first + index * size + size - room
            length = values * _SIZES.get(kind, 1)
            if length > room:
                start = self.content.unpack(self.order + ("Q" if self.big else "I"), start)[0]
            if start + length > len(self.content):
                raise ImageError(CUT_SHORT)
            fields.setdefault(tag, Entry(kind, values, start))
        return fields

    def values(self, entry: Entry, most: int) -> tuple[int, ...]:
        """The whole numbers of a field, of which there may be `most`; ImageError for other kinds of values."""
        if entry.kind not in _CODES or not 1 <= entry.count <= most:
            raise ImageError("one of its fields is not what it should be: it is damaged")
        return self.content.unpack(f"{self.order}{entry.count}{_CODES[entry.kind]}", entry.start)

    def _entries(self, offset: int) -> tuple[int, int, int]:
        """How many fields a directory has, where the first one starts, and the size of each."""
        count = self.content.unpack(self.order + ("Q" if self.big else "H"), offset)[0]
        if not 1 <= count <= _MOST_ENTRIES:
            raise ImageError(f"a page of it has {count:,} fields: it is damaged")
        return count, offset + (8 if self.big else 2), 20 if self.big else 12


def exif_orientation(exif: bytes) -> int:
    """The orientation, 1 to 8, in a block of EXIF; 1 where there is none, or none that is valid.

    Broken metadata do not cost the picture, and every viewer shows it as it is stored.
    """
    try:
        tiff = Tiff(Content(exif.removeprefix(b"Exif\0\0")))
        count, first, size = tiff._entries(tiff._start)
        for start in range(first, first + count * size, size):
            tag, kind = tiff.content.unpack(tiff.order + "HH", start)
            if tag == ORIENTATION and kind == 3:
                value = tiff.content.unpack(tiff.order + "H", start + size - (8 if tiff.big else 4))[0]
                return value if 1 <= value <= 8 else 1
    except ImageError:
        pass
    return 1
