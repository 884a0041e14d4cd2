"""How much is taken of a request, for how long, and of how many at once; and what the log says of it."""

import logging
import socket
import time
from collections.abc import Iterator

import pytest
from bare import ask, head, is_refusal, port_of, read
from serving_kit import client, live
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from striate.serving.guarding import connection, limits
from striate.serving.guarding.headers import Headers
from striate.serving.guarding.journal import Journal
from striate.serving.metrics import Metrics
from striate.serving.service import Service
from striate.serving.settings import Settings

BODY = 1 << 20
JPEG = {"Content-Type": "image/jpeg"}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of an impatient service: a megabyte, half a second, four connections."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "GRACE", 0.4)
        patch.setattr(connection, "HEAD_SECONDS", 0.6)
        patch.setattr(connection, "READ_SECONDS", 0.5)
        patch.setattr(connection, "LINGER_SECONDS", 0.5)
        patch.setattr(connection, "SPARE", 2)
        with live(max_body=BODY, max_held=BODY, max_connections=4, timeout=2.0) as url:
            yield port_of(url)


def test_a_length_too_large_is_refused_at_once(port: int) -> None:
    begun = time.monotonic()
    answer = ask(port, head("POST /predict", {"Content-Length": str(1 << 30)}, port))
    is_refusal(answer)
    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert answer.error["given"] == "1,073,741,824 bytes"
    assert answer.error["allowed"] == "1,048,576 bytes"
    assert "--max-body" in answer.error["try"]
    assert time.monotonic() - begun < 0.4


def test_a_length_just_right_is_taken(port: int) -> None:
    answer = ask(port, head("POST /predict", {"Content-Length": str(BODY)}, port) + bytes(BODY))
    assert answer.status == 409  # there is no run


@pytest.mark.parametrize("framing", [{"Content-Length": str(1 << 30)}, {"Transfer-Encoding": "chunked"}])
def test_who_sends_on_sees_why_it_ends(framing: dict[str, str], port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(head("POST /predict", framing, port))
        block = bytes(1 << 16)
        for _ in range(40):
            line.sendall(block if "Content-Length" in framing else b"10000\r\n" + block + b"\r\n")
        answer = read(line)
        is_refusal(answer)
        assert answer.status == 413
        with pytest.raises(OSError, match=r".*"):  # noqa: PT012
            for _ in range(1_000):
                line.sendall(block)


def test_a_body_that_drips_is_refused(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(head("POST /predict", {"Content-Length": "1000"}, port) + b"x")
        answer = read(line)
    is_refusal(answer)
    assert (answer.status, answer.headers["connection"]) == (408, "close")
    assert answer.error["given"] == "1 bytes in 0 s"
    assert "16,384 bytes a second" in answer.error["allowed"]


def test_a_body_that_comes_steadily_is_taken(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(head("POST /predict", {"Content-Length": "80000"}, port))
        for _ in range(10):
            line.sendall(bytes(8_000))
            time.sleep(0.1)
        assert read(line).status == 409


def test_half_a_head_is_refused_and_silence_is_closed_without_a_word(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(b"GET /model HTTP/1.1\r\nHost: local")
        answer = read(line)
        is_refusal(answer)
        assert answer.status == 408
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        assert line.recv(1) == b""


def test_half_a_head_after_a_whole_request_is_refused_too(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(head("GET /health/live", {}, port))
        assert read(line).status == 200
        line.sendall(b"GET")
        assert read(line).status == 408


def test_who_never_reads_is_cut_off(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 12)
        asked = head("GET /style.css", {}, port) * 2_000
        line.setblocking(False)
        with pytest.raises((BlockingIOError, ConnectionError)):  # noqa: PT012
            while True:
                line.send(asked)
                time.sleep(0.05)
        time.sleep(1.5)
        line.setblocking(True)
        with pytest.raises(ConnectionError):  # noqa: PT012
            while line.recv(1 << 20):
                pass
            raise ConnectionError


def test_all_bodies_together_are_bounded(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as first:
        first.sendall(head("POST /predict", {"Content-Length": "900000"}, port) + bytes(899_000))
        time.sleep(0.2)
        second = ask(port, head("POST /predict", {"Content-Length": "500000"}, port) + bytes(500_000))
        is_refusal(second)
        assert (second.status, second.headers["retry-after"]) == (503, "1")
        first.sendall(bytes(1_000))
        assert read(first).status == 409
    again = ask(port, head("POST /predict", {"Content-Length": "900000"}, port) + bytes(900_000))
    assert again.status == 409


def test_too_many_connections_leave_room_to_ask_whether_it_lives(port: int) -> None:
    lines = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(4)]
    time.sleep(0.1)
    refused = ask(port, head("GET /model", {}, port))
    is_refusal(refused)
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert ask(port, head("GET /health/live", {}, port)).status == 200
    lines += [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(2)]
    time.sleep(0.1)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as one_more:
        beyond = read(one_more)
    is_refusal(beyond)
    assert beyond.status == 503
    for line in lines:
        line.close()
    time.sleep(0.2)
    assert ask(port, head("GET /model", {}, port)).status == 200


def test_the_service_does_not_wait_for_a_body_to_say_that_it_lives(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(head("GET /health/live", {"Content-Length": "1000000000"}, port) + b"x")
        assert read(line).status == 200
        line.settimeout(5)
        assert line.recv(1) == b""


def test_a_service_that_ends_answers_503_and_closes() -> None:
    with client() as one:
        service = one.app.state.service  # type: ignore[attr-defined]
        service.draining = True
        answer = one.get("/model")
        assert (answer.status_code, answer.headers["retry-after"], answer.headers["connection"]) == (
            503,
            "10",
            "close",
        )
        assert one.get("/health/live").status_code == 200
        assert one.get("/health/ready").status_code == 503
        service.draining = False
        assert one.get("/model").status_code == 200


# The log


def test_a_line_a_request_without_a_word_of_the_client(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "striate.serving")
    with client() as one:
        one.post("/predict?evil=1", content=b"evil", headers={"X-A": "evil", "Origin": "http://evil.example"})
        one.get("/evil%0aevil")
        one.request("EVIL", "/model")
        one.get("/v2/models/evil")
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 4
    assert "evil" not in "".join(lines).lower()
    assert lines[0].startswith("method=POST route=refused status=403 ms=")
    assert lines[2].startswith("method=other route=refused status=405 ms=")
    assert lines[3].startswith("method=GET route=/v2/models/{name} status=")


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    """A route that nobody foresaw would fail."""
    raise KeyError("/home/ann/patient.png\nevil line")


async def half(scope: Scope, receive: Receive, send: Send) -> None:
    """A route that fails in the middle of its answer."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise KeyError("evil line")


def test_what_nobody_foresaw_is_a_number_here_and_a_place_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics = Metrics()
    app = Headers(Journal(broken, metrics), Service(Settings()))
    answer = TestClient(app).get("/a")
    assert answer.status_code == 500
    assert answer.headers["x-content-type-options"] == "nosniff"
    number = answer.json()["error"]["said"].rpartition(" ")[2].rstrip(".")
    (record,) = (record for record in caplog.records if record.levelno == logging.ERROR)
    assert f"failure={number} kind=KeyError" in record.getMessage()
    assert "in broken" in record.getMessage() or " broken" in record.getMessage()
    for text in (record.getMessage(), answer.text):
        assert "patient" not in text
        assert "evil" not in text
    assert b'status="500"' in metrics.text()


def test_half_an_answer_ends_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(KeyError):
        TestClient(Journal(half, Metrics())).get("/a")
    assert "kind=KeyError" in caplog.text
    assert "evil" not in caplog.text
