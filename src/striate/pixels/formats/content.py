"""The bytes of one file, in memory or on disk, read piece by piece: header parsers see no difference."""

import io
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from striate.errors import ImageError
from striate.pixels.limits import limits

CUT_SHORT = "it is cut short"


class Content:
    """A file as something to slice, without reading what is not asked for.

    >>> content = Content(b"P5 3 2 255")
    >>> len(content), content[3:4], content.unpack("<H", 0)
    (10, b'3', (13648,))
    """

    def __init__(self, source: bytes | io.BufferedReader) -> None:
        self._source = source
        self._length = len(source) if isinstance(source, bytes) else os.fstat(source.fileno()).st_size

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, part: slice) -> bytes:
        """The bytes of a slice with step one, fewer where the file ends."""
        if isinstance(self._source, bytes):
            return self._source[part]
        start, stop, _ = part.indices(self._length)
        return os.pread(self._source.fileno(), max(0, stop - start), start)

    def exactly(self, start: int, count: int) -> bytes:
        """So many bytes from a place; ImageError where the file ends before."""
        piece = self[start : start + count]
        if len(piece) < count or start < 0:
            raise ImageError(CUT_SHORT)
        return piece

    def unpack(self, layout: str, start: int) -> tuple[int, ...]:
        """The numbers of a `struct` layout at a place; ImageError where the file ends before."""
        return struct.unpack(layout, self.exactly(start, struct.calcsize(layout)))


def read_bytes(path: str | os.PathLike) -> bytes:
    """All bytes of a regular file; ImageError says in plain words why there are none."""
    with regular_file(path) as file:
        return file.read()


@contextmanager
def regular_file(path: str | os.PathLike) -> Iterator[io.BufferedReader]:
    """An open regular file, neither empty nor above the limit; ImageError gives the reason alone."""
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise ImageError("it is a folder, not a picture")
        if not stat.S_ISREG(status.st_mode):
            raise ImageError("it is a pipe or a device, not a picture")
        if status.st_size == 0:
            raise ImageError("the file is empty (0 bytes)")
        limits().check_file(status.st_size)
        with open(path, "rb") as file:
            yield file
    except FileNotFoundError:
        raise ImageError("there is no such file") from None
    except PermissionError:
        raise ImageError("there is no permission to read it") from None
    except (OSError, ValueError) as error:
        raise ImageError(f"it cannot be read: {words(error)}") from error


def words(error: BaseException) -> str:
    """The first line of an error's text, or its kind where it has none."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
