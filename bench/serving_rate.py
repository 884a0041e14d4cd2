"""One load, in a process of its own: `python -m bench.serving_rate < JSON`.

It reads `{port, path, headers, bodies (base64), connections, requests}`, sends the bodies by turns on so many
connections, and prints `{seconds, milliseconds: [...], answers: [...]}`, answers only where `keep` is given.
"""

import asyncio
import base64
import json
import sys
import time
from typing import Any


async def read_body(reader: asyncio.StreamReader) -> bytes:
    """The body of one answer that must be 200, whether its length is told or it comes in chunks."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise SystemExit(f"the answer was {head.splitlines()[0]!r}")
    for line in head.split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return await reader.readexactly(int(line.split(b":")[1]))
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
    return body


async def main(asked: dict[str, Any]) -> dict[str, Any]:
    """Send everything; how long it took, and each request."""
    bodies = [base64.b64decode(one) for one in asked["bodies"]]
    head = f"POST {asked['path']} HTTP/1.1\r\nHost: 127.0.0.1:{asked['port']}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in asked["headers"].items())
    requests = [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies]
    milliseconds = [0.0] * asked["requests"]
    answers: list[Any] = [None] * asked["requests"]
    numbers = iter(range(asked["requests"]))

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", asked["port"])
        for number in numbers:
            begun = time.perf_counter()
            writer.write(requests[number % len(requests)])
            body = await read_body(reader)
            milliseconds[number] = (time.perf_counter() - begun) * 1000
            if asked.get("keep"):
                answers[number] = json.loads(body)
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(connection() for _ in range(asked["connections"])))
    return {"seconds": time.perf_counter() - begun, "milliseconds": milliseconds, "answers": answers}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(json.load(sys.stdin)))))
