"""PNG (ISO/IEC 15948): every kind of pixels, each chunk checked before a decoder sees the file.

Grey and colour of 8 and 16 bits stay as they are, fewer bits are stretched to 0..255, a palette becomes three
channels. Opacity, of whichever kind, is laid on white. Of an animation the still picture is taken. Colour
profiles, gamma and texts are not applied, nor even inflated.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from striate.errors import ImageError
from striate.pixels.formats.colour import (
    WholeSamples,
    few_bits,
    key_on_white,
    on_white,
    stretched,
    turned,
    upright_size,
)
from striate.pixels.formats.content import Content
from striate.pixels.formats.tiff_header import exif_orientation
from striate.pixels.limits import limits
from striate.pixels.picture import Description, ImageArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGBA = 0, 2, 3, 4, 6
_KINDS: dict[int, tuple[str, int, tuple[int, ...]]] = {
    _GREY: ("grey", 1, (1, 2, 4, 8, 16)),
    _RGB: ("RGB", 3, (8, 16)),
    _PALETTE: ("palette", 1, (1, 2, 4, 8)),
    _GREY_ALPHA: ("grey+alpha", 2, (8, 16)),
    _RGBA: ("RGBA", 4, (8, 16)),
}
"""Name, samples a pixel and allowed bits of each colour type (section 11.2.2)."""

_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
"""First row and column and steps of each pass of an interlaced picture."""
_CHUNK = struct.Struct(">I4s")
_PLAIN = [b"IHDR", b"IDAT", b"IEND"]
_SMALL = 1 << 12
"""Bytes of samples up to which libpng's own inflating costs less than what it saves."""
Chunk = tuple[bytes, int, int]


@dataclass(frozen=True)
class Header:
    """What the chunks say of the pixels; `transparent` is the content of tRNS."""

    height: int
    width: int
    bits: int
    kind: int
    interlaced: bool
    transparent: bytes
    orientation: int

    @property
    def samples(self) -> int:
        """Samples a pixel as stored."""
        return _KINDS[self.kind][1]


def describe(content: Content) -> Description:
    """What the picture will be; ImageError gives the reason why it is not read."""
    chunks = list(_chunks(content))
    return _described(_header(content, chunks), _frames(content, chunks))


def read(data: bytes) -> tuple[Description, ImageArray]:
    """What the picture is and its pixels, to the last one; ImageError gives the reason."""
    content = Content(data)
    chunks = list(_chunks(content))
    header = _header(content, chunks)
    stored = _stored(data, chunks, header)
    painted = (
        _painted(stored, data, chunks, header) if header.kind == _PALETTE else _laid_on_white(stored, header)
    )
    return _described(header, _frames(content, chunks)), turned(painted, header.orientation)


def _described(header: Header, frames: int) -> Description:
    height, width = upright_size(header.height, header.width, header.orientation)
    name = _KINDS[header.kind][0]
    if header.transparent:
        name += "+alpha" if header.kind == _PALETTE else "+key"
    channels = 1 if header.kind in (_GREY, _GREY_ALPHA) else 3
    depth = "uint16" if header.bits == 16 else "uint8"
    return Description(height, width, channels, depth, "PNG", name, header.bits, frames=frames)


def _frames(content: Content, chunks: list[Chunk]) -> int:
    """Frames of an animated PNG, as its chunk acTL says, which stands before the pixels."""
    for name, start, length in chunks:
        if name == b"acTL" and length == 8:
            return max(1, content.unpack(">I", start)[0])
        if name == b"IDAT":
            break
    return 1


def _chunks(content: Content) -> Iterator[Chunk]:
    """Name, start and length of the content of each chunk, up to the end of the picture."""
    if content[0:8] != SIGNATURE:
        raise ImageError("it is no PNG")
    start, end = 8, len(content)
    while start + 12 <= end:
        length, kind = _CHUNK.unpack(content[start : start + 8])
        if start + 12 + length > end:
            raise ImageError(f"the PNG ends inside its chunk {_printed(kind)}: it is cut short")
        yield kind, start + 8, length
        if kind == b"IEND":
            return
        start += 12 + length
    raise ImageError("the PNG has no end: it is cut short")


