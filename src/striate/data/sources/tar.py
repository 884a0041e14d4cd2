"""The headers of a tar archive, walked once and never unpacked: POSIX ustar and pax, and GNU's long names.

POSIX.1-2017, pax, section "EXTENDED DESCRIPTION"; GNU tar 1.35 manual, section "Basic Tar Format". A million
members are walked in a few seconds.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from striate.data.sources.kinds import is_clutter, is_unusual, leads_out
from striate.data.sources.stores import LINK, NOT_A_FILE
from striate.errors import SourceError

BLOCK = 512
_CHUNK = 1 << 17
_EXTENSION_LIMIT = 1 << 20
_ZEROS = bytes(BLOCK)
_REGULAR = frozenset((b"0", b"\0", b"7"))
_FOLDER, _LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL, _SPARSE = b"5", b"L", b"K", b"x", b"g", b"S"
_LEFT_OUT = {
    b"1": "a second name of another member",
    b"2": LINK,
    b"3": NOT_A_FILE,
    b"4": NOT_A_FILE,
    b"6": NOT_A_FILE,
    _SPARSE: "stored with holes (a sparse file)",
}

Read = Callable[[int, int], bytes]
"""Bytes of the archive by place and number."""


class Entry(NamedTuple):
    """One member: where its data are, and why it is not to be listed, if so."""

    name: str
    offset: int
    size: int
    reason: str


class TarError(Exception):
    """The reason why a tar cannot be walked on."""


def walk_tar(read: Read, length: int, location: str) -> Iterator[Entry]:
    """Every member but folders; SourceError for an archive that is damaged, cut short or hostile."""
    try:
        yield from _Walk(read, length).entries()
    except TarError as error:
        raise SourceError(f"{location} {error}") from None


def is_header(head: bytes) -> bool:
    """Whether 512 bytes are the header of a member: their checksum says so.

    >>> is_header(bytes(512)), is_header(b"hello")
    (False, False)
    """
    if len(head) < BLOCK or head[:BLOCK] == _ZEROS:
        return False
    stated = head[148:156].strip(b" \0")
    try:
        checksum = int(stated, 8)
    except ValueError:
        return False
    # The sum of all bytes with the checksum's own as spaces; Adler-32's lower half is one more, modulo 65521.
    total = checksum - 8 * 32 + sum(head[148:156])
    return (total + 1) % 65521 == zlib.adler32(head[:BLOCK]) & 0xFFFF


class _Walk:
    """One pass over the headers, reading ahead where members are small and skipping where they are large."""

    def __init__(self, read: Read, length: int) -> None:
        self._read, self._length = read, length
        self._chunk, self._start = b"", 0
        self._global: dict[str, str] = {}

    def entries(self) -> Iterator[Entry]:
        position, ahead = 0, _CHUNK
        extension: dict[str, str] = {}
        while position < self._length:
            head = self._block(position, ahead)
            if head == _ZEROS:
                return
            if not is_header(head):
                raise TarError(f"is a damaged tar archive: there is no header at byte {position:,}")
            kind, size = head[156:157], _number(head[124:136])
            data = position + BLOCK
            if kind in (_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK):
                self._extend(kind, self._extension(data, size), extension)
                position = data + _padded(size)
                continue
            known = {**self._global, **extension} if self._global else extension
            size = _stated_size(known.get("size"), size)
            if kind == _SPARSE:
                data = self._after_sparse_map(head, data)
            name = member_name(known["path"]) if "path" in known else _name(head)
            if data + size > self._length:
                raise TarError(f"is cut short: its member {name!r} ends beyond the file")
            if is_unusual(name) and _is_refused_clutter(name):
                pass
            elif kind != _FOLDER and not (kind == b"\0" and name.endswith("/")):
                yield _entry(name, kind, data, size, known)
            extension = {}
            ahead = _CHUNK if size < _CHUNK // 8 else BLOCK
            position = data + _padded(size)

    def _block(self, position: int, ahead: int) -> bytes:
        offset = position - self._start
        if offset + BLOCK > len(self._chunk):
            self._chunk, self._start = self._read(position, ahead), position
            offset = 0
        return self._chunk[offset : offset + BLOCK]

    def _extension(self, position: int, size: int) -> bytes:
        if size > _EXTENSION_LIMIT:
            raise TarError(f"is refused: a header in it claims {size:,} bytes of names")
        data = self._read(position, size)
        if len(data) < size:
            raise TarError("is cut short inside a header")
        return data

    def _extend(self, kind: bytes, data: bytes, extension: dict[str, str]) -> None:
        if kind == _LONG_NAME:
            extension["path"] = _text(data.rstrip(b"\0"))
        elif kind == _PAX:
            extension.update(_pax_records(data))
        elif kind == _PAX_GLOBAL:
            self._global.update(_pax_records(data))

    def _after_sparse_map(self, head: bytes, position: int) -> int:
        """Where the data begin behind the further blocks of an old GNU map of holes."""
        more = head[482]
        while more:
            block = self._block(position, _CHUNK)
            if len(block) < BLOCK:
                raise TarError("is cut short inside a header")
            more, position = block[504], position + BLOCK
        return position


def _entry(name: str, kind: bytes, offset: int, size: int, known: dict[str, str]) -> Entry:
    if kind in _REGULAR:
        sparse = any(key.startswith("GNU.sparse") for key in known) if known else False
        return Entry(name, offset, size, _LEFT_OUT[_SPARSE] if sparse else "")
    return Entry(name, offset, size, _LEFT_OUT.get(kind, f"of an unknown kind ({kind!r})"))


def _is_refused_clutter(name: str) -> bool:
    """Whether a member with an unusual name is clutter; TarError where it leads out of the archive."""
    if leads_out(name):
        raise TarError(
            f"is refused: its member {name!r} has a name that leads out of the archive; "
            "pack the pictures anew as plain files"
        )
    return is_clutter(name)


def _name(head: bytes) -> str:
    name = head[:100].split(b"\0", 1)[0]
    if head[257:263] == b"ustar\0" and head[345]:
        name = head[345:500].split(b"\0", 1)[0] + b"/" + name
    return member_name(_text(name))


def member_name(name: str) -> str:
    """A member's name with '/' between folders and no './' before it."""
    return name.replace("\\", "/").removeprefix("./")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _number(field: bytes) -> int:
    """A size: octal digits, or GNU's binary number where the first bit is set."""
    if field[0] & 0x80:
        return int.from_bytes(field, "big") & ~(0x80 << 88)
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        raise TarError(f"is a damaged tar archive: {field!r} is no size") from None


def _stated_size(stated: str | None, size: int) -> int:
    if stated is None:
        return size
    if not (stated.isascii() and stated.isdecimal() and len(stated) < 20):
        raise TarError(f"is a damaged tar archive: {stated!r} is no size")
    return int(stated)


def _padded(size: int) -> int:
    return (size + BLOCK - 1) // BLOCK * BLOCK


def _pax_records(data: bytes) -> dict[str, str]:
    """The records `length key=value` of an extended header, those that name the file and its size."""
    found: dict[str, str] = {}
    start = 0
    while start < len(data) and data[start]:
        stated, space, _ = data[start : start + 12].partition(b" ")
        length = int(stated) if space and stated.isdigit() else 0
        key, equals, value = data[start + len(stated) + 1 : start + length - 1].partition(b"=")
        if not equals or start + length > len(data):
            raise TarError("is a damaged tar archive: an extended header cannot be read")
        name = _text(key)
        if name in ("path", "size") or name.startswith("GNU.sparse"):
            found["path" if name == "GNU.sparse.name" else name] = _text(value)
        start += length
    return found
