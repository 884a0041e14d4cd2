"""The end of a service: signals while it does this and that, in this process and in one of its own."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from bare import ask, head, is_refusal, port_of, read

import striate
from doors import command
from striate.serving import service
from striate.serving.listening import running, server

Client = Callable[[int], None]


def served(client: Client, run: Path | None = None) -> list[int]:
    """Serve in this process while a client does something in another thread; its errors are this function's.

    Returns the codes with which the process would have been ended at once.
    """
    failures: list[BaseException] = []

    def work(port: int) -> None:
        try:
            client(port)
        except BaseException as error:
            failures.append(error)
            os.kill(os.getpid(), signal.SIGTERM)

    def ready(told: dict[str, Any]) -> None:
        nonlocal thread, port
        port = port_of(told["url"])
        thread = threading.Thread(target=work, args=(port,))
        thread.start()

    thread, port = threading.Thread(), 0
    codes: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with patch.object(running.os, "_exit", codes.append):
            striate.serve(run, port=0, ready=ready)
    except striate.Interrupted:
        codes.append(130)
    finally:
        thread.join()
        assert {number: signal.getsignal(number) for number in before} == before
        assert not failures, failures
        is_free(port)
    return codes


def is_free(port: int) -> None:
    """Nobody listens at a port any more."""
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))


def told(number: signal.Signals) -> Client:
    """A client that asks once and then has the process told to end."""

    def client(port: int) -> None:
        assert ask(port, head("GET /model", {}, port)).status == 200
        os.kill(os.getpid(), number)

    return client


def test_sigterm_ends_it() -> None:
    threads = set(threading.enumerate())
    assert served(told(signal.SIGTERM)) == []
    assert set(threading.enumerate()) <= threads


def test_ctrl_c_ends_it_and_says_so() -> None:
    assert served(told(signal.SIGINT)) == [130]
    assert striate.Interrupted.exit_code == 130


def test_a_client_that_holds_on_does_not_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "FINISHING", 1)

    def client(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
            line.sendall(head("POST /predict", {"Content-Length": "3"}, port) + b"a")
            time.sleep(0.1)
            os.kill(os.getpid(), signal.SIGTERM)
            answer = read(line)
            is_refusal(answer)
            assert (answer.status, answer.error["said"]) == (
                503,
                "The service ended before this was answered.",
            )

    assert served(client) == []


def test_a_second_signal_and_the_clock_end_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LAST_SECONDS", 0.3)

    def client(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
            line.sendall(head("POST /predict", {"Content-Length": "3"}, port) + b"ab")
            time.sleep(0.1)
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.6)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)
            line.sendall(b"c")
            assert read(line).status == 409

    assert served(client) == [0, 130, 130]  # the clock, the second signal, and what ctrl-C raises


def test_a_signal_before_there_is_a_server_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for number, kind in ((signal.SIGTERM, SystemExit), (signal.SIGINT, KeyboardInterrupt)):
        monkeypatch.setattr(running, "require_extra", lambda number=number: os.kill(os.getpid(), number))
        with pytest.raises(kind) as caught:
            striate.serve(port=0)
        assert getattr(caught.value, "code", 0) == 0


def test_a_signal_while_the_run_is_loaded(digits_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(run: Path, engine: str) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.5)
        raise striate.RunError("never mind")

    monkeypatch.setattr(service, "opened", opened)
    asked: list[object] = []
    striate.serve(digits_run, port=0, ready=asked.append)
    assert asked == []


def test_what_is_under_way_is_answered_and_what_comes_then_is_told_to_come_back() -> None:
    """In a process of its own, as it is run."""
    words = command("serve", "--port", 0, "--json")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = port_of(json.loads(process.stdout.readline())["url"])
        assert Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text() == ""
        end_with_clients(process, port)
        begun = time.monotonic()
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "")
    assert time.monotonic() - begun < 5
    assert err.count("\n") == err.count(" method=") == 5, err
    is_free(port)


def end_with_clients(process: "subprocess.Popen[str]", port: int) -> None:
    """SIGTERM while one client sends, one keeps its connection and others come."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as under_way,
        socket.create_connection(("127.0.0.1", port), timeout=10) as kept,
    ):
        under_way.sendall(head("POST /predict", {"Content-Length": "3"}, port) + b"ab")
        kept.sendall(head("GET /health/ready", {}, port))
        assert read(kept).status == 200
        process.terminate()
        time.sleep(0.12)
        kept.sendall(head("GET /health/ready", {}, port))
        assert read(kept).status == 503
        new = ask(port, head("GET /model", {}, port))
        is_refusal(new)
        assert (new.status, new.headers["connection"], new.headers["retry-after"]) == (503, "close", "10")
        assert ask(port, head("GET /health/live", {}, port)).status == 200
        time.sleep(0.7)
        with pytest.raises(ConnectionError):
            ask(port, head("GET /health/live", {}, port))
        under_way.sendall(b"c")
        last = read(under_way)
        assert (last.status, last.headers["connection"]) == (409, "close")
