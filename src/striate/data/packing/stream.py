"""Pixels that are kept nowhere: pictures decoded whenever they are asked for, ahead of need where it is known."""

import operator
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped

from striate.data.packing.decoding import Decoding, redecode
from striate.data.packing.mapped import mapped_blocks
from striate.data.packing.ring import Reader, Team
from striate.data.packing.workers import worker_count
from striate.errors import ImageError
from striate.pixels.picture import ImageArray

FEW = 4
"""So few pictures are decoded by this process, sooner than a worker would begin."""
TOGETHER = 32
"""Pictures decoded at once by whoever goes through them one by one."""


class StreamedPixels:
    """Prepared pictures `image height width channel`, as an array that decodes what is asked of it.

    `stream[7]` is one picture, `stream[rows]` and `stream[10:20]` are arrays of several; `blocks` gives one array
    after another and decodes the next ones meanwhile. Every picture is compared with the digest of its
    first reading: one that has vanished or changed is an ImageError that names it.
    """

    ndim = 4

    def __init__(
        self,
        job: Decoding,
        seals: Shaped[np.ndarray, " image"],
        moments: Shaped[np.ndarray, "image 2 channel"],
        failures: dict[int, str],
        *,
        workers: int | None = None,
    ) -> None:
        preparation = job.preparation
        self.shape = (len(seals), preparation.height, preparation.width, preparation.channels)
        self.dtype = np.dtype(preparation.depth)
        self.moments = moments
        self._job, self._seals, self._failures = job, seals, failures
        self._workers = worker_count(workers, len(seals))
        self._team: Team | None = None

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> ImageArray | Shaped[np.ndarray, "row height width channel"]:
        if isinstance(key, slice):
            return self._of_rows(np.arange(*key.indices(len(self))))
        if np.ndim(key) == 0:
            return self._of_rows(self._rows([operator.index(key)]))[0]
        return self._of_rows(self._rows(key))

    def __iter__(self) -> Iterator[ImageArray]:
        starts = range(0, len(self), TOGETHER)
        for block in self.blocks(range(start, min(len(self), start + TOGETHER)) for start in starts):
            yield from block

    def blocks(self, wanted: Iterable[Any]) -> Iterator[Shaped[np.ndarray, "row height width channel"]]:
        """One array for each list of rows, in order; the next ones are decoded while the reader is busy.

        Lists are taken from `wanted` ahead of need. A reader may stop early, and several may read at once.
        """
        lists = (self._rows(rows) for rows in wanted)
        if self._workers <= 1:
            yield from map(self._decoded_here, lists)
        else:
            self._team = self._team or Team(self._job, self.shape[1:], self.dtype, self._workers)
            yield from Reader(self._team, self.check).blocks(lists)

    def check(self, rows: Int[np.ndarray, " row"], seals: Any, failures: dict[int, str]) -> None:
        """Raises ImageError for the first row that is not what it was at the first reading."""
        for row, seal in zip(rows.tolist(), seals, strict=True):
            name = self._job.source.names[row]
            if row in failures:
                raise ImageError(
                    f"{name} was read when the images were first gone through and cannot be read any more: "
                    f"{failures[row]}. Restore it and run the same command again."
                )
            if seal != self._seals[row]:
                raise ImageError(
                    f"{name} has other pixels than when the images were first gone through. "
                    "Restore it, or begin again with the images as they are now."
                )

    def _rows(self, key: Any) -> Int[np.ndarray, " row"]:
        """Row numbers from 0, from whatever numpy takes as an index along the first axis."""
        rows = np.asarray(key)
        count = len(self)
        if rows.dtype == bool:
            if rows.shape != (count,):
                raise IndexError(f"a mask of shape {rows.shape} does not fit {count:,} images")
            return np.flatnonzero(rows)
        if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
            raise IndexError("images are asked for by one list of row numbers, a slice, or a mask")
        rows = rows.astype(np.int64)
        if rows.size and not -count <= rows.min() <= rows.max() < count:
            raise IndexError(f"there are {count:,} images; row {rows.min()} or {rows.max()} is none of them")
        rows = np.where(rows < 0, rows + count, rows)
        for row in rows.tolist() if self._failures else ():
            if row in self._failures:
                raise ImageError(f"{self._job.source.names[row]} cannot be read: {self._failures[row]}")
        return rows

    def _of_rows(self, rows: Int[np.ndarray, " row"]) -> Shaped[np.ndarray, "row height width channel"]:
        return self._decoded_here(rows) if len(rows) <= FEW else next(self.blocks([rows]))

    def _decoded_here(self, rows: Int[np.ndarray, " row"]) -> Shaped[np.ndarray, "row height width channel"]:
        pixels = np.empty((len(rows), *self.shape[1:]), self.dtype)
        self.check(rows, *redecode(self._job, pixels, rows.tolist(), range(len(rows))))
        return pixels


PackedPixels = Shaped[np.ndarray, "image height width channel"] | StreamedPixels
"""The pixels of a pack, row for row the listing of its source."""


def gather(
    pixels: PackedPixels, wanted: Iterable[Any]
) -> Iterator[Shaped[np.ndarray, "row height width channel"]]:
    """The pictures of one list of rows after another, from an array or a stream.

    >>> pixels = np.arange(4, dtype=np.uint8).reshape(4, 1, 1, 1)
    >>> [block.ravel().tolist() for block in gather(pixels, [[0, 3], [2]])]
    [[0, 3], [2]]
    """
    if isinstance(pixels, StreamedPixels):
        yield from pixels.blocks(wanted)
    else:
        yield from mapped_blocks(pixels, wanted)
