"""uvicorn's server with this service's connections and its end: nobody is cut off who can still be answered."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from striate.serving.app import create_app
from striate.serving.guarding.authorities import EVERYWHERE, address_name
from striate.serving.guarding.connection import Connection
from striate.serving.guarding.headers import Headers
from striate.serving.guarding.limits import ALWAYS_ANSWERED
from striate.serving.guarding.saying import said
from striate.serving.refusals import Refusal
from striate.serving.service import Service
from striate.serving.settings import Settings

KEEP_ALIVE = 5
"""Seconds that a connection is kept for a next request."""
DRAINING, CLOSING, FIRST, FINISHING = 0.3, 0.2, 2.0, 6
"""Seconds after a signal in which new connections are taken and told 503, in which those already taken still are, at
most those that have not asked yet, and in which what is under way is answered."""


class Server(uvicorn.Server):
    """A service that listens until `should_exit`; `failure` says why it could not begin.

    `ready` is told once, when the run is loaded or there is none to load.
    """

    def __init__(self, service: Service, ready: Callable[[dict[str, Any]], None]) -> None:
        self.service, self.ready = service, ready
        self.failure: str | None = None
        super().__init__(config_of(create_app(service), service))

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Listen, and say so when answers can be had."""
        await super().startup(sockets)
        self.saying = asyncio.create_task(self.say_ready())

    async def say_ready(self) -> None:
        """Tell `ready`, or end where the run cannot be loaded."""
        service = self.service
        while service.state == "loading":
            await asyncio.sleep(0.02)
        if service.state == "failed":
            self.failure, self.should_exit = service.reason, True
            return
        self.ready(
            {
                "url": url_of(service.settings),
                "run": None if service.run is None else str(service.run),
                "state": service.state,
                "engine": None if service.responder is None else service.responder.engine,
            }
        )

    async def shutdown(self, sockets: list[Any] | None = None) -> None:
        """Tell whoever asks now to come back, then stop listening and answer what is under way."""
        self.service.draining = True
        await asyncio.sleep(DRAINING)
        await self.stop_listening(sockets or [])
        await super().shutdown(sockets)
        await self.let_go()

    async def stop_listening(self, sockets: list[Any]) -> None:
        """Take the connections that wait already, no more, and let each have the answer to its first request."""
        loop = asyncio.get_running_loop()
        waiting = [taken for one in sockets for taken in waiting_at(one)]
        for server in self.servers:
            server.close()
        for taken in waiting:
            await loop.connect_accepted_socket(self.connection, taken)
        end = loop.time() + FIRST
        await asyncio.sleep(CLOSING)
        while loop.time() < end and any(is_new(one) for one in self.server_state.connections):
            await asyncio.sleep(CLOSING)

    def connection(self) -> asyncio.Protocol:
        """What answers on a connection that was taken by hand."""
        given = {"config": self.config, "server_state": self.server_state, "app_state": self.lifespan.state}
        return self.config.http_protocol_class(**given)

    async def let_go(self) -> None:
        """Give those who were told that it ends a moment to read it, and close every connection."""
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=CLOSING)
        if self.server_state.connections:
            await asyncio.sleep(CLOSING)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs the server."""
        yield


def is_new(connection: object) -> bool:
    """Whether nothing was asked on a connection yet."""
    return isinstance(connection, Connection) and connection.cycle is None


def waiting_at(listening: socket.socket) -> Iterator[socket.socket]:
    """The connections that wait to be taken: to close the socket would cut them off."""
    with contextlib.suppress(BlockingIOError):
        while True:
            taken, _ = listening.accept()
            taken.setblocking(False)
            yield taken


def config_of(app: ASGIApp, service: Service) -> uvicorn.Config:
    """What uvicorn is told: HTTP/1.1 alone, nothing of a proxy's headers believed, and no log of its own."""
    crowded = Headers(only_health(app), service)
    connection = partial(Connection, most=service.settings.max_connections, crowded=crowded)
    return uvicorn.Config(
        app,
        http=cast("type[asyncio.Protocol]", connection),
        ws="none",
        loop="asyncio",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        log_level=logging.CRITICAL,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=FINISHING,
    )


def only_health(app: ASGIApp) -> ASGIApp:
    """The application of a connection above the limit: whether the service lives, and 503 for anything else."""

    async def crowded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(ALWAYS_ANSWERED):
            await app(scope, receive, send)
            return
        headers = {"Retry-After": "1", "Connection": "close"}
        refusal = Refusal(
            503, "There are as many connections as may be.", advice="Ask again in a second.", headers=headers
        )
        await said(scope["path"], refusal)(scope, receive, send)

    return crowded


def url_of(settings: Settings) -> str:
    """Where a browser on this machine finds the service, or on another by the first name that it was given.

    >>> url_of(Settings()), url_of(Settings(host="0.0.0.0", host_names=("scan.example.org",)))
    ('http://127.0.0.1:8808', 'http://scan.example.org:8808')
    """
    name = settings.host_names[0] if settings.host in EVERYWHERE else address_name(settings.host)
    return f"http://{name}" if ":" in name.rpartition("]")[2] else f"http://{name}:{settings.port}"
