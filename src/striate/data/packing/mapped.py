"""Pictures of a mapped pack, and of one that is larger than memory: read from its file, with nothing mapped.

Mapped pages that were read stay until the system drops them, count as this process's memory, and come with their
neighbours, which a random order does not want.
"""

import mmap
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Shaped

Pixels = Shaped[np.ndarray, "image height width channel"]
LARGE = 2**30
"""Bytes from which a pack is read and not mapped."""


class Place(NamedTuple):
    """Where the first byte of an array lies on the disk."""

    path: Path
    offset: int


def mapped_blocks(
    pixels: Pixels, wanted: Iterable[Any]
) -> Iterator[Shaped[np.ndarray, "row height width channel"]]:
    """The pictures of one list of rows after another; of a large file no more than those are in memory.

    >>> pixels = np.arange(4, dtype=np.uint8).reshape(4, 1, 1, 1)
    >>> [block.ravel().tolist() for block in mapped_blocks(pixels, [[0, 3], [2]])]
    [[0, 3], [2]]
    """
    place = place_of(pixels) if pixels.nbytes >= LARGE else None
    if place is None:
        yield from (pixels[rows] for rows in wanted)
    else:
        yield from read_blocks(pixels, place, wanted)


def place_of(array: Shaped[np.ndarray, "..."]) -> Place | None:
    """Where a mapped array lies on the disk; None for one in memory, and where the file cannot be read any more."""
    base: object = array
    while isinstance(base, np.ndarray) and not isinstance(base.base, mmap.mmap):
        base = base.base
    if not isinstance(base, np.memmap) or not base.filename:
        return None
    if not array.flags.c_contiguous or array.flags.writeable:
        return None
    path = Path(str(base.filename))
    distance = array.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    return Place(path, base.offset + distance) if os.access(path, os.R_OK) else None


def read_blocks(
    pixels: Pixels, place: Place, wanted: Iterable[Any]
) -> Iterator[Shaped[np.ndarray, "row height width channel"]]:
    """The same pictures, each read from the file; OSError where it has become shorter."""
    count, size = len(pixels), pixels[:1].nbytes
    with place.path.open("rb", buffering=0) as file:
        for rows in wanted:
            numbers = np.arange(count)[rows] if isinstance(rows, slice) else np.asarray(rows)
            numbers = np.flatnonzero(numbers) if numbers.dtype == bool else numbers
            block = np.empty((len(numbers), *pixels.shape[1:]), pixels.dtype)
            for picture, number in zip(block, numbers.tolist(), strict=True):
                if not -count <= number < count:
                    raise IndexError(f"there are {count:,} images; row {number} is none of them")
                if os.preadv(file.fileno(), [picture], place.offset + number % count * size) != size:
                    raise OSError(f"{place.path} is shorter than it was")
            yield block
