"""The service as a test opens it: in this process without a socket, behind one, and in a browser."""

import contextlib
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from striate.serving.app import create_app
from striate.serving.listening.binding import listening
from striate.serving.listening.server import Server
from striate.serving.service import Service
from striate.serving.settings import Settings

CHROMIUM = shutil.which("chromium")
WAIT = 60.0


@contextlib.contextmanager
def client(run: Path | None = None, **settings: Any) -> Iterator[TestClient]:
    """A client of a service that is ready, without a socket."""
    service = Service(Settings(run=run, **{"engine": "torch", **settings}))
    with TestClient(
        create_app(service), base_url="http://localhost:8808", raise_server_exceptions=False
    ) as one:
        until(lambda: service.state in ("none", "ready", "failed", "training"))
        yield one


@contextlib.contextmanager
def live(run: Path | None = None, **settings: Any) -> Iterator[str]:
    """A service behind a free port of this machine: its address."""
    taken = listening("127.0.0.1", 0)
    port = taken.getsockname()[1]
    service = Service(Settings(run=run, port=port, **{"engine": "torch", **settings}))
    server = Server(service, lambda told: None)
    thread = threading.Thread(target=server.run, args=([taken],), daemon=True)
    thread.start()
    try:
        until(lambda: server.started and service.state in ("none", "ready", "failed", "training"))
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(WAIT)


def until(ready: Any) -> None:
    """Wait for something; fails after a minute."""
    end = time.monotonic() + WAIT
    while not ready():
        assert time.monotonic() < end, "the service did not come up within a minute"
        time.sleep(0.01)


@contextlib.contextmanager
def chromium(*flags: str) -> Iterator[Any]:
    """A browser; the test is skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *flags])
        yield browser
        browser.close()
