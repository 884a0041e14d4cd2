"""What a hostile client does to the service: a name, what it sends, and how; every one must end as a 4xx."""

import asyncio
import io
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

Sending = Callable[[], AsyncIterator[bytes]]
GIGABYTE = 1 << 30
BLOCK = bytes(1 << 16)
EVIL = "http://evil.example"


@dataclass(frozen=True)
class Attack:
    """A request line, headers beside Host, and what follows: bytes at once, or in their own time."""

    target: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    sending: Sending | None = None
    method: str = "POST"

    def head(self, port: int) -> bytes:
        """The request's head; a length is announced unless the attack says something else of it."""
        headers = {"Host": f"127.0.0.1:{port}", **self.headers}
        if self.sending is None and "Content-Length" not in headers:
            headers["Content-Length"] = str(len(self.body))
        lines = [
            f"{self.method} {self.target} HTTP/1.1",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def png_bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A PNG of some kilobytes that says it is 3.6 thousand million pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(4 << 20), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk of a PNG file, with its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def zip_bomb() -> bytes:
    """A zip of 64 kilobytes with 64 megabytes in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(64 << 20))
    return buffer.getvalue()


def array_bomb() -> bytes:
    """A .npy file whose head speaks of a terabyte."""
    said = b"{'descr': '<f4', 'fortran_order': False, 'shape': (500000, 500000), }\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(said)) + said + bytes(1024)


def form(name: str, content: bytes) -> tuple[bytes, dict[str, str]]:
    """A form with one file, and the header that goes with it."""
    head = f'--x\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n'
    body = head.encode("latin-1") + content + b"\r\n--x--\r\n"
    return body, {"Content-Type": "multipart/form-data; boundary=x"}


async def gigabyte() -> AsyncIterator[bytes]:
    """A body of a gigabyte, announced as such."""
    for _ in range(GIGABYTE // len(BLOCK)):
        yield BLOCK


async def chunks() -> AsyncIterator[bytes]:
    """A body that never says how long it is."""
    while True:
        yield b"10000\r\n" + BLOCK + b"\r\n"


async def drops() -> AsyncIterator[bytes]:
    """A byte a second."""
    while True:
        yield b"x"
        await asyncio.sleep(1)


def attacks() -> dict[str, Attack]:
    """Every attack by its name."""
    escaping, multipart = form("../../../etc/passwd", b"root:x:0:0")
    many = (
        b"".join(form(f"{number}.png", b"x")[0][: -len(b"--x--\r\n")] for number in range(2_000))
        + b"--x--\r\n"
    )
    typed = {"Content-Type": "application/x-www-form-urlencoded"}
    return {
        "PNG bomb": Attack("/predict", png_bomb()),
        "zip bomb": Attack("/predict", zip_bomb()),
        "array bomb": Attack("/predict", array_bomb()),
        "gigabyte announced": Attack("/predict", headers={"Content-Length": str(GIGABYTE)}),
        "gigabyte sent": Attack("/predict", headers={"Content-Length": str(GIGABYTE)}, sending=gigabyte),
        "chunks without end": Attack("/predict", headers={"Transfer-Encoding": "chunked"}, sending=chunks),
        "slow body": Attack("/predict", headers={"Content-Length": "100000"}, sending=drops),
        "half a picture": Attack("/predict", png_bomb(64, 64)[:200]),
        "page for a picture": Attack("/predict", b"<html><script>alert(1)</script></html>"),
        "form without files": Attack("/predict", b"a=1", typed),
        "2,000 files": Attack("/predict", many, multipart),
        "name with a path": Attack("/predict", escaping, multipart),
        "path that climbs": Attack("/draw/%2e%2e/%2e%2e/settings.py", method="GET"),
        "page of another site": Attack("/predict", b"x", {"Origin": EVIL}),
        "form of another site": Attack("/predict", escaping, {**multipart, "Sec-Fetch-Site": "cross-site"}),
        "other name": Attack("/predict", b"x", {"Host": "evil.example"}),
        "two lengths": Attack("/predict", headers={"Content-Length": "5", "Transfer-Encoding": "chunked"}),
    }
