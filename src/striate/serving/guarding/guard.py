"""Who may ask: by which name, from which page, in which words, and with the token where one is set.

What is refused here is refused before anything of the request is read but its head.
"""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote_to_bytes

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from striate.serving.guarding.authorities import authority_of, is_own, is_same_origin, own_names
from striate.serving.guarding.tokens import Token
from striate.serving.refusals import Refusal
from striate.serving.settings import Settings

METHODS = ("GET", "HEAD", "POST", "DELETE")
SAFE = ("GET", "HEAD")
OPEN = ("/health/live", "/health/ready", "/sign-in.css", "/sign-in.js", "/style.css", "/icon.svg")
"""What is answered without a token: whether the service lives, and what the sign-in form is made of."""
SIGN_IN = Path(__file__).parents[1] / "page" / "sign-in.html"
PLAIN_PATH = re.compile(rb"(?:/[^/\\\x00-\x1f\x7f]+)*/?")
LONGEST_HEAD = 16 * 1024
"""Bytes of a request's address and headers."""
CLOSE = {"Connection": "close"}
OWN_PAGE = "The service answers its own page and programs, not the pages of other sites."


class Guard:
    """Middleware: refuses what may not be asked; the rest goes on to the routes and the page's files alike."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.names = own_names(settings)
        self.token = Token(settings.token, settings.port) if settings.token else None
        self.checks: tuple[Callable[[HTTPConnection], None], ...] = (
            require_short_head,
            require_plain_target,
            require_one_framing,
            self.require_own_name,
            require_own_page,
            require_method,
            require_no_upgrade,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http":
            request = HTTPConnection(scope)
            for check in self.checks:
                check(request)
            # A part of an answer is worth nothing here, and ranges have been used to make servers answer without end.
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] not in (b"range", b"if-range")]
            if not self.is_known(request):
                await self.sign_in(request)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def require_own_name(self, request: HTTPConnection) -> None:
        """Refusal 400 where the request names no host, 421 where it names another than this service."""
        given = request.headers.getlist("host")
        host = authority_of(given[0]) if len(given) == 1 else None
        allowed = ", ".join(map(str, self.names))
        if host is None:
            said = "The request must name the host that it is for, once."
            raise Refusal(400, said, given=shown(", ".join(given)), allowed=allowed, headers=CLOSE)
        if not is_own(host, self.names):
            raise Refusal(
                421,
                "The service is not known by this name.",
                given=shown(given[0]),
                allowed=allowed,
                advice="Start it with --host-name NAME to allow another name.",
                headers=CLOSE,
            )

    def is_known(self, request: HTTPConnection) -> bool:
        """Whether no token is asked for, or the request has it."""
        return self.token is None or request.scope["path"] in OPEN or self.token.opens(request)

    def sign_in(self, request: HTTPConnection) -> HTMLResponse:
        """The form in place of the page; Refusal 401 in place of anything else."""
        if request.scope["path"] == "/" and request.scope["method"] in SAFE:
            return HTMLResponse(SIGN_IN.read_text(encoding="utf8"), 401, {"WWW-Authenticate": "Bearer"})
        raise Refusal(
            401,
            "The service answers those who have its token.",
            allowed="Authorization: Bearer TOKEN",
            advice="Ask whoever started the service for the token; a browser signs in at /.",
            headers={"WWW-Authenticate": "Bearer", **CLOSE},
        )


def require_short_head(request: HTTPConnection) -> None:
    """Refusal 431 for headers, 414 for an address, that are longer than any client has a reason for."""
    headers = sum(len(name) + len(value) for name, value in request.scope["headers"])
    address = len(request.scope.get("raw_path") or b"") + len(request.scope["query_string"])
    allowed = f"{LONGEST_HEAD:,} bytes"
    if headers > LONGEST_HEAD:
        said = "The headers of the request are too long."
        raise Refusal(431, said, given=f"{headers:,} bytes", allowed=allowed, headers=CLOSE)
    if address > LONGEST_HEAD:
        said = "The address of the request is too long."
        raise Refusal(414, said, given=f"{address:,} bytes", allowed=allowed, headers=CLOSE)


def require_plain_target(request: HTTPConnection) -> None:
    """Refusal 400 where the target is another form than a path, or a path that hides what it leads to."""
    raw = request.scope.get("raw_path") or request.scope["path"].encode()
    plain = unquote_to_bytes(raw)
    hidden = re.search(rb"%(?:2f|5c)", raw, re.IGNORECASE)
    if hidden or not PLAIN_PATH.fullmatch(plain) or {b".", b".."} & set(plain.split(b"/")):
        raise Refusal(
            400,
            "The address is not a plain path.",
            given=shown(raw.decode("latin-1")),
            allowed="/ and names, without . or .. or slashes written as %2F",
            headers=CLOSE,
        )


def require_one_framing(request: HTTPConnection) -> None:
    """Refusal 400 where it is not clear how long the request is (RFC 9112, section 6.1)."""
    lengths, codings = (request.headers.getlist(name) for name in ("content-length", "transfer-encoding"))
    if (
        len(lengths) > 1
        or (lengths and codings)
        or not all(re.fullmatch("[0-9]{1,18}", one) for one in lengths)
    ):
        raise Refusal(
            400,
            "The request says in two ways, or in none that can be read, how long it is.",
            given=shown(", ".join([*lengths, *codings])),
            allowed="one Content-Length, or Transfer-Encoding: chunked",
            headers=CLOSE,
        )


def require_own_page(request: HTTPConnection) -> None:
    """Refusal 403 where a page of another site sends the request; to follow a link to / is no harm."""
    headers, host = request.headers, request.headers["host"]
    for origin in headers.getlist("origin"):
        if not is_same_origin(origin, host):
            raise Refusal(
                403,
                "The request comes from another site.",
                given=shown(origin),
                advice=OWN_PAGE,
                headers=CLOSE,
            )
    site = headers.get("sec-fetch-site", "none")
    # Other ports of this machine are "same-site" to a browser, and sent the cookie: they are other services.
    if site not in ("same-origin", "none") and not is_visit(request):
        said = "The request was begun by another site."
        raise Refusal(403, said, given=shown(site), allowed="same-origin", advice=OWN_PAGE, headers=CLOSE)
    referrer = headers.get("referer", "")
    unsafe = request.scope["method"] not in SAFE and "origin" not in headers
    if unsafe and referrer and not is_same_origin("/".join(referrer.split("/", 3)[:3]), host):
        raise Refusal(
            403, "The request comes from another site.", given=shown(referrer), advice=OWN_PAGE, headers=CLOSE
        )


def is_visit(request: HTTPConnection) -> bool:
    """Whether a browser opens the page itself, in a window of its own."""
    asked = (request.scope["method"], request.scope["path"])
    told = tuple(request.headers.get(f"sec-fetch-{name}", "") for name in ("mode", "dest"))
    return asked == ("GET", "/") and told == ("navigate", "document")


def require_method(request: HTTPConnection) -> None:
    """Refusal 405 for a method that no address takes, the preflight of other sites among them."""
    if request.scope["method"] not in METHODS:
        raise Refusal(
            405,
            "The service does not take this method.",
            given=shown(request.scope["method"]),
            allowed=", ".join(METHODS),
            headers={"Allow": ", ".join(METHODS), **CLOSE},
        )


def require_no_upgrade(request: HTTPConnection) -> None:
    """Refusal 400 for a connection that shall become a websocket."""
    upgrade = request.headers.get("upgrade", "")
    if "websocket" in upgrade.lower():
        said = "The service speaks HTTP alone."
        raise Refusal(400, said, given=shown(upgrade), allowed="requests without Upgrade", headers=CLOSE)


def shown(text: str) -> str:
    """What a client sent, as data of an answer: printable, and no longer than it is worth."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:200])
