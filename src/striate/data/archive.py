"""A zip archive, read in place: its directory as a stream, its members one by one, never unpacked to disk.

The directory is parsed here because the standard library keeps an object a member for the whole archive.
The layout is that of PKWARE's APPNOTE 6.3.10, sections 4.3 (records) and 4.5.3 (64-bit sizes).
"""

import os
import stat
import struct
import weakref
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from striate.data.folder import BAD_NAME, NOT_A_PICTURE, left_out_notes
from striate.data.layout import is_clutter, is_picture, is_text, natural_key, read_layout
from striate.data.pictures import PictureSource
from striate.errors import ImageError, SourceError

MEMBER_LIMIT = 512 << 20
# Deflate reaches 1032:1 on zeros; a blank uncompressed scan comes near that, but only while it is small.
RATIO_LIMIT, RATIO_FREE_BYTES = 200, 64 << 20

_CENTRAL = struct.Struct("<4sxB2xHH4xLLLHHH4xLL")
_LOCAL = struct.Struct("<4s22xHH")
_END = struct.Struct("<4s8xLLH")
_LOCATOR = struct.Struct("<4s16x")
_END64 = struct.Struct("<4s36xQQ")
_UNSET = 0xFFFFFFFF


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
        with open(self.path, "rb") as file:
            file.seek(position)
            while file.tell() < position + size:
                member = self._member(file.read(_CENTRAL.size), file, shift)
                if not member.name.endswith("/") and not any(map(is_clutter, member.name.split("/"))):
                    yield member

    def read(self, member: Member) -> bytes:
        """The bytes of one member, their length and checksum verified."""
        if member.method not in (0, 8):
            raise ImageError(f"its compression (method {member.method}) is not read; use deflate")
        if member.size > MEMBER_LIMIT:
            raise ImageError(f"it inflates to {member.size:,} bytes; the limit is {MEMBER_LIMIT:,}")
        if member.size > RATIO_FREE_BYTES and member.size > RATIO_LIMIT * member.packed:
            raise ImageError(
                f"it inflates to {member.size:,} bytes from {member.packed:,}: no picture does that"
            )
        data = self._packed(member)
        try:
            if member.method == 8:
                data = zlib.decompressobj(-15).decompress(data, member.size + 1)
        except zlib.error as error:
            raise ImageError(f"it cannot be inflated: {error}") from error
        if len(data) != member.size or zlib.crc32(data) != member.crc:
            raise ImageError("the archive is damaged: length or checksum of the member is wrong")
        return data

    def _packed(self, member: Member) -> bytes:
        head = os.pread(self._handle, _LOCAL.size, member.offset)
        if len(head) < _LOCAL.size or not head.startswith(b"PK\3\4"):
            raise ImageError("the archive is damaged: its data are not where the directory says")
        _, name_length, extra_length = _LOCAL.unpack(head)
        start = member.offset + _LOCAL.size + name_length + extra_length
        packed = os.pread(self._handle, member.packed, start)
        if len(packed) < member.packed:
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

    def _member(self, head: bytes, file: Any, shift: int) -> Member:
        if len(head) < _CENTRAL.size or not head.startswith(b"PK\1\2"):
            raise SourceError(f"{self.path} is a damaged zip archive: its directory cannot be read")
        _, system, flags, method, crc, packed, size, name_length, extra, comment, mode, offset = (
            _CENTRAL.unpack(head)
        )
        raw = file.read(name_length)
        fields = file.read(extra)
        file.seek(comment, os.SEEK_CUR)
        size, packed, offset = _wide(fields, size, packed, offset)
        name = _decoded(raw, flags)
        self._refuse(name, flags, system, mode >> 16)
        return Member(name, offset + shift, packed, size, crc, method)

    def _refuse(self, name: str, flags: int, system: int, mode: int) -> None:
        reason = None
        if ".." in name.split("/") or name.startswith("/") or name[1:2] == ":" or "\0" in name:
            reason = "has a name that leads out of the archive"
        elif system == 3 and stat.S_ISLNK(mode):
            reason = "is a link"
        elif flags & 1:
            reason = "is encrypted"
        if reason is not None:
            raise SourceError(
                f"{self.path} is refused: its member {name!r} {reason}; pack the pictures anew as plain files"
            )


class ZipSource(PictureSource):
    """Pictures in a zip, laid out as in a folder; one folder wrapped around everything is looked through."""

    labels: list[str] | None
    splits: list[str] | None

    def __init__(self, location: str | os.PathLike) -> None:
        self.location = os.path.abspath(location)
        self.parts = {}
        self._archive = Archive(self.location)
        found: dict[str, Member] = {}
        left_out: Counter[str] = Counter()
        examples: dict[str, str] = {}
        for member in self._archive.members():
            reason = left_out_reason(member.name)
            if reason is None:
                found[member.name] = member
            else:
                left_out[reason] += 1
                examples.setdefault(reason, member.name)
        ordered = sorted(found, key=natural_key)
        layout = read_layout(ordered, self.location, look_through=True)
        self.names, self.labels, self.splits = layout.names, layout.labels, layout.splits
        self.notes = layout.notes + left_out_notes(left_out, examples)
        table = np.array([found[name][1:] for name in ordered], dtype=np.int64)
        self._table = table
        self.stamps = table[:, [3, 2]]
        self._row: dict[str, int] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_row": None}

    def file_bytes(self, file: str) -> bytes:
        """The bytes of one member, checked; ImageError gives the reason alone."""
        if self._row is None:
            self._row = {known: row for row, known in enumerate(self.names)}
        if file not in self._row:
            raise ImageError(f"there is no member {file!r} in {self.location}")
        return self._archive.read(Member(file, *self._table[self._row[file]].tolist()))


def left_out_reason(name: str) -> str | None:
    """Why a member is not listed, or None when it is."""
    if not is_text(name):
        return BAD_NAME
    return None if is_picture(name) else NOT_A_PICTURE


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
            wide = iter(struct.unpack_from(f"<{min(length, 24) // 8}Q", fields, start + 4))
            size = next(wide, size) if size == _UNSET else size
            packed = next(wide, packed) if packed == _UNSET else packed
            offset = next(wide, offset) if offset == _UNSET else offset
            break
        start += 4 + length
    return size, packed, offset
