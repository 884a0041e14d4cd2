"""Every picture of a source decoded once: in this process, or on all cores."""

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait

import numpy as np
from jaxtyping import Shaped

from striate.data.packing.decoding import Decoded, Decoding, decode_rows
from striate.data.packing.process import DiedError, Pool

Progress = Callable[[int, int], None]

SMALL_SOURCE = 500
INLINE_SECONDS = 2.0
CHUNK_SECONDS = 0.25
WAITING = 2
"""Tasks a worker, so that none waits for its next one."""


def decode_source(
    job: Decoding,
    pixels: Shaped[np.ndarray, "image height width channel"] | None,
    *,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Decoded:
    """Writes every picture of the source into its row of `pixels`; a failed row stays zero and is named."""
    count = len(job.source.names)
    total = Decoded.of(range(count), job.preparation)
    done = 0

    def receive(part: Decoded) -> None:
        nonlocal done
        total.add(part)
        done += len(part.rows)
        if progress is not None:
            progress(done, count)

    workers = worker_count(workers, count)
    alone = workers <= 1 or job.source.in_memory
    if alone or count < SMALL_SOURCE:
        until = float("inf") if alone else time.monotonic() + INLINE_SECONDS
        while done < count and time.monotonic() < until:
            receive(decode_rows(job, pixels, range(done, min(count, done + 32))))
    if done < count:
        _decode_in_pool(job, range(done, count), workers, receive)
    return total


def worker_count(wanted: int | None, pictures: int) -> int:
    """How many processes decode: as many as there are cores, unless told; 1 is this process alone."""
    if not sys.executable:
        return 1
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return min(wanted or cores, pictures)


def _decode_in_pool(job: Decoding, rows: range, workers: int, receive: Callable[[Decoded], None]) -> None:
    """Ranges of rows, each of about a quarter of a second, to whichever worker is free."""
    pool, left = Pool(job, workers), _Left(rows)
    waiting: dict[Future[Decoded], range] = {}
    try:
        while True:
            while len(waiting) < WAITING * workers and (part := left.take()):
                waiting[pool.submit(part)] = part
            if not waiting:
                return
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                part = waiting.pop(future)
                try:
                    decoded = future.result()
                    left.pace = int(len(part) * CHUNK_SECONDS / decoded.seconds)
                except DiedError as error:
                    if not left.was_alone(part):
                        continue
                    decoded = Decoded.of(part, job.preparation)
                    decoded.failures[part.start] = str(error)
                receive(decoded)
    finally:
        pool.close()


class _Left:
    """Rows that are still to be decoded; those of a worker that died are tried again, each alone.

    So a picture that kills its worker costs its own row, and a worker killed from outside costs nothing.
    """

    def __init__(self, rows: range) -> None:
        self._rows = rows
        self._suspects: list[int] = []
        self._alone: set[int] = set()
        self._taken = self.pace = 16

    def take(self) -> range:
        if self._suspects:
            row = self._suspects.pop()
            return range(row, row + 1)
        self._taken = max(1, min(4 * self._taken, self.pace, 4096))
        part, self._rows = self._rows[: self._taken], self._rows[self._taken :]
        return part

    def was_alone(self, part: range) -> bool:
        """Whether a part whose worker died was a row tried for the second time; if not, it is taken back."""
        if part.start in self._alone:
            return True
        self._suspects.extend(reversed(part))
        self._alone.update(part)
        return False
