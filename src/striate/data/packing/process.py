"""Worker processes: each takes a job once, then one task after another, and answers each.

They are started afresh rather than forked (a parent with torch's threads does not survive a fork) and without
`multiprocessing` (which would run the user's script again in each of them). Their standard streams carry the
work. When the parent dies they read the end and leave; a signal from the keyboard reaches the parent alone.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import RLock, Thread, current_thread
from typing import IO, Any, Protocol, runtime_checkable

from striate.errors import StriateError

TRIES = 3


@runtime_checkable
class Job(Protocol):
    """What a worker does, picklable: `open` once, then `work` on each task with what was opened."""

    def open(self) -> Any:
        """Whatever the tasks need, made once in the worker."""
        ...

    def work(self, opened: Any, task: Any) -> Any:
        """The answer to one task; a StriateError reaches the one who asked."""
        ...


class DiedError(Exception):
    """A worker ended without an answer, for whatever reason: a decoder's crash, or a kill from outside."""


class Pool:
    """Workers that take tasks from one queue, a thread of this process waiting for each.

    A task whose worker dies fails with DiedError, and the next task gets a new worker. `handles` are open
    files that the workers inherit.
    """

    def __init__(self, job: Job, workers: int, handles: Sequence[int] = ()) -> None:
        packed = pickle.dumps(job)
        self._tasks: SimpleQueue[tuple[Any, Future[Any]] | None] = SimpleQueue()
        self._workers = [_Worker(packed, tuple(handles)) for _ in range(workers)]
        self._threads = [
            Thread(target=_attend, args=(worker, self._tasks), daemon=True) for worker in self._workers
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, task: Any) -> "Future[Any]":
        """The answer to a task, in the future."""
        future: Future[Any] = Future()
        self._tasks.put((task, future))
        return future

    def close(self) -> None:
        """Ends all workers at once and waits until they are gone; what was not answered never will be."""
        with suppress(Empty):
            while True:
                waiting = self._tasks.get_nowait()
                if waiting is not None:
                    waiting[1].cancel()
        for worker in self._workers:
            worker.kill()
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            if thread is not current_thread():
                thread.join()


def _attend(worker: "_Worker", tasks: "SimpleQueue[tuple[Any, Future[Any]] | None]") -> None:
    while (waiting := tasks.get()) is not None:
        task, future = waiting
        del waiting
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(worker.ask(task))
            except BaseException as error:
                future.set_exception(error)
        del task, future
    worker.end()


class _Worker:
    """One process, begun when first asked and again after a death."""

    def __init__(self, job: bytes, handles: tuple[int, ...]) -> None:
        self._job, self._handles = job, handles
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = RLock()  # the collector may end a pool inside one of its own threads
        self._killed = False

    def ask(self, task: Any) -> Any:
        process = self._process or self._begin()
        try:
            answer = _exchange(process, task)
        except (EOFError, OSError, pickle.UnpicklingError):
            raise DiedError(f"the decoder ended abruptly on it (exit status {self.end()})") from None
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def kill(self) -> None:
        """Ends the process at once, and lets none begin again."""
        with self._lock:
            self._killed = True
            process = self._process
        if process is not None and process.poll() is None:
            process.kill()

    def end(self) -> int | None:
        """Lets the process leave, and returns its exit status."""
        process, self._process = self._process, None
        if process is None:
            return None
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(OSError):  # the worker may be gone, and with it the other end of the pipe
            process.stdin.close()
        process.stdout.close()
        return process.wait()

    def _begin(self) -> "subprocess.Popen[bytes]":
        """A process that has taken the job; one that is killed meanwhile is replaced, a few times."""
        status = 0
        for _ in range(TRIES):
            process = self._start()
            try:
                assert process.stdin is not None
                process.stdin.write(self._job)
                answer = _exchange(process, None)
            except (EOFError, OSError, pickle.UnpicklingError):
                status = self.end() or 0
                if status >= 0:
                    break
            else:
                if isinstance(answer, BaseException):
                    raise answer
                return process
        raise StriateError(f"a worker process for decoding did not start (exit status {status})")

    def _start(self) -> "subprocess.Popen[bytes]":
        """A process with the parent's import path and one thread for arithmetic."""
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
            **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
        }
        with self._lock:
            if self._killed:
                raise DiedError("the work was given up")
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", "from striate.data.packing.process import serve; serve()"],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=self._handles,
            )
            return self._process


def _exchange(process: "subprocess.Popen[bytes]", message: Any) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    pickle.dump(message, process.stdin)
    process.stdin.flush()
    return pickle.load(process.stdout)


def serve() -> None:
    """The worker's side: a job, then tasks, until the input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    questions = sys.stdin.buffer
    try:
        job: Job = pickle.load(questions)
        opened = job.open()
    except Exception as error:
        pickle.load(questions)
        _answer(answers, error if isinstance(error, StriateError) else RuntimeError(repr(error)))
        return
    pickle.load(questions)
    _answer(answers, None)
    while True:
        try:
            task = pickle.load(questions)
        except EOFError:
            return
        try:
            _answer(answers, job.work(opened, task))
        except StriateError as error:
            _answer(answers, error)


def _answer(answers: IO[bytes], message: Any) -> None:
    pickle.dump(message, answers)
    answers.flush()
