"""The workers of a stream, the memory they share with it, and how their pieces become blocks again.

    blocks of rows ─ cut into pieces ─► workers ─► ring ─► blocks, whole and in order ─► the network
                             ▲                       │
                             └─── slots are free ────┘

Memory beyond the reader's own is the ring, at most 256 MiB (two pictures a worker, where pictures are larger than
that allows), and the block that is being put together.
"""

import mmap
import os
import tempfile
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from threading import RLock
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped

from striate.data.packing.decoding import Decoding, redecode
from striate.data.packing.process import DiedError, Pool

RING_BYTES, RING_ROWS = 256 << 20, 8192
PIECE_ROWS = 32
Check = Callable[[Int[np.ndarray, " row"], Any, dict[int, str]], None]


@dataclass(frozen=True)
class Streaming:
    """The job of decoding pictures into slots of a ring, which is an open file that the worker has inherited."""

    decoding: Decoding
    handle: int
    shape: tuple[int, ...]
    dtype: np.dtype

    def open(self) -> Shaped[np.ndarray, "slot height width channel"]:
        """The ring, as this process sees it."""
        return np.ndarray(self.shape, self.dtype, mmap.mmap(self.handle, 0))

    def work(
        self, opened: Shaped[np.ndarray, "slot height width channel"], task: tuple[list[int], list[int]]
    ) -> tuple[Shaped[np.ndarray, " row"], dict[int, str]]:
        """Decodes rows into slots."""
        return redecode(self.decoding, opened, *task)


class Slots:
    """Which slots of the ring are free."""

    def __init__(self, count: int) -> None:
        self._free, self._lock = deque(range(count)), RLock()

    def __len__(self) -> int:
        return len(self._free)

    def take(self, count: int) -> list[int] | None:
        """So many free slots, or None when there are fewer."""
        with self._lock:
            if len(self._free) < count:
                return None
            return [self._free.popleft() for _ in range(count)]

    def give_back(self, slots: list[int]) -> None:
        """Slots whose content is no longer needed."""
        with self._lock:
            self._free.extend(slots)


class Team:
    """Workers and the ring they share; both go when nobody refers to the team any more."""

    def __init__(self, job: Decoding, shape: tuple[int, int, int], dtype: np.dtype, workers: int) -> None:
        row = int(np.prod(shape)) * dtype.itemsize
        slots = max(2 * workers, min(RING_ROWS, RING_BYTES // row))
        handle = _shared_file(slots * row)
        streaming = Streaming(job, handle, (slots, *shape), dtype)
        self.job, self.ring = job, streaming.open()
        self.pool = Pool(streaming, workers, [handle])
        self.workers, self.piece = workers, max(1, min(PIECE_ROWS, slots // (4 * workers)))
        self.free = Slots(slots)
        weakref.finalize(self, _dissolve, self.pool, handle)


def _shared_file(size: int) -> int:
    """An open file without a name: in memory where the system has such files, on disk elsewhere."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("striate")
        os.ftruncate(handle, size)
        return handle
    with tempfile.TemporaryFile() as file:
        os.posix_fallocate(file.fileno(), 0, size)
        return os.dup(file.fileno())


def _dissolve(pool: Pool, handle: int) -> None:
    pool.close()
    os.close(handle)


@dataclass
class _Piece:
    """A few rows of one block; on their way through a worker once they have slots and a future."""

    rows: Int[np.ndarray, " row"]
    block: Shaped[np.ndarray, "image height width channel"]
    start: int
    slots: list[int] | None = None
    future: "Future[Any] | None" = None

    @property
    def place(self) -> Shaped[np.ndarray, "row height width channel"]:
        """Where in the block the pictures belong."""
        return self.block[self.start : self.start + len(self.rows)]

    @property
    def last(self) -> bool:
        """Whether the block is complete with this piece."""
        return self.start + len(self.rows) == len(self.block)


class Reader:
    """Blocks decoded by a team for one reader, as far ahead as the ring has room."""

    def __init__(self, team: Team, check: Check) -> None:
        self._team, self._check = team, check
        self._waiting: deque[_Piece] = deque()

    def blocks(
        self, lists: Iterable[Int[np.ndarray, " row"]]
    ) -> Iterator[Shaped[np.ndarray, "row height width channel"]]:
        """One array for each list of rows, in order."""
        pieces = self._pieces(lists)
        try:
            self._send(pieces)
            while self._waiting:
                piece = self._waiting[0]
                self._receive(piece)
                self._release(self._waiting.popleft())
                self._send(pieces)
                if piece.last:
                    yield piece.block
        finally:
            for piece in self._waiting:
                self._release(piece)

    def _pieces(self, lists: Iterable[Int[np.ndarray, " row"]]) -> Iterator[_Piece]:
        """Each list cut so that all workers have a part in it."""
        for rows in lists:
            block = np.empty((len(rows), *self._team.ring.shape[1:]), self._team.ring.dtype)
            size = max(1, min(self._team.piece, -(-len(rows) // (2 * self._team.workers))))
            for start in range(0, max(1, len(rows)), size):
                yield _Piece(rows[start : start + size], block, start)

    def _send(self, pieces: Iterator[_Piece]) -> None:
        """Hands out pieces for as long as there are slots; one at most is taken that finds none."""
        while True:
            if not self._waiting or self._waiting[-1].slots is not None:
                piece = next(pieces, None)
                if piece is None:
                    return
                self._waiting.append(piece)
            piece = self._waiting[-1]
            piece.slots = self._team.free.take(len(piece.rows))
            if piece.slots is None:
                return
            piece.future = self._team.pool.submit((piece.rows.tolist(), piece.slots))

    def _receive(self, piece: _Piece) -> None:
        """Puts the pictures of a piece where they belong, after comparing them with their first reading."""
        if piece.future is None or piece.slots is None:  # other readers fill the ring
            found = redecode(self._team.job, piece.place, piece.rows.tolist(), range(len(piece.rows)))
            self._check(piece.rows, *found)
            return
        try:
            seals, failures = piece.future.result()
        except DiedError:
            seals, failures = self._one_by_one(piece, piece.slots)
        self._check(piece.rows, seals, failures)
        piece.place[...] = self._team.ring[piece.slots]

    def _one_by_one(self, piece: _Piece, slots: list[int]) -> tuple[list[bytes], dict[int, str]]:
        """After a worker's death: a kill from outside costs nothing, a picture that kills again is named."""
        seals: list[bytes] = []
        failures: dict[int, str] = {}
        for row, slot in zip(piece.rows.tolist(), slots, strict=True):
            piece.future = self._team.pool.submit(([row], [slot]))
            try:
                (seal,), failed = piece.future.result()
            except DiedError as error:
                seal, failed = b"", {row: str(error)}
            seals.append(seal)
            failures.update(failed)
        return seals, failures

    def _release(self, piece: _Piece) -> None:
        """Gives the slots back as soon as no worker writes to them."""
        slots, free = piece.slots, self._team.free
        if slots is not None and piece.future is not None:
            piece.future.cancel()
            piece.future.add_done_callback(lambda _: free.give_back(slots))
