"""JPEG 2000 (ISO/IEC 15444-1), in its box file or as a bare codestream: grey and colour of 1 to 16 bits.

The structure is walked before OpenJPEG sees the codestream: every tile must be there, and its end marker.
Values of 8 to 16 bits stay as they are stored, fewer are stretched to 0..255; signed ones become int16. Opacity is
laid on white; colour profiles are not applied.
"""

from dataclasses import dataclass

import numpy as np

from striate.errors import ImageError
from striate.pixels.formats.colour import on_white, stretched, turned, upright_size
from striate.pixels.formats.content import CUT_SHORT, Content
from striate.pixels.formats.tiff_header import exif_orientation
from striate.pixels.limits import limits
from striate.pixels.picture import Description, ImageArray

_MODES = {1: "grey", 2: "grey+alpha", 3: "RGB", 4: "RGBA"}
_SIZ, _START_OF_TILE, _END = 0xFF51, 0xFF90, 0xFFD9
# The UUID under which EXIF stands in a JP2 file.
_EXIF = b"JpgTiffExif->JP2"
_CHANNELS, _PALETTE, _COLOUR = b"cdef", b"pclr", b"colr"
_READ_COLOURS = {16: "sRGB", 17: "grey"}


@dataclass(frozen=True)
class Header:
    """Where the codestream is, and what its SIZ marker says."""

    start: int
    end: int
    height: int
    width: int
    samples: int
    bits: int
    signed: bool
    tiles: int
    orientation: int

    @property
    def depth(self) -> str:
        """The dtype of the pixels."""
        return "int16" if self.signed else "uint8" if self.bits <= 8 else "uint16"


def describe(content: Content) -> Description:
    """What the picture will be; ImageError gives the reason why it is not read."""
    header = _header(content)
    height, width = upright_size(header.height, header.width, header.orientation)
    channels = 1 if header.samples < 3 else 3
    return Description(height, width, channels, header.depth, "JPEG2000", _MODES[header.samples], header.bits)


def decode(data: bytes) -> ImageArray:
    """The pixels, to the last one; ImageError gives the reason."""
    import imagecodecs

    header = _header(Content(data))
    stream = data[header.start : header.end]
    _check_tiles(Content(stream), header.tiles)
    samples = imagecodecs.jpeg2k_decode(stream, numthreads=1)
    samples = samples.reshape(header.height, header.width, header.samples)
    if header.signed:
        pixels = samples.astype(np.int16)
    elif header.bits < 8:
        pixels = stretched(samples.astype(np.uint8), header.bits)
    else:
        pixels = samples.astype(header.depth, copy=False)
    pixels = on_white(_full_range(pixels, header.bits)) if header.samples in (2, 4) else pixels
    return turned(pixels, header.orientation)


def _full_range(samples: np.ndarray, bits: int) -> np.ndarray:
    if bits in (8, 16) or bits < 8:
        return samples
    raise ImageError(f"opacity beside {bits}-bit samples is not read; save it without opacity")


