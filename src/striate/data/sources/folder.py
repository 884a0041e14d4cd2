"""A folder as a store of files, and a folder of class folders as a source."""

import os
import stat
from array import array
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Int64

from striate.data.sources.kinds import is_clutter, is_text
from striate.data.sources.order import natural_order
from striate.data.sources.stores import BAD_NAME, NOT_A_FILE, OUTSIDE, LeftOut, Listing, Store, printable
from striate.errors import ImageError, SourceError
from striate.pixels.formats.endings import HEAD_BYTES
from striate.pixels.reading import read_bytes

Stamp = tuple[int, int, int]


class FolderStore(Store):
    """The files under a folder; none outside it is read, whatever links say.

    Links are followed to files inside the root only; other links, pipes, devices and files without the ending
    of a picture are left out, and the notes say so. Stamps are size and times of change of content and entry.
    """

    look_through = False

    def __init__(self, location: str | os.PathLike) -> None:
        self.location = os.path.abspath(location)
        self._real_root = os.path.realpath(self.location)

    def listing(self) -> Listing:
        """Every regular file, folder by folder, in natural order within each."""
        left_out = LeftOut()
        files: list[str] = []
        stamps = array("q")
        for name, stamp, reason in walk(self.location):
            if stamp is None:
                left_out.add(reason, name)
            else:
                files.append(name)
                stamps.extend(stamp)
        return Listing(files, np.array(stamps, dtype=np.int64).reshape(-1, 3), left_out)

    def path(self, file: str) -> str:
        """Where a file lies; ImageError for a link that leads out of the folder."""
        path = os.path.join(self.location, file)
        try:
            inside = _is_inside(os.path.realpath(path), self._real_root)
        except ValueError:  # a NUL in the name
            raise ImageError("there is no such file") from None
        if not inside:
            raise ImageError(f"it is {OUTSIDE}")
        return path

    def read(self, file: str) -> bytes:
        """All bytes of a regular file."""
        return read_bytes(self.path(file))

    def head(self, file: str) -> bytes:
        """The first bytes of a regular file."""
        return first_bytes(self.path(file))

    def stamps_of(self, files: Sequence[str]) -> Int64[np.ndarray, "file field"]:
        """Size and times of each file, −1 for what is no regular file."""
        stamps = array("q")
        for file in files:
            stamps.extend(_stamp_of(f"{self.location}/{file}"))
        return np.array(stamps, dtype=np.int64).reshape(-1, 3)


def first_bytes(path: str) -> bytes:
    """The first bytes of a regular file; ImageError gives the reason alone. A pipe is never opened."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ImageError(f"it is {NOT_A_FILE}")
        with open(path, "rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as error:
        raise ImageError(f"it cannot be read: {error.strerror}") from None


def walk(root: str) -> Iterator[tuple[str, Stamp | None, str]]:
    """Every file under a folder: (name, stamp, "") or (name, None, why it is left out), folder by folder."""
    real_root = os.path.realpath(root)
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        inner: list[str] = []
        for entry in _entries(root, folder):
            name = folder + entry.name
            if is_clutter(entry.name):
                continue
            if not is_text(name):
                yield printable(name), None, BAD_NAME
            elif entry.is_dir(follow_symlinks=False):
                inner.append(name + "/")
            else:
                yield name, *_stamp(entry, real_root)
        waiting.extend(reversed(inner))


def _entries(root: str, folder: str) -> list[os.DirEntry[str]]:
    path = os.path.join(root, folder)
    try:
        with os.scandir(path) as scan:
            entries = list(scan)
    except PermissionError:
        raise SourceError(f"there is no permission to list the folder {path}") from None
    except OSError as error:
        raise SourceError(f"the folder {path} cannot be listed: {error.strerror}") from error
    return [entries[index] for index in natural_order([entry.name for entry in entries])]


def _stamp(entry: os.DirEntry[str], real_root: str) -> tuple[Stamp | None, str]:
    try:
        if entry.is_symlink():
            target = os.path.realpath(entry.path)
            if not _is_inside(target, real_root) or not os.path.isfile(target):
                return None, OUTSIDE
        if not entry.is_file():
            return None, NOT_A_FILE
        status = entry.stat()
    except OSError as error:
        return None, f"unreadable ({error.strerror})"
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns), ""


def _stamp_of(path: str) -> Stamp:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return -1, -1, -1
    if not stat.S_ISREG(status.st_mode):
        return -1, -1, -1
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _is_inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root if root.endswith("/") else root + "/")
