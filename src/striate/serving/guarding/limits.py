"""How much of a request is taken, and for how long: its body is here, whole and counted, before a route begins.

A sender who is slow, or never ends, thus holds neither a thread nor a place in the queue.
"""

import asyncio
from typing import NoReturn

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from striate.serving.guarding.guard import CLOSE
from striate.serving.refusals import Refusal
from striate.serving.service import Service

ALWAYS_ANSWERED = "/health/"
GRACE = 5.0
"""Seconds before a body's pace is looked at."""
PLACES = 16
"""Requests with a body that are under way at once. The loop goes round in the time that so many take, and whether the
service lives is answered once a round or so."""
SLOWEST = 16 * 1024
"""Bytes a second that a body must come at from then on."""


class Limits:
    """Middleware: 413 for a body too large, 408 for one too slow, 503 where all bodies together are too many.

    `/health/` is answered whatever else goes on.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app, self.service = app, service
        self.places = asyncio.Semaphore(PLACES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(ALWAYS_ANSWERED):
            await self.app(scope, receive, send)
            return
        if self.service.draining:
            raise Refusal(503, "The service is stopping.", headers={"Retry-After": "10", **CLOSE})
        body = Body(self.service, receive)
        try:
            if not await body.collect(Headers(scope=scope)):
                return
            if scope["method"] != "POST":  # nothing is worked out, and events may last for hours
                await self.app(scope, body.replay, send)
                return
            async with self.places:
                await self.app(scope, body.replay, send)
        finally:
            body.release()


class Body:
    """The body of one request, while the service holds it."""

    def __init__(self, service: Service, receive: Receive) -> None:
        self.service, self.settings, self.receive = service, service.settings, receive
        self.parts: list[bytes] | None = []
        self.size = 0

    async def collect(self, headers: Headers) -> bool:
        """Take the body in; False where the client left meanwhile, Refusal 408, 413 or 503 where it may not."""
        announced = int(headers.get("content-length", "0"))
        if announced > self.settings.max_body:
            self.too_large(f"{announced:,} bytes")
        coming = announced > 0 or "transfer-encoding" in headers
        start = asyncio.get_running_loop().time()
        while coming:
            message = await self.next_part(start)
            if message["type"] == "http.disconnect":
                return False
            self.add(message.get("body", b""))
            coming = message.get("more_body", False)
        return True

    async def next_part(self, start: float) -> Message:
        """What comes next, if it comes in time."""
        seconds = min(self.settings.timeout, GRACE + self.size / SLOWEST)
        try:
            async with asyncio.timeout_at(start + seconds):
                return await self.receive()
        except TimeoutError:
            raise Refusal(
                408,
                "The request came too slowly.",
                given=f"{self.size:,} bytes in {seconds:.0f} s",
                allowed=f"{SLOWEST:,} bytes a second, and all within {self.settings.timeout:g} s",
                headers=CLOSE,
            ) from None

    def add(self, part: bytes) -> None:
        """Count and keep a part."""
        if self.size + len(part) > self.settings.max_body:
            self.too_large(f"more than {self.settings.max_body:,} bytes")
        self.service.hold(len(part))
        self.size += len(part)
        if part and self.parts is not None:
            self.parts.append(part)

    def too_large(self, given: str) -> NoReturn:
        raise Refusal(
            413,
            "The request is too large.",
            given=given,
            allowed=f"{self.settings.max_body:,} bytes",
            advice="Send fewer pictures at once, or start the service with a larger --max-body.",
            headers=CLOSE,
        )

    async def replay(self) -> Message:
        """The body to the route in one message; afterwards whatever else the connection says."""
        if self.parts is None:
            return await self.receive()
        body, self.parts = b"".join(self.parts), None
        return {"type": "http.request", "body": body, "more_body": False}

    def release(self) -> None:
        """The bytes are held no more."""
        self.service.release(self.size)
        self.parts = None
