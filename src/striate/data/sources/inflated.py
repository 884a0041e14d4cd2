"""Compressed tars, inflated into a temporary file without a name: it goes with the process, and no cache keeps it.

A compressed tar can be read from its beginning only, and workers want any member at any time. What is inflated
may hold patients' data, so it never gets a name on disk; worker processes of this one share it, and nobody else.
"""

import bz2
import errno
import gzip
import lzma
import os
import tempfile
import weakref
import zlib
from collections.abc import Callable
from io import BufferedIOBase
from typing import Any

from striate.data.packing.cache import cache_root
from striate.data.sources.tar import BLOCK, is_header
from striate.errors import SourceError
from striate.pixels.limits import INFLATION_FREE_BYTES, limits

_READERS: dict[bytes, Callable[[Any], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}
_DAMAGE = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, ValueError)
_PIECE = 1 << 20


def is_tar(path: str) -> bool:
    """Whether a file is a tar, compressed or not, by its first member's header."""
    try:
        with open(path, "rb") as file:
            reader = _reader(file)
            return is_header((reader or file).read(BLOCK))
    except (*_DAMAGE, OSError, MemoryError):
        return False


def is_compressed(path: str) -> bool:
    """Whether a file is compressed by gzip, bzip2 or xz."""
    with open(path, "rb") as file:
        return _reader(file) is not None


class HiddenFile:
    """Bytes at random access in a file without a name; copies in worker processes share one file on disk.

    `fill` writes them, and must be picklable: where the file cannot be shared, a worker calls it again.
    """

    def __init__(self, fill: Callable[[BufferedIOBase], None]) -> None:
        self._fill = fill
        self._keep(_filled(fill))

    def __getstate__(self) -> dict[str, Any]:
        return {
            "fill": self._fill,
            "shared": f"/proc/{os.getpid()}/fd/{self._handle}",
            "identity": _identity(self._handle),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._fill = state["fill"]
        handle = _opened(state["shared"], state["identity"])
        self._keep(_filled(self._fill) if handle is None else handle)

    def read(self, position: int, count: int) -> bytes:
        """Some of the bytes."""
        return os.pread(self._handle, count, position)

    @property
    def length(self) -> int:
        """How many bytes there are."""
        return os.fstat(self._handle).st_size

    def _keep(self, handle: int) -> None:
        self._handle = handle
        weakref.finalize(self, os.close, handle)


def inflate(path: str, target: BufferedIOBase) -> None:
    """Writes what a compressed file holds; SourceError for a bomb or for damage."""
    try:
        with open(path, "rb") as file:
            reader = _reader(file)
            assert reader is not None
            inflated = 0
            while piece := reader.read(_PIECE):
                inflated += len(piece)
                _refuse_bomb(path, inflated, file.tell())
                target.write(piece)
    except _DAMAGE as error:
        raise SourceError(f"{path} cannot be inflated: it is damaged or cut short ({error})") from error
    except MemoryError:
        raise SourceError(f"{path} cannot be inflated: its dictionary does not fit in memory") from None


def _filled(fill: Callable[[BufferedIOBase], None]) -> int:
    folder = cache_root()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as target:
            fill(target)
            target.flush()
            return os.dup(target.fileno())
    except OSError as error:
        remedy = "set STRIATE_CACHE to a folder on a larger disk, or unpack the archive to a plain .tar"
        reason = "is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else f"fails: {error.strerror}"
        raise SourceError(f"a temporary file in {folder} is needed, and {reason}; {remedy}") from error


def _identity(handle: int) -> tuple[int, int, int]:
    status = os.fstat(handle)
    return status.st_dev, status.st_ino, status.st_size


def _opened(path: str, identity: tuple[int, int, int]) -> int | None:
    """The file that another process holds open, or None where it has gone or systems do not show it."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    if _identity(handle) == identity:
        return handle
    os.close(handle)
    return None


def _refuse_bomb(path: str, inflated: int, packed: int) -> None:
    most = limits().inflation
    if inflated > INFLATION_FREE_BYTES and inflated > most * packed:
        raise SourceError(
            f"{path} is refused: it inflates by more than {most} times, as no tar of pictures does "
            "(STRIATE_MAX_INFLATION raises the limit)"
        )


def _reader(file: BufferedIOBase) -> BufferedIOBase | None:
    head = file.read(6)
    file.seek(0)
    for magic, reader in _READERS.items():
        if head.startswith(magic):
            return reader(file)
    return None
