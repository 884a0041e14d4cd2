"""A DICOM file up to its pixel data (PS3.10): meta header, transfer syntax, the few tags that pixels need.

The data set keeps only the tags asked for, so a patient's name is not even in memory. Pixel data are not
copied: they are a view of the file's bytes.
"""

import io
import os
import stat
import struct
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from striate.errors import ImageError
from striate.pixels.dicom.header import (
    DOUBLE_FLOAT_PIXEL_DATA,
    FLOAT_PIXEL_DATA,
    PIXEL_DATA,
    layout_of,
)
from striate.pixels.dicom.privacy import silenced
from striate.pixels.limits import INFLATION_FREE_BYTES, limits

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Span = tuple[int, int]
DicomSource = bytes | str | os.PathLike

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
UNDEFINED = 0xFFFFFFFF

_PIXEL_TAGS = frozenset({PIXEL_DATA, FLOAT_PIXEL_DATA, DOUBLE_FLOAT_PIXEL_DATA})
_LONG_FORMS = frozenset(b"OB OD OF OL OV OW SQ UC UN UR UT SV UV".split())
_REPRESENTATIONS = _LONG_FORMS | frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split()
)
_META_GROUP = 0x0002
_MOST_ELEMENTS = 20_000
_MOST_HEADER_BYTES = 16 << 20
_AFTER_PIXELS = 64 << 10
_PIECE = 1 << 20


@dataclass(frozen=True, eq=False, repr=False)
class DicomFile:
    """The tags asked for, and where the pixel data are: `body` is empty when the header alone was read.

    `words` says that bytes stand in words of 16 bits; `spans` are the fragments of each frame, once looked up.
    """

    dataset: "Dataset"
    syntax: str
    pixel_tag: int
    words: bool
    undefined_length: bool
    length: int
    body: memoryview
    spans: list[list[Span]] = field(default_factory=list)

    @property
    def big_endian(self) -> bool:
        """Whether numbers stand with their highest byte first."""
        return self.syntax == EXPLICIT_BIG


class _Bounded:
    """A file of which no more can be asked than it has: a length in a header may claim gigabytes."""

    def __init__(self, file: io.BufferedReader, size: int) -> None:
        self._file = file
        self._size = size
        self.seek = file.seek
        self.tell = file.tell

    def read(self, count: int = -1) -> bytes:
        """At most `count` bytes, all that are left when it is negative."""
        left = max(0, self._size - self._file.tell())
        return self._file.read(left if count < 0 else min(count, left))


_Stream = io.BytesIO | _Bounded


def open_dicom(source: DicomSource, keywords: Collection[str], *, pixels: bool) -> DicomFile:
    """The tags named by `keywords`, and with `pixels` (for bytes only) the pixel data as they are encoded.

    Raises ImageError for bytes that are no DICOM file, and for deflated ones that inflate to more than their
    header accounts for.
    """
    from pydicom.datadict import tag_for_keyword

    tags = [tag for tag in map(tag_for_keyword, keywords) if tag is not None]
    with silenced(), _stream(source) as stream:
        start, syntax = _transfer_syntax(stream)
        stream.seek(start)
        if syntax == DEFLATED:
            return _deflated(stream.read(), tags, pixels)
        file = _header(stream, syntax, tags)
        if not pixels or not file.pixel_tag:
            return file
        return _with_body(file, memoryview(cast(bytes, source))[stream.tell() :])


@contextmanager
def _stream(source: DicomSource) -> Iterator[_Stream]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    try:
        size = _size(source)
        with open(source, "rb") as file:
            yield _Bounded(file, size)
    except FileNotFoundError:
        raise ImageError("there is no such file") from None
    except PermissionError:
        raise ImageError("there is no permission to read it") from None


def _size(path: str | os.PathLike) -> int:
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise ImageError("it is no regular file")
    limits().check_file(status.st_size)
    return status.st_size


def _transfer_syntax(stream: _Stream) -> tuple[int, str]:
    """Where the data set starts, and how it is encoded; guessed only where the meta header is missing."""
    from pydicom.filereader import read_dataset

    head = stream.read(140)
    if head[128:132] == b"DICM":
        stream.seek(132)
    elif _begins_a_data_set(head):
        stream.seek(0)
    else:
        raise ImageError(
            "it is no DICOM file: neither the mark DICM nor a data set begins it; export it again"
        )
    start = stream.tell()
    if int.from_bytes(stream.read(2), "little") != _META_GROUP:
        return start, _guessed(stream, start)
    stream.seek(start)
    meta = read_dataset(
        cast(Any, stream), False, True, stop_when=lambda tag, _vr, _length: tag >> 16 != _META_GROUP
    )
    start = stream.tell()
    syntax = str(meta.get("TransferSyntaxUID") or "")
    return start, syntax or _guessed(stream, start)


