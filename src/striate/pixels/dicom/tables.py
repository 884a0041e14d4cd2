"""Look-up tables of DICOM (PS3.3, section C.11.1.1): modality, value of interest, palette."""

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64, UInt16

from striate.errors import ImageError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_LARGEST = 65536


@dataclass(frozen=True, eq=False)
class Table:
    """`entries[i]` stands for the value `first + i`; the ends go on flat; each entry has so many bits."""

    first: int
    entries: UInt16[np.ndarray, " entry"]
    bits: int

    def __call__(self, values: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
        """The entries for these values."""
        index = np.clip(np.floor(values) - self.first, 0, len(self.entries) - 1).astype(np.int64)
        return self.entries[index].astype(np.float64)


def table_of(item: "Dataset", *, signed: bool, prefix: str = "LUT", data: str | None = None) -> Table:
    """The table in an item, by its descriptor (entries, first value, bits) and data.

    `signed` says how the first value is to be read; 0 entries are 65536. Raises ImageError where the data do not
    have the entries that the descriptor counts.
    """
    little = bool(item.original_encoding[1]) if item.original_encoding[1] is not None else True
    descriptor = _words(_get(item, f"{prefix}Descriptor"), little)
    if len(descriptor) != 3:
        raise ImageError("the descriptor of its look-up table is damaged")
    count, first, bits = descriptor[0] or _LARGEST, descriptor[1], descriptor[2]
    if not 1 <= bits <= 16:
        raise ImageError(f"its look-up table has entries of {bits} bits; up to 16 are read")
    if signed and first >= 2**15:
        first -= 2**16
    entries = _entries(item, data or f"{prefix}Data", count, little)
    if int(entries.max()) >> bits:
        # Many writers say 8 bits and mean the 16 that each entry fills, or the reverse.
        bits = 16
    return Table(first, entries, bits)


def _entries(item: "Dataset", keyword: str, count: int, little: bool) -> UInt16[np.ndarray, " entry"]:
    value = _get(item, keyword)
    if value is None:
        value = segmented(_words(_get(item, f"Segmented{keyword}"), little), count)
    elif isinstance(value, bytes) and count <= len(value) <= count + 1:
        value = list(value[:count])
    else:
        value = _words(value, little)
    if len(value) < count:
        raise ImageError(f"its look-up table has {len(value):,} entries of {count:,}")
    return np.array(value[:count], np.uint16)


def segmented(words: list[int], count: int) -> list[int]:
    """A table out of its segments: steps, ramps, and repetitions of earlier ones (PS3.3, section C.7.9.2).

    >>> segmented([0, 2, 5, 6, 1, 3, 9], 5)
    [5, 6, 7, 8, 9]
    """
    table: list[int] = []
    at = 0
    while at + 1 < len(words) and len(table) < count:
        kind, length = words[at], words[at + 1]
        if length == 0:
            raise ImageError("the segments of its look-up table are damaged")
        if kind == 0:
            table += words[at + 2 : at + 2 + length]
            at += 2 + length
        elif kind == 1 and table and at + 2 < len(words):
            table += np.rint(np.linspace(table[-1], words[at + 2], length + 1)[1:]).astype(int).tolist()
            at += 3
        elif kind == 2 and at + 3 < len(words):
            start = (words[at + 2] | words[at + 3] << 16) // 2
            table += _repeated(words, start, length, table, count)
            at += 4
        else:
            raise ImageError("the segments of its look-up table are damaged")
    return table


def _repeated(words: list[int], start: int, segments: int, table: list[int], count: int) -> list[int]:
    """An indirect segment: `segments` earlier ones, none of them indirect, going on from the table's end."""
    result: list[int] = []
    for _ in range(min(segments, count)):
        if start + 2 >= len(words) or words[start] > 1 or len(result) > count:
            raise ImageError("the segments of its look-up table are damaged")
        length = words[start + 1] or count
        if words[start] == 0:
            result += words[start + 2 : start + 2 + length]
            start += 2 + length
            continue
        before = (result or table)[-1]
        result += np.rint(np.linspace(before, words[start + 2], length + 1)[1:]).astype(int).tolist()
        start += 3
    return result


def _words(value: Any, little: bool) -> list[int]:
    """Words of 16 bits, however the tag was written."""
    if isinstance(value, bytes):
        count = len(value) // 2
        return list(struct.unpack_from(f"{'<' if little else '>'}{count}H", value))
    if isinstance(value, int):
        return [value & 0xFFFF]
    try:
        return [int(part) & 0xFFFF for part in value]
    except (TypeError, ValueError):
        raise ImageError("its look-up table is missing or damaged") from None


def _get(item: "Dataset", keyword: str) -> Any:
    try:
        return item.get(keyword)
    except Exception:  # converting a value may fail in as many ways as there are damages
        raise ImageError("its look-up table is damaged") from None
