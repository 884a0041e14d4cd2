"""Tars as stores of files: plain ones read in place, compressed ones inflated once, shards of webdataset together."""

import os
from array import array
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Int64

from striate.data.sources.inflated import HiddenFile, inflate, is_compressed
from striate.data.sources.kinds import is_text
from striate.data.sources.order import natural_key
from striate.data.sources.stores import BAD_NAME, LeftOut, Listing, Store, last_rows, printable
from striate.data.sources.tar import walk_tar
from striate.errors import ImageError, SourceError
from striate.pixels.formats.endings import HEAD_BYTES
from striate.pixels.limits import limits

Status = tuple[int, int, int]


class TarStore(Store):
    """The files in a tar, by one pass over its headers.

    A tar has no checksums of its data: a stamp is the tar's own size and times, and the member's place and
    size. Links, devices and sparse files are left out; names that lead out make it refused.
    """

    def __init__(self, location: str | os.PathLike) -> None:
        self.location = os.path.abspath(location)
        self._left_out = LeftOut()
        try:
            self._status = _status(self.location)
            self._inflated = (
                HiddenFile(partial(inflate, self.location)) if is_compressed(self.location) else None
            )
            self._files, self._table = self._walked()
        except OSError as error:
            raise SourceError(f"{self.location} cannot be read: {error.strerror}") from error
        self._rows: dict[str, int] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_rows": None}

    def listing(self) -> Listing:
        """Every member that is a file; of members with one name the last, as tar means it."""
        left_out = self._left_out.copy()
        rows = last_rows(self._files, left_out)
        files = self._files if len(rows) == len(self._files) else [self._files[row] for row in rows]
        return Listing(files, self._stamps(rows), left_out)

    def read(self, file: str) -> bytes:
        """The bytes of one member."""
        offset, size = self._found(file)
        limits().check_file(size)
        return self._bytes(offset, size)

    def head(self, file: str) -> bytes:
        """The first bytes of one member."""
        offset, size = self._found(file)
        return self._bytes(offset, min(size, HEAD_BYTES))

    def stamps_of(self, files: Sequence[str]) -> Int64[np.ndarray, "file field"]:
        """The tar's size and times, the member's place and size; −1 for a member that is not there."""
        known = self._known()
        rows = np.array([known.get(file, -1) for file in files], dtype=np.int64)
        return np.where(rows[:, None] < 0, -1, self._stamps(rows))

    def _stamps(self, rows: Int64[np.ndarray, " file"]) -> Int64[np.ndarray, "file field"]:
        own = np.broadcast_to(np.array(self._status, dtype=np.int64), (len(rows), 3))
        return np.column_stack([own, self._table[rows]])

    def _walked(self) -> tuple[list[str], Int64[np.ndarray, "file place"]]:
        if self._inflated is not None:
            return self._listed(self._inflated.read, self._inflated.length)
        with open(self.location, "rb", buffering=0) as file:
            handle = file.fileno()
            return self._listed(lambda place, count: os.pread(handle, count, place), self._status[0])

    def _listed(
        self, read: Callable[[int, int], bytes], length: int
    ) -> tuple[list[str], Int64[np.ndarray, "file place"]]:
        files: list[str] = []
        places = array("q")
        for name, offset, size, reason in walk_tar(read, length, self.location):
            if not is_text(name):
                self._left_out.add(BAD_NAME, printable(name))
            elif reason:
                self._left_out.add(reason, name)
            else:
                files.append(name)
                places.extend((offset, size))
        return files, np.array(places, dtype=np.int64).reshape(-1, 2)

    def _known(self) -> dict[str, int]:
        if self._rows is None:
            self._rows = {file: row for row, file in enumerate(self._files)}
        return self._rows

    def _found(self, file: str) -> tuple[int, int]:
        row = self._known().get(file)
        if row is None:
            raise ImageError(f"there is no member {file!r} in {self.location}")
        offset, size = self._table[row].tolist()
        return offset, size

    def _bytes(self, offset: int, size: int) -> bytes:
        if self._inflated is not None:
            data = self._inflated.read(offset, size)
        else:
            try:
                # Opened for each read: thousands of shards would exhaust the handles a process may have.
                with open(self.location, "rb", buffering=0) as file:
                    if _status_of(os.fstat(file.fileno())) != self._status:
                        raise ImageError("the archive has changed since it was listed")
                    data = os.pread(file.fileno(), size, offset)
            except OSError as error:
                raise ImageError(f"it cannot be read: {error.strerror}") from error
        if len(data) < size:
            raise ImageError("the archive is cut short")
        return data


class ShardsStore(Store):
    """A folder of tars as one store: a member is named `shard/member`, the shard without its ending."""

    def __init__(self, location: str | os.PathLike, tars: Sequence[str]) -> None:
        self.location = os.path.abspath(location)
        self.shards: dict[str, TarStore] = {}
        for tar in sorted(tars, key=natural_key):
            self.shards[tar.rpartition(".")[0]] = TarStore(os.path.join(self.location, tar))

    def listing(self) -> Listing:
        """Every file of every shard, shard by shard."""
        left_out = LeftOut()
        files: list[str] = []
        stamps = [np.empty((0, 5), dtype=np.int64)]
        for shard, store in self.shards.items():
            listing = store.listing()
            files.extend(f"{shard}/{file}" for file in listing.files)
            stamps.append(listing.stamps)
            for reason, example in listing.left_out.examples.items():
                left_out.add(reason, f"{shard}/{example}")
                left_out.counts[reason] += listing.left_out.counts[reason] - 1
        return Listing(files, np.concatenate(stamps), left_out)

    def read(self, file: str) -> bytes:
        """The bytes of one member of one shard."""
        store, member = self._found(file)
        return store.read(member)

    def head(self, file: str) -> bytes:
        """The first bytes of one member of one shard."""
        store, member = self._found(file)
        return store.head(member)

    def stamps_of(self, files: Sequence[str]) -> Int64[np.ndarray, "file field"]:
        """The stamps of members, shard by shard."""
        stamps = []
        for file in files:
            store, member = self._found(file)
            stamps.append(store.stamps_of([member])[0])
        return np.array(stamps, dtype=np.int64).reshape(-1, 5)

    def _found(self, file: str) -> tuple[TarStore, str]:
        for end in (place for place, letter in enumerate(file) if letter == "/"):
            if file[:end] in self.shards:
                return self.shards[file[:end]], file[end + 1 :]
        raise ImageError(f"there is no member {file!r} in {self.location}")


def _status(path: str) -> Status:
    return _status_of(os.stat(path))


def _status_of(status: os.stat_result) -> Status:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns
