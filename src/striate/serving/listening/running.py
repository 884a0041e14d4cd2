"""A service from its first byte to its last: it listens, says so, answers, and at a signal ends what is under way."""

import contextlib
import importlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import striate
from striate.serving.listening.binding import listening
from striate.serving.listening.starting import settings_of
from striate.serving.settings import Settings

if TYPE_CHECKING:
    from striate.serving.listening.server import Server

PACKAGES = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")
BYTES_OF_A_PIXEL = 4
"""Of the largest picture: RGB of 8 bits, or one channel of 32."""
LAST_SECONDS = 9.0
"""After a signal, until the process ends whatever is still under way."""


def serve(
    run: Path | str | None = None,
    *,
    token_file: Path | str | None = None,
    ready: Callable[[dict[str, Any]], None] = lambda told: None,
    **settings: Any,
) -> None:
    """Serve a run over HTTP, with a page, until SIGTERM or ctrl-C; needs the extra `serve`.

    Example: `striate.serve("runs/first", port=8808)` answers `POST http://127.0.0.1:8808/predict`.

    Without a run the page's kernels are served alone; of one that is still being trained, its curves. `ready` is told
    `url`, `run`, `state` and `engine` once, when answers can be had. Other settings by name: `host`, `port` (0 is any
    that is free), `host_names`, `engine`, `batch`, `queue`, `max_body` in bytes, `max_pixels`, `timeout` in seconds.

    Raises:
        UsageError: a setting that does not exist or does not fit; an address that others reach, without a token.
        RunError: a folder that is no run, or a run that cannot be loaded.
        StriateError: an address that is taken or is none; the extra `serve` is missing.
        Interrupted: ctrl-C, once everything under way was answered.
    """
    folder, file = (None if path is None else Path(path) for path in (run, token_file))
    asked = settings_of(folder, file, settings)
    with Ending() as end, picture_limits(asked), listening(asked.host, asked.port) as taken:
        require_extra()
        from striate.serving.listening.server import Server
        from striate.serving.service import Service

        settled = replace(asked, port=taken.getsockname()[1])
        server = end.server = Server(Service(settled), ready)
        server.run(sockets=[taken])
    if server.failure is not None and not end.told:
        raise striate.RunError(f"{asked.run} cannot be served: {server.failure}")
    if signal.SIGINT in end.told:
        raise striate.Interrupted("interrupted; everything that was asked before has been answered.")


def require_extra() -> None:
    """StriateError, with the command that installs them, where a package for serving is missing."""
    for name in PACKAGES:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise striate.StriateError(
                f"serving needs FastAPI and uvicorn, and {name} is not installed: pip install 'striate[serve]'"
            ) from error


@contextlib.contextmanager
def picture_limits(settings: Settings) -> Iterator[None]:
    """While the block lasts, no picture is read that is larger than the service takes."""
    limits = {
        "STRIATE_MAX_PIXELS": settings.max_pixels,
        "STRIATE_MAX_DECODED_BYTES": settings.max_pixels * BYTES_OF_A_PIXEL,
    }
    before = {name: os.environ.get(name) for name in limits}
    os.environ.update({name: str(limit) for name, limit in limits.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


class Ending:
    """While the block lasts, SIGTERM and ctrl-C end the server; `told` are the signals that came.

    Before there is a server they end the work at once. A second signal ends the process, and so does a clock where
    work under way does not end in time.
    """

    def __init__(self) -> None:
        self.server: Server | None = None
        self.told: list[int] = []

    def __enter__(self) -> "Ending":
        self.clock: threading.Timer | None = None
        numbers = (signal.SIGINT, signal.SIGTERM)
        self.before = {number: signal.signal(number, self.receive) for number in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
        if self.clock is not None:
            self.clock.cancel()
            self.clock.join()

    def receive(self, number: int, _frame: FrameType | None) -> None:
        self.told.append(number)
        code = 130 if signal.SIGINT in self.told else 0
        if self.server is None:
            raise KeyboardInterrupt if code else SystemExit(0)
        if len(self.told) > 1:
            os._exit(code)
        else:
            self.end(self.server, code)

    def end(self, server: "Server", code: int) -> None:
        server.should_exit = True
        self.clock = threading.Timer(LAST_SECONDS, os._exit, (code,))
        self.clock.daemon = True
        self.clock.start()
