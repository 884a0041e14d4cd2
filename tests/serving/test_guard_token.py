"""The token that opens the service, the cookie that a browser has in its place, and what neither of them opens."""

from collections.abc import Iterator

import pytest
from bare import Answer, ask, head, is_guarded, is_refusal, port_of
from serving_kit import live

EVIL = "http://evil.example"
TOKEN = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def locked() -> Iterator[int]:
    """The port of a service with a token."""
    with live(token=TOKEN) as url:
        yield port_of(url)


def known(port: int, **headers: str) -> int:
    """The status of a request with these headers."""
    answer = ask(
        port, head("GET /model", {name.replace("_", "-"): value for name, value in headers.items()}, port)
    )
    is_guarded(answer)
    if answer.status >= 400:
        is_refusal(answer)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert TOKEN.encode() not in answer.body
    return answer.status


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("", 401),
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        (f"Basic {TOKEN}", 401),
        (TOKEN, 401),
        ("Bearer", 401),
        ("Bearer \xe9", 401),
    ],
)
def test_the_token(given: str, status: int, locked: int) -> None:
    assert known(locked, Authorization=given) == status


def test_two_tokens_are_none(locked: int) -> None:
    pairs = [("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer other")]
    assert ask(locked, head("GET /model", pairs, locked)).status == 401


@pytest.mark.parametrize(
    "line",
    [
        "GET /main.js",
        "GET /metrics",
        "GET /openapi.json",
        "POST /predict",
        "POST /session",
        "GET /nothing",
        f"GET /model?token={TOKEN}",
    ],
)
def test_nothing_is_answered_without_the_token(line: str, locked: int) -> None:
    answer = ask(locked, head(line, {}, locked))
    is_refusal(answer)
    assert answer.status == 401


def test_health_and_the_form_to_sign_in_need_no_token(locked: int) -> None:
    for line in ("GET /health/live", "GET /health/ready", "GET /sign-in.js", "GET /sign-in.css"):
        assert ask(locked, head(line, {}, locked)).status == 200, line
    page = ask(locked, head("GET /", {"Sec-Fetch-Mode": "navigate"}, locked))
    is_guarded(page)
    assert (page.status, page.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert b'type="password"' in page.body
    assert b"onclick" not in page.body
    assert b"main.js" not in page.body


def session(port: int) -> tuple[str, Answer]:
    """The cookie of a browser that has signed in, and the answer that set it."""
    answer = ask(
        port, head("POST /session", {"Authorization": f"Bearer {TOKEN}", "Content-Length": "0"}, port)
    )
    return answer.headers["set-cookie"].split(";")[0], answer


def test_a_browser_signs_in_with_a_cookie_that_is_not_the_token(locked: int) -> None:
    cookie, answer = session(locked)
    assert answer.status == 204
    flags = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= flags
    assert cookie.startswith(f"striate-{locked}=")
    assert TOKEN not in cookie
    assert known(locked, Cookie=cookie) == 200
    assert known(locked, Cookie=cookie[:-1]) == 401
    assert known(locked, Cookie=f"striate-{locked}={TOKEN}") == 401
    assert known(locked, Cookie=cookie.replace(str(locked), "1")) == 401


def test_the_cookie_opens_nothing_to_other_pages(locked: int) -> None:
    cookie, _ = session(locked)
    for headers in (
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
        {"Referer": f"{EVIL}/"},
    ):
        answer = ask(
            locked, head("POST /predict", {"Cookie": cookie, "Content-Length": "0", **headers}, locked)
        )
        assert answer.status == 403, headers


def test_signing_out_takes_the_cookie_back(locked: int) -> None:
    cookie, _ = session(locked)
    answer = ask(locked, head("DELETE /session", {"Cookie": cookie}, locked))
    assert answer.status == 204
    assert "max-age=0" in answer.headers["set-cookie"].lower()
