"""One line a request in the log: method, route, status and time, never a word that the client chose.

It is also where whatever nobody foresaw becomes a 500 with a number, and where refusals of the guard are answered.
"""

import asyncio
import logging
import time
import traceback
import uuid

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from striate.serving.guarding.guard import CLOSE, METHODS
from striate.serving.guarding.saying import said
from striate.serving.metrics import Metrics
from striate.serving.refusals import Refusal

LOG = logging.getLogger("striate.serving")
LEFT = 499
"""Status in the log of a request whose client left before it was answered."""


class Journal:
    """Middleware: counts and logs every request; an error ends as an answer, and its place in the log."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 0

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, seen)
        except asyncio.CancelledError:
            if not status:
                await said(scope["path"], ended())(scope, receive, seen)
            raise
        except Exception as error:
            if status:  # half an answer cannot be taken back: the connection ends
                log_error(error)
                raise
            await answer_to(scope["path"], error)(scope, receive, seen)
        finally:
            self.record(scope, status or LEFT, time.perf_counter() - begun)

    def record(self, scope: Scope, status: int, seconds: float) -> None:
        """A line in the log, and in the counters."""
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = route_of(scope)
        self.metrics.requests.labels(method, route, str(status)).inc()
        self.metrics.seconds.labels(route).observe(seconds)
        LOG.info("method=%s route=%s status=%d ms=%.1f", method, route, status, seconds * 1000)


def route_of(scope: Scope) -> str:
    """The address as the service wrote it, such as /v2/models/{name}; "page" for files, "refused" before any."""
    route = getattr(scope.get("route"), "path", None)
    return route or ("page" if "endpoint" in scope else "refused")


def answer_to(path: str, error: Exception) -> JSONResponse:
    """A refusal as it stands; 500 and a number for anything else, and nothing of what went wrong."""
    if not isinstance(error, Refusal):
        number = log_error(error)
        sentence = f"The service failed; its log says more under {number}."
        error = Refusal(500, sentence, advice="Report it with that number.")
    return said(path, error)


def ended() -> Refusal:
    """503: what was under way did not come to its end in the time that a service which is told to end has."""
    return Refusal(503, "The service ended before this was answered.", headers={"Retry-After": "10", **CLOSE})


def log_error(error: BaseException) -> str:
    """Where an error arose and of which kind, under a number; its words may be a client's, and stay out of the log."""
    number = uuid.uuid4().hex[:12]
    trace = traceback.extract_tb(error.__traceback__)
    places = [f"{place.filename}:{place.lineno} {place.name}" for place in trace]
    LOG.error("failure=%s kind=%s\n    %s", number, type(error).__qualname__, "\n    ".join(places))
    return number