def _begins_a_data_set(head: bytes) -> bool:
    group, element, length = struct.unpack_from("<HHL", head.ljust(8, b"\0"))
    explicit = head[4:6] in _REPRESENTATIONS
    return group in (_META_GROUP, 0x0008) and element < 0x0100 and (explicit or 0 < length < 1024)


def _guessed(stream: _Stream, start: int) -> str:
    stream.seek(start)
    return EXPLICIT_LITTLE if stream.read(6)[4:6] in _REPRESENTATIONS else IMPLICIT_LITTLE


def _header(stream: _Stream, syntax: str, tags: list[int], *, whole: bool = True) -> DicomFile:
    """The data set up to its pixel data; the stream is left where their value begins, or is not `whole` yet."""
    from pydicom.filereader import read_dataset

    seen = 0

    def at_pixels(tag: int, _vr: Any, _length: int) -> bool:
        nonlocal seen
        seen += 1
        if seen > _MOST_ELEMENTS:
            raise ImageError(f"its DICOM header has more than {_MOST_ELEMENTS:,} elements")
        return int(tag) in _PIXEL_TAGS

    little = syntax != EXPLICIT_BIG
    implicit = syntax == IMPLICIT_LITTLE
    dataset = read_dataset(cast(Any, stream), implicit, little, stop_when=at_pixels, specific_tags=list(tags))
    implicit = bool(dataset.original_encoding[0])
    order = "<" if little else ">"
    start = stream.tell()
    if whole and (start > stream.seek(0, os.SEEK_END) or any(map(_is_short, dataset.values()))):
        raise ImageError("its DICOM header is damaged: an element goes on beyond the file; export it again")
    stream.seek(start)
    head = stream.read(12).ljust(12, b"\0")
    group, element = struct.unpack_from(order + "HH", head)
    pixel_tag = group << 16 | element
    if pixel_tag not in _PIXEL_TAGS:
        return DicomFile(dataset, syntax, 0, False, False, 0, memoryview(b""))
    kind = b"" if implicit else head[4:6]
    length_at = 8 if kind in _LONG_FORMS else 4 if implicit else 6
    (length,) = struct.unpack_from(order + ("H" if length_at == 6 else "L"), head, length_at)
    stream.seek(start + (12 if length_at == 8 else 8))
    undefined = length == UNDEFINED
    return DicomFile(dataset, syntax, pixel_tag, kind == b"OW", undefined, length, memoryview(b""))


def _is_short(element: Any) -> bool:
    """Whether an element that was read has less than it claims."""
    value, length = element.value, getattr(element, "length", 0)
    return isinstance(value, bytes) and length != UNDEFINED and len(value) < length


def _with_body(file: DicomFile, rest: memoryview) -> DicomFile:
    return replace(file, body=rest if file.undefined_length else rest[: file.length])


def _deflated(packed: bytes, tags: list[int], pixels: bool) -> DicomFile:
    """A deflated data set (PS3.5, section A.5), inflated no further than its own header accounts for."""
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    head = engine.decompress(packed, _MOST_HEADER_BYTES)
    stream = io.BytesIO(head)
    file = _header(stream, EXPLICIT_LITTLE, tags, whole=engine.eof)
    start = stream.tell()
    if not file.pixel_tag:
        if not engine.eof:
            raise ImageError(
                f"its header inflates to more than {_MOST_HEADER_BYTES:,} bytes before any pixel, or is cut short"
            )
        return file
    expected = start + layout_of(file.dataset, file.pixel_tag).native_bytes() + _AFTER_PIXELS
    limits().check_inflation(expected, len(packed))
    if not pixels:
        return file
    if expected > INFLATION_FREE_BYTES:
        for _ in _pieces(packed, expected):  # counted before there is room made for them
            pass
    return _with_body(file, memoryview(b"".join(_pieces(packed, expected)))[start:])


def _pieces(packed: bytes, expected: int) -> Iterator[bytes]:
    """Deflated data piece by piece; ImageError where they go on beyond what is expected, or have no end."""
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    left, rest = expected, packed
    while not engine.eof:
        piece = engine.decompress(rest, _PIECE)
        rest = engine.unconsumed_tail
        left -= len(piece)
        if left < 0:
            raise ImageError(
                f"it inflates to more than the {expected:,} bytes that its own header accounts for"
            )
        if not piece and not rest and not engine.eof:
            raise ImageError("its deflated data are cut short; export it again")
        yield piece
