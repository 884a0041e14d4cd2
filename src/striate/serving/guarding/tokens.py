"""The token that opens the service to other machines, and the cookie that the page has in its place.

A program sends `Authorization: Bearer TOKEN` (RFC 6750). A browser's page cannot do so for its pictures and modules:
its sign-in form sends the token once in that header to `POST /session`, and the cookie it then has is `HttpOnly` and
`SameSite=Strict`, is not the token, and is worth nothing once this process has ended. The token never stands in an
address, a log or a command line.
"""

import hashlib
import hmac
import secrets

from starlette.requests import HTTPConnection

SHORTEST = 16
"""Characters of a token."""
PROCESS = secrets.token_bytes(32)


class Token:
    """What a request must show.

    >>> Token("correct horse battery", 8808).cookie_name
    'striate-8808'
    """

    def __init__(self, secret: str, port: int) -> None:
        self._digest = digest_of(secret)
        self.cookie = hmac.new(PROCESS, secret.encode(), hashlib.sha256).hexdigest()
        # Browsers tell ports of one machine apart by nothing but a cookie's name.
        self.cookie_name = f"striate-{port}"

    def opens(self, request: HTTPConnection) -> bool:
        """Whether a request has the token, or the cookie; compared in constant time."""
        return self._borne(request) or self._signed_in(request)

    def _borne(self, request: HTTPConnection) -> bool:
        given = request.headers.getlist("authorization")
        kind, _, secret = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        return kind.lower() == "bearer" and hmac.compare_digest(digest_of(secret.strip()), self._digest)

    def _signed_in(self, request: HTTPConnection) -> bool:
        given = request.cookies.get(self.cookie_name, "")
        return hmac.compare_digest(digest_of(given), digest_of(self.cookie))


def digest_of(secret: str) -> bytes:
    """A digest, so that comparing tells nothing of a length either."""
    return hashlib.sha256(secret.encode("utf8", "surrogateescape")).digest()
