"""Who may ask, by which name and from which page: a table of what browsers, other sites and worse can send."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from bare import ask, head, is_guarded, is_refusal, port_of, read
from serving_kit import live

EVIL = "http://evil.example"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": "3"}
TOKEN = "correct-horse-battery-staple"
VISIT = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@dataclass(frozen=True)
class Case:
    """A request line with headers, what must come of it, and a word of the reason."""

    name: str
    line: str
    headers: dict[str, str] | list[tuple[str, str]] = field(default_factory=dict)
    status: int = 200
    word: str = ""
    body: bytes = b""


CASES = (
    # The name that is asked for
    Case("name localhost", "GET /model", {"Host": "localhost:{port}"}),
    Case("name 127.0.0.1", "GET /model", {"Host": "127.0.0.1:{port}"}),
    Case("name in capitals", "GET /model", {"Host": "LOCALHOST:{port}"}),
    Case("name of IPv6 loopback", "GET /model", {"Host": "[::1]:{port}"}),
    Case("another name", "GET /model", {"Host": "evil.example"}, 421, "not known by this name"),
    Case("rebound name", "GET /", {"Host": "127.0.0.1.evil.example:{port}"}, 421, "not known by this name"),
    Case("another port", "GET /model", {"Host": "localhost:1"}, 421, "not known by this name"),
    Case("no port", "GET /model", {"Host": "localhost"}, 421, "not known by this name"),
    Case("another name for a file", "GET /main.js", {"Host": "evil.example"}, 421, "not known by this name"),
    Case("no name", "GET /model", {"Host": ""}, 400, "must name the host"),
    Case("a name that is none", "GET /model", {"Host": "a b"}, 400, "must name the host"),
    Case("a user in the name", "GET /model", {"Host": "me@localhost:{port}"}, 400, "must name the host"),
    Case("two names", "GET /model", [("Host", "localhost:{port}"), ("Host", "evil.example")], 400, "no HTTP"),
    Case(
        "a proxy's word for the name",
        "GET /model",
        {"Host": "evil.example", "X-Forwarded-Host": "localhost"},
        421,
    ),
    # The page that asks
    Case("own page", "GET /model", {"Origin": "http://127.0.0.1:{port}"}),
    Case("own page behind https", "GET /model", {"Origin": "https://127.0.0.1:{port}"}),
    Case(
        "own page by another name", "GET /model", {"Origin": "http://localhost:{port}"}, 403, "another site"
    ),
    Case("another site", "POST /predict", {"Origin": EVIL}, 403, "another site"),
    Case("null", "POST /predict", {"Origin": "null"}, 403, "another site"),
    Case("empty origin", "POST /predict", {"Origin": ""}, 403, "another site"),
    Case("another port's page", "GET /model", {"Origin": "http://127.0.0.1:1"}, 403, "another site"),
    Case("origin that begins alike", "GET /model", {"Origin": "http://127.0.0.1:{port}.evil.example"}, 403),
    Case("another scheme", "GET /model", {"Origin": "file://127.0.0.1:{port}"}, 403, "another site"),
    Case(
        "two origins",
        "GET /model",
        [("Origin", "http://127.0.0.1:{port}"), ("Origin", EVIL)],
        403,
        "another site",
    ),
    Case("form post", "POST /predict", {**FORM, "Sec-Fetch-Site": "cross-site"}, 403, "another site", b"a=1"),
    Case(
        "form post of an old browser",
        "POST /predict",
        {**FORM, "Referer": f"{EVIL}/form"},
        403,
        "another",
        b"a=1",
    ),
    Case("fetch by another port's page", "GET /model", {"Sec-Fetch-Site": "same-site"}, 403, "another site"),
    Case("picture in another page", "GET /icon.svg", {"Sec-Fetch-Site": "cross-site"}, 403, "another site"),
    Case("a link to the page", "GET /", VISIT),
    Case("a link to anything else", "GET /model", VISIT, 403, "another site"),
    Case("the page in a frame", "GET /", {**VISIT, "Sec-Fetch-Dest": "iframe"}, 403, "another site"),
    Case("a post that navigates", "POST /", VISIT, 403, "another site"),
    Case("typed by the user", "GET /model", {"Sec-Fetch-Site": "none"}),
    Case("preflight of another site", "OPTIONS /predict", {"Origin": EVIL}, 403, "another site"),
    Case("preflight", "OPTIONS /predict", {"Access-Control-Request-Method": "POST"}, 405, "this method"),
    # Methods and upgrades
    Case("trace", "TRACE /model", {}, 405, "this method"),
    Case("put", "PUT /model", {}, 405, "this method"),
    Case("a method that is none", "FOO /model", {}, 405, "this method"),
    Case("a method in a header", "GET /session", {"X-HTTP-Method-Override": "DELETE"}, 204),
    Case("websocket", "GET /model", {"Connection": "Upgrade", "Upgrade": "websocket"}, 400, "HTTP alone"),
    Case("connect", "CONNECT evil.example:443", {}, 400, "not a plain path"),
    # Targets
    Case("absolute target", f"GET {EVIL}/model", {}, 400, "not a plain path"),
    Case("absolute target of its own", "GET http://127.0.0.1:{port}/model", {}, 400, "not a plain path"),
    Case("asterisk", "OPTIONS *", {}, 400, "not a plain path"),
    Case("two slashes", "GET //evil.example/", {}, 400, "not a plain path"),
    Case("path upwards", "GET /draw/../../settings.py", {}, 400, "not a plain path"),
    Case("path upwards, encoded", "GET /draw/%2e%2e/%2E%2E/settings.py", {}, 400, "not a plain path"),
    Case("encoded slashes", "GET /draw/..%2f..%2fsettings.py", {}, 400, "not a plain path"),
    Case("backslashes", "GET /draw/..%5c..%5csettings.py", {}, 400, "not a plain path"),
    Case("encoded twice", "GET /draw/%252e%252e/settings.py", {}, 404, "nothing under this address"),
    Case("null byte", "GET /main.js%00.html", {}, 400, "not a plain path"),
    Case("a line break in the path", "GET /model%0d%0aSet-Cookie:%20a=b", {}, 400, "not a plain path"),
    Case("a folder of the page", "GET /draw/", {}, 404, "nothing under this address"),
    # Headers
    Case("a line break in a header", "GET /model", {"X-A": "b\nSet-Cookie: a=b"}),
    Case(
        "two lengths",
        "POST /predict",
        [("Content-Length", "1"), ("Content-Length", "2")],
        400,
        "no HTTP request",
    ),
    Case(
        "length and chunks",
        "POST /predict",
        {"Content-Length": "1", "Transfer-Encoding": "chunked"},
        400,
        "two ways",
    ),
    Case("another coding", "POST /predict", {"Transfer-Encoding": "gzip, chunked"}, 501, "no HTTP request"),
    Case("a length that is none", "POST /predict", {"Content-Length": "-1"}, 400, "no HTTP request"),
    Case("headers without end", "GET /model", {"X-A": "b" * 70_000}, 431, "too long"),
    Case("address without end", f"GET /model?{'a' * 17_000}", {}, 414, "too long"),
    Case("cookies of others", "GET /model", {"Cookie": 'striate-{port}="a; b=c; ;;=;'}),
    Case("many ranges", "GET /main.js", {"Range": f"bytes={','.join(f'{n}-{n}' for n in range(500))}"}),
    Case("ranges that are none", "GET /main.js", {"Range": "bytes=9-1"}),
)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a service without a token."""
    with live() as url:
        yield port_of(url)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_who_may_ask(case: Case, port: int) -> None:
    answer = ask(port, head(case.line.replace("{port}", str(port)), case.headers, port) + case.body)
    assert answer.status == case.status, answer
    is_guarded(answer)
    assert "set-cookie" not in answer.headers
    if case.status >= 400:
        is_refusal(answer)
        assert case.word in answer.error["said"], answer


