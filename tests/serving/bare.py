"""Requests as bytes on a socket: what no client library would send."""

import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any

SAID_ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@dataclass(frozen=True)
class Answer:
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        """What a refusal says."""
        return json.loads(self.body)["error"]


def port_of(url: str) -> int:
    """The port of a service's address."""
    return int(url.rsplit(":", 1)[1])


def head(line: str, headers: dict[str, str] | list[tuple[str, str]], port: int) -> bytes:
    """A request line and headers as bytes, with the service's own name where none is given; {port} is filled in."""
    pairs = list(headers.items()) if isinstance(headers, dict) else headers
    if not any(name.lower() == "host" for name, _ in pairs):
        pairs = [("Host", "127.0.0.1:{port}"), *pairs]
    lines = [f"{line} HTTP/1.1", *(f"{name}: {value}" for name, value in pairs if value is not None)]
    return "\r\n".join([*lines, "", ""]).replace("{port}", str(port)).encode("latin-1")


def ask(port: int, request: bytes, wait: float = 15.0) -> Answer:
    """The first answer to whatever bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as line:
        line.sendall(request)
        return read(line)


def read(line: socket.socket, method: str = "GET") -> Answer:
    """One answer from a socket."""
    answer = http.client.HTTPResponse(line, method=method)
    answer.begin()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return Answer(answer.status, headers, answer.read())


def is_guarded(answer: Answer) -> None:
    """Every answer, whatever it is, tells the browser to run nothing else, and allows no other site anything."""
    for name, value in SAID_ALWAYS.items():
        assert answer.headers.get(name) == value, (name, answer)
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert "server" not in answer.headers


def is_refusal(answer: Answer) -> None:
    """A refusal is JSON that says what was given, allowed and to try, and shows nothing of the machine."""
    is_guarded(answer)
    assert 400 <= answer.status < 600, answer
    assert answer.headers["content-type"].startswith("application/json"), answer
    error = json.loads(answer.body)["error"]
    told = error if isinstance(error, dict) else json.loads(answer.body)["details"]
    assert set(told) == {"said", "given", "allowed", "try"}
    assert told["said"].endswith("."), told
    for word in (b"Traceback", b"site-packages", b'File "', b"/work/", b"/home/", b"/tmp/"):
        assert word not in answer.body, answer