def _header(content: Content) -> Header:
    start, end, orientation = 0, len(content), 1
    if content[0:4] != b"\xff\x4f\xff\x51":
        start, end, orientation = _boxes(content)
    if content.unpack(">HH", start) != (0xFF4F, _SIZ):
        raise ImageError("the JPEG 2000 does not begin with its size: it is damaged")
    right, low, left, top, tile_width, tile_height, tile_left, tile_top = content.unpack(">8I", start + 8)
    samples = content.unpack(">H", start + 40)[0]
    height, width = low - top, right - left
    if samples not in _MODES:
        raise ImageError(f"it has {samples} samples a pixel; save it as grey or RGB, with or without opacity")
    kinds = {content.exactly(start + 42 + 3 * index, 3) for index in range(samples)}
    bits, signed = (min(kinds)[0] & 127) + 1, bool(min(kinds)[0] & 128)
    if len(kinds) > 1 or min(kinds)[1:] != b"\1\1":
        raise ImageError("its samples differ in size or depth; save it anew with one size and depth for all")
    if bits > 16 or (signed and samples in (2, 4)):
        raise ImageError(f"samples of {bits} bits of this kind are not read; save it with 8 or 16 bits")
    limits().check_image(height, width, samples, 1 if bits <= 8 and not signed else 2)
    if min(tile_width, tile_height) < 1 or tile_left > left or tile_top > top:
        raise ImageError("its tiles do not cover the picture: it is damaged")
    tiles = -(-(right - tile_left) // tile_width) * -(-(low - tile_top) // tile_height)
    return Header(start, end, height, width, samples, bits, signed, tiles, orientation)


def _boxes(content: Content) -> tuple[int, int, int]:
    """Start and end of the codestream in a box file, and the orientation."""
    stream: tuple[int, int] | None = None
    orientation, start = 1, 0
    while start < len(content):
        kind, inside, end = _box(content, start)
        if kind == b"jp2h":
            _check_header_boxes(content, inside, end)
        elif kind == b"jp2c" and stream is None:
            stream = inside, end
        elif kind == b"uuid" and content[inside : inside + 16] == _EXIF:
            orientation = exif_orientation(content[inside + 16 : end])
        start = end
    if stream is None:
        raise ImageError("the JPEG 2000 holds no codestream: it is cut short or damaged")
    return *stream, orientation


def _box(content: Content, start: int) -> tuple[bytes, int, int]:
    """Name of a box, where its content starts and where it ends (Annex I.4)."""
    length, kind, inside = content.unpack(">I", start)[0], content.exactly(start + 4, 4), start + 8
    if length == 1:
        length, inside = content.unpack(">Q", start + 8)[0], start + 16
    end = start + length if length else len(content)
    if end < inside:
        raise ImageError("a box of the JPEG 2000 is damaged")
    if end > len(content):
        raise ImageError(CUT_SHORT)
    return kind, inside, end


def _check_header_boxes(content: Content, start: int, stop: int) -> None:
    while start < stop:
        kind, inside, end = _box(content, start)
        if kind == _PALETTE:
            raise ImageError("a palette in JPEG 2000 is not read; save it as RGB")
        if kind == _COLOUR and content.unpack("B", inside)[0] == 1:
            space = content.unpack(">I", inside + 3)[0]
            if space not in _READ_COLOURS:
                raise ImageError(
                    f"its colours (JPEG 2000 space {space}) are not read; save it as sRGB or grey"
                )
        if kind == _CHANNELS:
            _check_order(content, inside)
        start = end


def _check_order(content: Content, start: int) -> None:
    """Raises ImageError unless colours stand in their order, with opacity behind them (Annex I.5.3.6)."""
    count = content.unpack(">H", start)[0]
    for index in range(min(count, 4)):
        channel, kind, colour = content.unpack(">HHH", start + 2 + 6 * index)
        if (
            channel != index
            or kind > 1
            or (kind == 0 and colour != index + 1)
            or (kind == 1) != (index == count - 1 and count in (2, 4))
        ):
            raise ImageError("its channels are not in their usual order; save it anew as RGB")


def _check_tiles(stream: Content, tiles: int) -> None:
    """Walks the tiles from one to the next; every one must be there, and the end (Annex A.4.2)."""
    start = 2
    while (marker := stream.unpack(">H", start)[0]) != _START_OF_TILE:
        if marker == _END or marker < 0xFF00:
            raise ImageError("the JPEG 2000 holds no tiles: it is damaged")
        start += 2 + stream.unpack(">H", start + 2)[0]
    seen: set[int] = set()
    while (marker := stream.unpack(">H", start)[0]) == _START_OF_TILE:
        tile, length = stream.unpack(">HI", start + 4)
        seen.add(tile)
        if length == 0:
            # The last tile may leave its length open, up to the end marker.
            length = len(stream) - 2 - start
        if length < 14:
            raise ImageError("a tile of the JPEG 2000 is damaged")
        start += length
    if marker != _END:
        raise ImageError("a tile of the JPEG 2000 is damaged, or it is cut short")
    if seen != set(range(min(tiles, 65536))):
        raise ImageError("the JPEG 2000 lacks tiles: it is cut short or damaged")