def test_what_is_no_http_is_refused_in_the_same_form(port: int) -> None:
    for request in (
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /\r\n\r\n",
        b"\r\n" * 9 + b"x\r\n\r\n",
    ):
        answer = ask(port, request + b"\r\n\r\n")
        is_refusal(answer)
        assert answer.status == 400
        assert answer.headers["connection"] == "close"


def test_a_name_of_its_own_goes_with_any_port() -> None:
    with live(host_names=("scan.example.org", "other.example.org:9"), token=TOKEN) as url:
        port = port_of(url)
        borne = {"Authorization": f"Bearer {TOKEN}"}
        for name, status in {
            "scan.example.org": 200,
            "scan.example.org:443": 200,
            "SCAN.example.org": 200,
            "other.example.org:9": 200,
            "other.example.org": 421,
            "example.org": 421,
        }.items():
            assert ask(port, head("GET /model", {"Host": name, **borne}, port)).status == status, name


def test_a_service_without_a_token_sets_no_cookie(port: int) -> None:
    answer = ask(port, head("POST /session", {"Content-Length": "0"}, port))
    is_refusal(answer)
    assert (answer.status, "set-cookie" in answer.headers) == (409, False)


def test_head_of_the_page(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(head("HEAD /", {}, port))
        assert read(line, "HEAD").status == 200


def test_there_are_as_many_cases_as_were_promised() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 24
