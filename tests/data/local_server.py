"""A local server, made-up files on it, and entries for them in place of the real ones."""

import contextlib
import gzip
import hashlib
import http.server
import io
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.data.named import fetching, registry
from striate.data.named.registry import NamedData, NamedFile

ANSWERS: dict[str, tuple[int, dict[str, str], bytes]] = {}
ASKED: list[str] = []


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with what a test has put into ANSWERS; a length of its own may promise more than it sends."""

    def do_GET(self) -> None:
        ASKED.append(self.path)
        status, headers, body = ANSWERS.get(self.path, (404, {}, b"no such page"))
        self.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **headers}.items():
            if value:
                self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (the base's name)
        """Says nothing."""


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """The address of a server in a thread of its own."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def fresh_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data home of its own, no proxy between here and here, and a server that knows nothing."""
    monkeypatch.setenv("STRIATE_HOME", str(folder))
    monkeypatch.setenv("NO_PROXY", "*")
    ANSWERS.clear()
    ASKED.clear()
    return folder


def idx(array: np.ndarray) -> bytes:
    shape = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + shape + array.tobytes(), mtime=0)


CONTENT = {
    "train-images-idx3-ubyte.gz": idx(np.arange(40 * 16, dtype=np.uint8).reshape(40, 4, 4)),
    "train-labels-idx1-ubyte.gz": idx(np.arange(40, dtype=np.uint8) % 10),
    "t10k-images-idx3-ubyte.gz": idx(np.arange(10 * 16, dtype=np.uint8).reshape(10, 4, 4)),
    "t10k-labels-idx1-ubyte.gz": idx(np.arange(10, dtype=np.uint8)),
}


def published(
    name: str, content: dict[str, bytes], base: str, *, hashed: bool = True, **fields: object
) -> NamedData:
    """An entry for made-up files, at two addresses on the local server."""
    files = tuple(
        NamedFile(
            file,
            (f"{base}/a/{file}", f"{base}/b/{file}"),
            (f"sha256:{hashlib.sha256(data).hexdigest()}", f"md5:{hashlib.md5(data).hexdigest()}")
            if hashed
            else (),
            len(data) if hashed else None,
        )
        for file, data in content.items()
    )
    known = registry.REGISTRY[name]
    words = {
        field: getattr(known, field)
        for field in ("title", "licence", "paper", "preparation", "opened", "note")
    }
    return NamedData(
        **{
            "name": name,
            "files": files,
            "published": "this test" if hashed else "",
            "images": 50,
            **words,
            **fields,
        }
    )


def serve(entry: NamedData, content: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> NamedData:
    """Puts an entry in place of the real one, and its files on the server, at the first address."""
    monkeypatch.setitem(registry.REGISTRY, entry.name, entry)
    ANSWERS.update({f"/a/{file}": (200, {}, data) for file, data in content.items()})
    return entry


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != fetching.LOCK)


def png(value: int, size: tuple[int, int] = (6, 5)) -> bytes:
    stream = io.BytesIO()
    pixels = (np.arange(size[0] * size[1] * 3).reshape(*size, 3) + value).astype(np.uint8)
    Image.fromarray(pixels).save(stream, "png")
    return stream.getvalue()


def tgz(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


CHARACTERS = tgz(
    {
        f"English/Hnd/Img/Sample{sample:03d}/img{sample:03d}-{writer:03d}.png": png(sample + writer)
        for sample in (1, 10, 11, 36, 37, 62)
        for writer in (1, 2, 55)
    }
    | {"English/Hnd/Trj/Sample001/img001-001.m": b"% strokes"}
)
