"""One connection: heads that never end, readers that never read, bytes that are no HTTP: each answered or cut off."""

import asyncio
import json
import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

import h11
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol

from striate.serving.guarding.headers import ALWAYS
from striate.serving.refusals import Refusal, busy

HEAD_SECONDS = 10.0
"""For a request's head to come whole."""
READ_SECONDS = 30.0
"""For a client to read on, once an answer waits to be read."""
LINGER_SECONDS, LINGER_BYTES = 2.0, 8 << 20
"""What is read and dropped of a request after it was refused, so that its sender gets to see why."""
ROOM = 1 << 20
"""Bytes of a body that came and were not taken yet."""
SPARE = 64
"""Connections above the limit on which only /health/ is answered."""


class Lingering(asyncio.Transport):
    """A transport that, closed while its peer still sends, ends its own side first and the rest a little later.

    To close at once would reset the connection, and an answer that was not read yet would be lost with it
    (RFC 9112, section 9.6).
    """

    def __init__(self, transport: asyncio.Transport, peer_sends: Callable[[], bool]) -> None:
        super().__init__()
        self._transport, self._peer_sends = transport, peer_sends
        self.get_extra_info, self.abort = transport.get_extra_info, transport.abort
        self.pause_reading, self.resume_reading = transport.pause_reading, transport.resume_reading
        self.lingers = False
        self._dropped = 0

    def is_closing(self) -> bool:
        return self.lingers or self._transport.is_closing()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.lingers:
            self._transport.write(data)

    def close(self) -> None:
        if self.is_closing():
            return
        if not self._peer_sends():
            self._transport.close()
            return
        self.lingers = True
        self._transport.write_eof()
        self._transport.resume_reading()
        asyncio.get_running_loop().call_later(LINGER_SECONDS, self._transport.abort)

    def drop(self, size: int) -> None:
        """Count what came after the end."""
        self._dropped += size
        if self._dropped > LINGER_BYTES:
            self._transport.abort()


class Flow(FlowControl):
    """uvicorn's flow control, which goes on reading a body while there is room: stopping costs more than it saves."""

    def __init__(self, transport: asyncio.Transport, has_room: Callable[[], bool]) -> None:
        super().__init__(transport)
        self.has_room = has_room

    def pause_reading(self) -> None:
        if not self.has_room():
            super().pause_reading()


class Connection(H11Protocol):
    """uvicorn's HTTP/1.1 connection, with an end to whatever a client can draw out.

    Above `most` connections only /health/ is answered; above that and a few more, none.
    """

    def __init__(self, *, most: int, crowded: Any, **given: Any) -> None:
        super().__init__(**given)
        self.most, self.crowded = most, crowded
        self._patience: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        lingering = Lingering(transport, self.peer_sends)
        super().connection_made(lingering)
        self.flow = Flow(self.transport, self.has_room)
        if len(self.connections) > self.most + SPARE:
            self.refuse(busy("There are as many connections as may be."))
        elif len(self.connections) > self.most:
            self.app = self.crowded
        self.await_head()

    def peer_sends(self) -> bool:
        """Whether more of a request is to come, or may be."""
        return self.conn.their_state in (h11.SEND_BODY, h11.ERROR)

    def has_room(self) -> bool:
        """Whether more of a body may come before the last part was taken."""
        return self.conn.their_state is h11.SEND_BODY and len(self.cycle.body) < ROOM

    def data_received(self, data: bytes) -> None:
        if cast("Lingering", self.transport).lingers:
            cast("Lingering", self.transport).drop(len(data))
            return
        super().data_received(data)
        self.await_head()

    def await_head(self) -> None:
        """Be patient for a while with a head that is not there, and no more once it is."""
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            if self._patience is None:
                self._patience = self.loop.call_later(HEAD_SECONDS, self.give_up)
        elif self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def give_up(self) -> None:
        """408 for half a head; a connection on which nothing ever came is closed without a word."""
        self._patience = None
        if self.conn.their_state is not h11.IDLE:
            return
        if self.conn.trailing_data[0]:
            allowed = f"a whole head within {HEAD_SECONDS:g} s"
            self.refuse(Refusal(408, "The head of the request came too slowly.", allowed=allowed))
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is refused in the same form as anything else."""
        error = sys.exc_info()[1]
        status = getattr(error, "error_status_hint", 400)
        said = {431: "The head of the request is too long."}.get(
            status, "This is no HTTP request that can be read."
        )
        self.refuse(Refusal(status, said, allowed="HTTP/1.1, as RFC 9112 has it"))

    def refuse(self, refusal: Refusal) -> None:
        """Answer without any application, and close; a request under way on this connection ends."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started:
                self.transport.abort()
                return
        self.transport.write(raw_answer(refusal))
        self.transport.close()

    def on_response_complete(self) -> None:
        """A request that was answered before it was read whole is not read on."""
        if self.conn.their_state is h11.SEND_BODY:
            self.transport.close()
        super().on_response_complete()
        self.await_head()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reading = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._patience, self._reading):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)


def raw_answer(refusal: Refusal) -> bytes:
    """A refusal as the bytes of a whole HTTP answer, after which the connection closes."""
    body = json.dumps(refusal.to_dict()).encode()
    headers = {
        **ALWAYS,
        "Cache-Control": "no-store",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **refusal.headers,
        "Connection": "close",
    }
    lines = [f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