def _header(content: Content, chunks: list[Chunk]) -> Header:
    found: dict[bytes, tuple[int, int]] = {}
    for kind, start, length in chunks:
        if not found and kind != b"IHDR":
            raise ImageError(
                "its PNG is of Apple's own kind; save it anew as plain PNG"
                if kind == b"CgBI"
                else "the PNG does not begin with its header: it is damaged"
            )
        found.setdefault(kind, (start, length))
    if b"IDAT" not in found:
        raise ImageError("the PNG holds no pixels: it is damaged")
    width, height, bits, kind, packing, filtering, interlace = content.unpack(">IIBBBBB", found[b"IHDR"][0])
    if kind not in _KINDS or bits not in _KINDS[kind][2] or packing or filtering or interlace > 1:
        raise ImageError(f"its kind of pixels (PNG type {kind} of {bits} bits) does not exist: it is damaged")
    limits().check_image(height, width, _KINDS[kind][1], 2 if bits == 16 else 1)
    if kind == _PALETTE and b"PLTE" not in found:
        raise ImageError("the PNG lacks its palette: it is damaged")
    transparent = _small(content, found.get(b"tRNS")) if kind in (_GREY, _RGB, _PALETTE) else b""
    if transparent and kind != _PALETTE and len(transparent) != 2 * _KINDS[kind][1]:
        raise ImageError("its transparent colour is not what it should be: it is damaged")
    exif = found.get(b"eXIf")
    orientation = exif_orientation(content.exactly(*exif)) if exif else 1
    return Header(height, width, bits, kind, bool(interlace), transparent, orientation)


def _small(content: Content, place: tuple[int, int] | None) -> bytes:
    return content.exactly(place[0], min(place[1], 256)) if place else b""


def _stored(data: bytes, chunks: list[Chunk], header: Header) -> WholeSamples:
    """The samples as stored; a small plain file goes to libpng as it is, which gives the same in half the time."""
    import imagecodecs

    parts = _packed_rows(data, chunks)
    size = header.height * header.width * header.samples * header.bits // 8
    plain = header.kind != _PALETTE and header.bits >= 8 and not header.interlaced
    small = size <= _SMALL and sum(map(len, parts)) <= 2 * _SMALL  # or it may inflate without end
    if plain and small and [kind for kind, _, _ in chunks] == _PLAIN:
        # What libpng refuses may be no more than a wrong checksum within the stream: the longer way decides.
        with suppress(imagecodecs.PngError):
            return imagecodecs.png_decode(data).reshape(header.height, header.width, header.samples)
    return _samples(b"".join(parts), header)


def _packed_rows(data: bytes, chunks: list[Chunk]) -> list[memoryview]:
    """The deflated rows, once the checksum of every critical chunk has been verified."""
    view = memoryview(data)
    parts: list[memoryview] = []
    for kind, start, length in chunks:
        critical = not kind[0] & 0x20
        end = start + length
        if critical and zlib.crc32(view[start - 4 : end]) != int.from_bytes(view[end : end + 4]):
            raise ImageError(f"the checksum of its PNG chunk {_printed(kind)} is wrong: it is damaged")
        if kind == b"IDAT":
            parts.append(view[start:end])
        elif critical and kind not in (b"IHDR", b"PLTE", b"IEND"):
            raise ImageError(f"it needs the PNG chunk {_printed(kind)}, which is not known here")
    return parts


