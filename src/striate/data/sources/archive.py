"""A zip archive, read in place: its directory as a stream, its members one by one, never unpacked to disk.

The directory is parsed here because the standard library keeps an object a member for the whole archive.
The layout is that of PKWARE's APPNOTE 6.3.10, sections 4.3 (records) and 4.5.3 (64-bit sizes).
"""

import os
import stat
import struct
import weakref
import zlib
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int64

from striate.data.sources.kinds import is_clutter, is_text, is_unusual, leads_out
from striate.data.sources.stores import BAD_NAME, LeftOut, Listing, Store, last_rows, printable
from striate.errors import ImageError, SourceError
from striate.pixels.formats.endings import HEAD_BYTES
from striate.pixels.limits import limits

_CENTRAL = struct.Struct("<4sxB2xHH4xLLLHHH4xLL")
_LOCAL = struct.Struct("<4s22xHH")
_END = struct.Struct("<4s8xLLH")
_END64 = struct.Struct("<4s36xQQ")
_UNSET = 0xFFFFFFFF
_RECORD_LIMIT = _CENTRAL.size + 3 * 0xFFFF
_CHUNK = 4 << 20


class Member(NamedTuple):
    """One file in an archive: where its data are, and what they must amount to."""

    name: str
    offset: int
    packed: int
    size: int
    crc: int
    method: int


