"""Every picture of a source decoded once, into one shared array: in this process, or on all cores.

Worker processes are started afresh rather than forked (a parent with torch's threads does not survive a
fork) and without `multiprocessing` (which would run the user's script again in each of them). Their
standard streams carry the work: a job, then ranges of rows out and results back. When the parent dies they
read the end and leave.
"""

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread
from typing import IO, Any

import numpy as np
from jaxtyping import Shaped

from striate.data.decoding import Decoded, Job, decode_rows
from striate.errors import StriateError

Progress = Callable[[int, int], None]

SMALL_SOURCE = 500
INLINE_SECONDS = 2.0
CHUNK_SECONDS = 0.25


def decode_source(
    job: Job,
    pixels: Shaped[np.ndarray, "image height width channel"],
    *,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Decoded:
    """Writes every picture of the source into its row of `pixels`; a failed row stays zero and is named."""
    count = len(job.source.names)
    total = Decoded(range(count), digests=[""] * count)
    done = 0

    def receive(part: Decoded) -> None:
        nonlocal done
        total.digests[part.rows.start : part.rows.stop] = part.digests
        total.failures.update(part.failures)
        total.met(part.channels, part.depth)
        done += len(part.rows)
        if progress is not None:
            progress(done, count)

    workers = min(workers or _cores(), count)
    alone = workers <= 1 or job.path is None or not sys.executable
    if alone or count < SMALL_SOURCE:
        until = float("inf") if alone else time.monotonic() + INLINE_SECONDS
        while done < count and time.monotonic() < until:
            receive(decode_rows(job, pixels, range(done, min(count, done + 32))))
    if done < count:
        _decode_in_pool(job, range(done, count), workers, receive)
    return total


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _decode_in_pool(job: Job, rows: range, workers: int, receive: Callable[[Decoded], None]) -> None:
    results: SimpleQueue[Decoded | BaseException] = SimpleQueue()
    cursor = _Cursor(rows)
    drivers = [_Driver(pickle.dumps(job), cursor, results) for _ in range(workers)]
    left = len(rows)
    try:
        for driver in drivers:
            driver.start()
        while left:
            part = results.get()
            if isinstance(part, BaseException):
                raise part
            receive(part)
            left -= len(part.rows)
    finally:
        cursor.close()
        for driver in drivers:
            driver.stop()


class _Cursor:
    """Hands out rows in order to whoever asks next."""

    def __init__(self, rows: range) -> None:
        self._rows = rows
        self._lock = Lock()

    def take(self, count: int) -> range:
        with self._lock:
            taken, self._rows = self._rows[:count], self._rows[count:]
            return taken

    def close(self) -> None:
        with self._lock:
            self._rows = range(0)
            self.closed = True

    closed = False


class _DiedError(Exception):
    """A worker ended without an answer."""


class _Driver(Thread):
    """Keeps one worker busy; a picture that kills it is a failed row, and a new worker goes on."""

    def __init__(self, job: bytes, cursor: _Cursor, results: "SimpleQueue[Decoded | BaseException]") -> None:
        super().__init__(daemon=True)
        self._job, self._cursor, self._results = job, cursor, results
        self._process: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        pace = 16
        try:
            while rows := self._cursor.take(pace):
                started = time.monotonic()
                try:
                    self._results.put(self._ask(rows))
                except _DiedError:
                    self._one_by_one(rows)
                seconds = max(time.monotonic() - started, 1e-6)
                pace = max(1, min(4 * pace, int(len(rows) * CHUNK_SECONDS / seconds), 4096))
        except BaseException as error:
            self._results.put(error)
        finally:
            self._end()

    def stop(self) -> None:
        """Ends the worker at once and waits for this thread."""
        process = self._process
        if process is not None and process.poll() is None:
            process.kill()
        if self.ident is not None:
            self.join()

    def _one_by_one(self, rows: range) -> None:
        for row in rows:
            if self._cursor.closed:
                return
            try:
                part = self._ask(range(row, row + 1))
            except _DiedError as error:
                part = Decoded(range(row, row + 1), digests=[""], failures={row: str(error)})
            self._results.put(part)

    def _ask(self, rows: range) -> Decoded:
        process = self._process or self._begin()
        try:
            answer = _exchange(process, rows)
        except (EOFError, OSError, pickle.UnpicklingError):
            status = self._end()
            raise _DiedError(f"the decoder ended abruptly on it (exit status {status})") from None
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _begin(self) -> "subprocess.Popen[bytes]":
        """Starts a worker with the parent's import path and one thread for arithmetic."""
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
            **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
        }
        command = [sys.executable, "-P", "-c", "from striate.data.workers import serve; serve()"]
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._process = process
        try:
            assert process.stdin is not None
            process.stdin.write(self._job)
            answer = _exchange(process, None)
        except (EOFError, OSError) as error:
            raise StriateError(
                f"a worker process for decoding did not start (exit status {self._end()})"
            ) from error
        if isinstance(answer, BaseException):
            raise answer
        return process

    def _end(self) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(OSError):  # the worker may be gone, and with it the other end of the pipe
            process.stdin.close()
        process.stdout.close()
        return process.wait()


def _exchange(process: "subprocess.Popen[bytes]", message: Any) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    pickle.dump(message, process.stdin)
    process.stdin.flush()
    return pickle.load(process.stdout)


def serve() -> None:
    """The worker's side: a job, then ranges of rows, until the input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    questions = sys.stdin.buffer
    job, pixels = None, np.zeros((0, 1, 1, 1))
    try:
        job = pickle.load(questions)
        pixels = np.load(job.path, mmap_mode="r+")
    except Exception as error:
        pickle.load(questions)
        _answer(answers, error if isinstance(error, StriateError) else RuntimeError(repr(error)))
        return
    while True:
        try:
            rows = pickle.load(questions)
        except EOFError:
            return
        try:
            _answer(answers, decode_rows(job, pixels, rows) if rows is not None else None)
        except StriateError as error:
            _answer(answers, error)


def _answer(answers: IO[bytes], message: Any) -> None:
    pickle.dump(message, answers)
    answers.flush()
