"""Clients of a service, good and hostile, in one process of their own: `python -m bench.serving_clients`.

It reads one JSON object (port, seconds, how many of which, pictures with what is known of them) and prints one.
"""

import asyncio
import base64
import contextlib
import json
import sys
import time
from collections import Counter
from typing import Any

from bench.serving_attacks import Attack, attacks

TOLERANCE = 1e-5
"""Of a probability, between the engine that answers and the run's own."""
PATIENCE = 40.0


class Tally:
    """What came of all requests."""

    def __init__(self) -> None:
        self.milliseconds: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.attacks: dict[str, Counter[str]] = {}

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self), "attacks": {name: dict(found) for name, found in self.attacks.items()}}


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bool]:
    """Status and body of one answer, and whether the connection ends with it."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
    body = await reader.readexactly(int(lines.get(b"content-length", b"0")))
    return int(head.split(b" ", 2)[1]), body, lines.get(b"connection") == b"close"


async def good(port: int, pictures: list[dict[str, Any]], end: float, tally: Tally, offset: int) -> None:
    """Ask for one picture after the other on one connection, and compare every answer, while anybody listens."""
    number, line = offset, None
    while time.monotonic() < end:
        try:
            reader, writer = line or await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return
        known = pictures[number % len(pictures)]
        begun = time.perf_counter()
        try:
            writer.write(known["request"])
            status, body, closes = await asyncio.wait_for(read_answer(reader), PATIENCE)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            tally.statuses["no answer" if isinstance(error, TimeoutError) else "cut off"] += 1
            line = None
            continue
        line = None if closes else (reader, writer)
        tally.statuses[str(status)] += 1
        if status == 200:
            tally.milliseconds.append((time.perf_counter() - begun) * 1000)
            compare(json.loads(body)["answers"][0], known, tally)
        elif status == 503:
            await asyncio.sleep(0.2)
        number += 1


def compare(answer: dict[str, Any], known: dict[str, Any], tally: Tally) -> None:
    """Note an answer that is not the known one."""
    apart = max(abs(answer["probabilities"][name] - value) for name, value in known["probabilities"].items())
    if answer["class"] != known["class"] or apart > TOLERANCE:
        tally.wrong.append(f"{known['name']}: {answer['class']} for {known['class']}, {apart:.1g} apart")


async def hostile(port: int, end: float, tally: Tally, offset: int) -> None:
    """Attack after attack, each on a connection of its own, while anybody listens."""
    every = list(attacks().items())
    number = offset
    while time.monotonic() < end:
        name, attack = every[number % len(every)]
        try:
            found = await one_attack(port, attack)
        except OSError:
            return
        tally.attacks.setdefault(name, Counter())[found] += 1
        number += 1


async def one_attack(port: int, attack: Attack) -> str:
    """How an attack ended: a status, or in what way else."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sender = asyncio.create_task(send(writer, attack, port))
    try:
        status, _, _ = await asyncio.wait_for(read_answer(reader), PATIENCE)
        return str(status)
    except TimeoutError:
        return "no answer"
    except (OSError, asyncio.IncompleteReadError) as error:
        return type(error).__name__
    finally:
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)
        await close(writer)


async def close(writer: asyncio.StreamWriter) -> None:
    """End a connection, whatever is still to be sent."""
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def send(writer: asyncio.StreamWriter, attack: Attack, port: int) -> None:
    """Everything that an attack sends, until the service ends it."""
    writer.write(attack.head(port) + attack.body)
    if attack.sending is not None:
        async for block in attack.sending():
            writer.write(block)
            await writer.drain()


def request_of(port: int, content: bytes) -> bytes:
    """The whole of a good request."""
    head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


async def load(told: dict[str, Any]) -> Tally:
    """All clients at once, for so many seconds."""
    port, end, tally = told["port"], time.monotonic() + told["seconds"], Tally()
    pictures = [
        {**one, "request": request_of(port, base64.b64decode(one["content"]))} for one in told["pictures"]
    ]
    await asyncio.gather(
        *(good(port, pictures, end, tally, number) for number in range(told["good"])),
        *(hostile(port, end, tally, 3 * number) for number in range(told["hostile"])),
    )
    return tally


if __name__ == "__main__":
    print(json.dumps(asyncio.run(load(json.load(sys.stdin))).to_dict()))