class Archive:
    """An open zip file: its members as a stream, and their bytes; safe across threads and forks.

    `members` raises SourceError for what no honest archive of pictures holds: names that leave the archive,
    links, encrypted members. `read` raises ImageError with the reason for a member that cannot be read.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._open()

    def _open(self) -> None:
        try:
            self._handle = os.open(self.path, os.O_RDONLY)
        except OSError as error:
            raise SourceError(f"{self.path} cannot be opened: {error.strerror}") from error
        weakref.finalize(self, os.close, self._handle)

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.path = state["path"]
        self._open()

    def members(self) -> Iterator[Member]:
        """Every file in the archive, in the archive's order, folders and systems' clutter left out."""
        position, size, shift = self._directory()
        stop = position + size
        chunk, start = b"", 0
        while position < stop:
            if start + _RECORD_LIMIT > len(chunk) and position + len(chunk) - start < stop:
                chunk, start = os.pread(self._handle, min(_CHUNK, stop - position), position), 0
            member, length = self._member(chunk, start, shift)
            position, start = position + length, start + length
            if is_unusual(member.name):
                if leads_out(member.name):
                    self._refuse(member.name, "has a name that leads out of the archive")
                if is_clutter(member.name):
                    continue
            if not member.name.endswith("/"):
                yield member

    def read(self, member: Member) -> bytes:
        """The bytes of one member, their length and checksum verified."""
        if member.method not in (0, 8):
            raise ImageError(f"its compression (method {member.method}) is not read; use deflate")
        limits().check_inflation(member.size, member.packed)
        data = self._packed(member)
        try:
            if member.method == 8:
                data = zlib.decompressobj(-15).decompress(data, member.size + 1)
        except zlib.error as error:
            raise ImageError(f"it cannot be inflated: {error}") from error
        if len(data) != member.size or zlib.crc32(data) != member.crc:
            raise ImageError("the archive is damaged: length or checksum of the member is wrong")
        return data

    def head(self, member: Member) -> bytes:
        """The first bytes of one member, unverified: enough to tell what it is."""
        data = self._packed(member, limit=4096)
        if member.method != 8:
            return data[:HEAD_BYTES]
        try:
            return zlib.decompressobj(-15).decompress(data, HEAD_BYTES)
        except zlib.error as error:
            raise ImageError(f"it cannot be inflated: {error}") from error

    def _packed(self, member: Member, limit: int | None = None) -> bytes:
        head = os.pread(self._handle, _LOCAL.size, member.offset) if member.offset >= 0 else b""
        if len(head) < _LOCAL.size or not head.startswith(b"PK\3\4"):
            raise ImageError("the archive is damaged: its data are not where the directory says")
        _, name_length, extra_length = _LOCAL.unpack(head)
        start = member.offset + _LOCAL.size + name_length + extra_length
        if start + member.packed > os.fstat(self._handle).st_size:
            raise ImageError("the archive is cut short")
        wanted = member.packed if limit is None else min(limit, member.packed)
        packed = os.pread(self._handle, wanted, start)
        if len(packed) < wanted:
            raise ImageError("the archive is cut short")
        return packed

    def _directory(self) -> tuple[int, int, int]:
        """Start and size of the central directory, and how far data before the archive shift every offset."""
        length = os.fstat(self._handle).st_size
        tail_start = max(0, length - 65535 - 22)
        tail = os.pread(self._handle, length - tail_start, tail_start)
        found = tail.rfind(b"PK\5\6")
        if found < 0 or len(tail) - found < 22:
            raise SourceError(f"{self.path} is no complete zip archive: its directory is missing")
        end = tail_start + found
        _, size, offset, _ = _END.unpack_from(tail, found)
        if found >= 20 and tail.startswith(b"PK\6\7", found - 20):
            end -= 20 + 56
            record = os.pread(self._handle, 56, end)
            if not record.startswith(b"PK\6\6"):
                raise SourceError(f"{self.path} is a damaged zip archive: its 64-bit directory is missing")
            _, size, offset = _END64.unpack(record)
        if size > end or offset > end:
            raise SourceError(f"{self.path} is a damaged zip archive: its directory lies outside the file")
        return end - size, size, end - size - offset

    def _member(self, chunk: bytes, start: int, shift: int) -> tuple[Member, int]:
        """The record at a place in a piece of the directory, and its length."""
        if len(chunk) < start + _CENTRAL.size or not chunk.startswith(b"PK\1\2", start):
            raise SourceError(f"{self.path} is a damaged zip archive: its directory cannot be read")
        _, system, flags, method, crc, packed, size, name_length, extra, comment, mode, offset = (
            _CENTRAL.unpack_from(chunk, start)
        )
        name_start = start + _CENTRAL.size
        fields_start = name_start + name_length
        raw = chunk[name_start:fields_start]
        if _UNSET in (size, packed, offset):
            fields = chunk[fields_start : fields_start + extra]
            size, packed, offset = _wide(fields, size, packed, offset)
        name = _decoded(raw, flags)
        is_link = system == 3 and stat.S_ISLNK(mode >> 16)
        if flags & 1 or is_link:
            self._refuse(name, "is encrypted" if flags & 1 else "is a link")
        return Member(name, offset + shift, packed, size, crc, method), (
            _CENTRAL.size + name_length + extra + comment
        )

    def _refuse(self, name: str, reason: str) -> None:
        raise SourceError(
            f"{self.path} is refused: its member {name!r} {reason}; pack the pictures anew as plain files"
        )


class ZipStore(Store):
    """The files in a zip; those whose data overlap make it refused (D. Fifield, "A better zip bomb", 2019)."""

    def __init__(self, location: str | os.PathLike) -> None:
        self.location = os.path.abspath(location)
        self._archive = Archive(self.location)
        self._files: list[str] = []
        self._left_out = LeftOut()
        numbers = array("q")
        for member in self._archive.members():
            if is_text(member.name):
                self._files.append(member.name)
                numbers.extend(member[1:])
            else:
                self._left_out.add(BAD_NAME, printable(member.name))
        self._table = np.array(numbers, dtype=np.int64).reshape(-1, 5)
        self._refuse_overlaps()
        self._rows: dict[str, int] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_rows": None}

    def listing(self) -> Listing:
        """Every member that is a file; of members with one name, the last."""
        left_out = self._left_out.copy()
        rows = last_rows(self._files, left_out)
        files = self._files if len(rows) == len(self._files) else [self._files[row] for row in rows]
        return Listing(files, self._table[rows][:, [3, 2]], left_out)

    def read(self, file: str) -> bytes:
        """The bytes of one member, checked."""
        return self._archive.read(self._found(file))

    def head(self, file: str) -> bytes:
        """The first bytes of one member."""
        return self._archive.head(self._found(file))

    def stamps_of(self, files: Sequence[str]) -> Int64[np.ndarray, "file field"]:
        """Checksum and size of each member, −1 for one that is not there."""
        known = self._known()
        rows = np.array([known.get(file, -1) for file in files], dtype=np.int64)
        return np.where(rows[:, None] < 0, -1, self._table[rows][:, [3, 2]])

    def _known(self) -> dict[str, int]:
        if self._rows is None:
            self._rows = {file: row for row, file in enumerate(self._files)}
        return self._rows

    def _found(self, file: str) -> Member:
        row = self._known().get(file)
        if row is None:
            raise ImageError(f"there is no member {file!r} in {self.location}")
        return Member(file, *self._table[row].tolist())

    def _refuse_overlaps(self) -> None:
        order = np.argsort(self._table[:, 0], kind="stable")
        starts, packed = self._table[order, 0], self._table[order, 1]
        overlapping = np.flatnonzero(starts[:-1] + _LOCAL.size + packed[:-1] > starts[1:])
        if len(overlapping):
            first, second = (self._files[order[overlapping[0] + step]] for step in (0, 1))
            raise SourceError(
                f"{self.location} is refused: its members {first!r} and {second!r} overlap, as in a zip bomb; "
                "pack the pictures anew"
            )


def _decoded(raw: bytes, flags: int) -> str:
    """The file in UTF-8, flagged or not, or in the code page of old; with '/' between folders."""
    try:
        file = raw.decode("utf-8")
    except UnicodeDecodeError:
        file = raw.decode("utf-8", "surrogateescape") if flags & 0x800 else raw.decode("cp437")
    return file.replace("\\", "/").removeprefix("./")


def _wide(fields: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Size, packed size and offset, taken from the 64-bit extra field where the short ones are full."""
    start = 0
    while start + 4 <= len(fields):
        kind, length = struct.unpack_from("<HH", fields, start)
        if kind == 1:
            count = min(length, 24, len(fields) - start - 4) // 8
            # Numbers that no file has can only be lies: cut to what can be added up, they are found out later.
            wide = iter(
                min(number, 1 << 61) for number in struct.unpack_from(f"<{count}Q", fields, start + 4)
            )
            size = next(wide, size) if size == _UNSET else size
            packed = next(wide, packed) if packed == _UNSET else packed
            offset = next(wide, offset) if offset == _UNSET else offset
            break
        start += 4 + length
    return size, packed, offset