def _samples(packed: bytes, header: Header) -> WholeSamples:
    """The samples as stored, pass by pass, those of less than 8 bits not yet stretched."""
    samples = np.empty(
        (header.height, header.width, header.samples), np.uint16 if header.bits == 16 else np.uint8
    )
    steps = _ADAM7 if header.interlaced else ((0, 0, 1, 1),)
    targets = [samples[top::down, left::right] for top, left, down, right in steps]
    targets = [target for target in targets if target.size]
    strides = [(target.shape[1] * header.samples * header.bits + 7) // 8 for target in targets]
    # Each row has its filter's number in front (section 7.2).
    sizes = [len(target) * (1 + stride) for target, stride in zip(targets, strides, strict=True)]
    rows = _inflated(packed, sum(sizes))
    start = 0
    for target, stride, size in zip(targets, strides, sizes, strict=True):
        part = rows[start : start + size] if len(targets) > 1 else rows
        if header.bits < 8:
            narrow = _unfiltered(part, (len(target), stride, 1), 8)[..., 0]
            target[..., 0] = few_bits(narrow, target.shape[1], header.bits)
        else:
            target[:] = _unfiltered(part, target.shape, header.bits)
        start += size
    return samples


def _inflated(packed: bytes, size: int) -> bytes:
    """The rows of all passes, and nothing that may lie behind them."""
    import imagecodecs

    try:
        rows = imagecodecs.deflate_decode(packed, out=size)
    except imagecodecs.DeflateError:
        # libdeflate takes no stream that goes on behind the last row, where zlib can stop.
        rows = zlib.decompressobj().decompress(packed, size)
    if len(rows) != size:
        raise ImageError("the PNG ends before its last row: it is cut short")
    return bytes(rows)


def _unfiltered(rows: bytes, shape: tuple[int, ...], bits: int) -> WholeSamples:
    """The rows without their filters, undone by libpng, which sees a header and these rows alone.

    Filters work on bytes: rows of less than 8 bits a sample pass as rows of grey bytes (section 9.2).
    """
    import imagecodecs

    kind = {1: _GREY, 2: _GREY_ALPHA, 3: _RGB, 4: _RGBA}[shape[2]]
    header = struct.pack(">IIBBBBB", shape[1], shape[0], bits, kind, 0, 0, 0)
    parts = [
        SIGNATURE,
        *_chunk(b"IHDR", header),
        *_chunk(b"IDAT", zlib.compress(rows, 0)),
        *_chunk(b"IEND", b""),
    ]
    return imagecodecs.png_decode(b"".join(parts)).reshape(shape)


def _chunk(kind: bytes, data: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    return struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))


def _painted(
    indices: UInt8[np.ndarray, "height width 1"], data: bytes, chunks: list[Chunk], header: Header
) -> UInt8[np.ndarray, "height width 3"]:
    start, length = next((start, length) for kind, start, length in chunks if kind == b"PLTE")
    colours = np.frombuffer(data[start : start + length // 3 * 3], np.uint8).reshape(-1, 3)
    if indices.max() >= len(colours):
        raise ImageError("it uses colours that its palette does not have: it is damaged")
    opacity = np.full(len(colours), 255, np.uint8)
    given = np.frombuffer(header.transparent, np.uint8)[: len(colours)]
    opacity[: len(given)] = given
    palette = on_white(np.column_stack([colours, opacity])[None])[0]
    return palette[indices[..., 0]]


def _laid_on_white(samples: WholeSamples, header: Header) -> ImageArray:
    if header.kind in (_GREY_ALPHA, _RGBA):
        return on_white(samples)
    if header.transparent:
        samples = _key_on_white(samples, header)
    return stretched(samples, header.bits) if header.bits < 8 else samples


def _key_on_white(samples: WholeSamples, header: Header) -> WholeSamples:
    key = struct.unpack(f">{header.samples}H", header.transparent)
    full = (1 << header.bits) - 1
    return key_on_white(samples, tuple(value & full for value in key), full)


def _printed(kind: bytes) -> str:
    return "".join(chr(byte) if 32 < byte < 127 else "?" for byte in kind)
