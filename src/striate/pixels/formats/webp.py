"""WebP (RFC 9649): with and without loss, opacity laid on white, the first frame of an animation."""

import io
from collections.abc import Iterator

import numpy as np
from PIL import WebPImagePlugin

from striate.errors import ImageError
from striate.pixels.formats.colour import on_white, turned, upright_size
from striate.pixels.formats.content import Content
from striate.pixels.formats.tiff_header import exif_orientation
from striate.pixels.limits import limits
from striate.pixels.picture import Description, ImageArray

_HAS_ALPHA = 0x10


def describe(content: Content) -> Description:
    """What the picture will be; ImageError gives the reason why it is not read."""
    height, width, alpha, orientation = _header(content)
    height, width = upright_size(height, width, orientation)
    frames = sum(name == b"ANMF" for name, _, _ in _chunks(content))
    mode = "RGBA" if alpha else "RGB"
    return Description(height, width, 3, "uint8", "WEBP", mode, 8, frames=max(1, frames))


def decode(data: bytes) -> ImageArray:
    """The pixels, to the last one; ImageError gives the reason."""
    *_, orientation = _header(Content(data))
    with WebPImagePlugin.WebPImageFile(io.BytesIO(data)) as image:
        image.load()
        samples = np.asarray(image)
    return turned(on_white(samples) if samples.shape[2] == 4 else samples, orientation)


def _chunks(content: Content) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and length of the content of each chunk; the whole file must be there."""
    end = 8 + content.unpack("<I", 4)[0]
    if end > len(content):
        raise ImageError("the WebP ends before its time: it is cut short")
    start = 12
    while start + 8 <= end:
        name, length = content.exactly(start, 4), content.unpack("<I", start + 4)[0]
        if start + 8 + length > end:
            raise ImageError("a chunk of the WebP is longer than the file: it is damaged")
        yield name, start + 8, length
        start += 8 + length + length % 2


def _header(content: Content) -> tuple[int, int, bool, int]:
    """Height, width, whether there is opacity, and the orientation; the limits are kept."""
    size: tuple[int, int, bool] | None = None
    orientation = 1
    for name, start, length in _chunks(content):
        if size is None:
            size = _size(content, name, start)
            # The decoder's canvas, and its copy of the frame before.
            limits().check_image(size[0], size[1], 4, 1)
        elif name == b"EXIF":
            orientation = exif_orientation(content.exactly(start, length))
        elif name in (b"VP8 ", b"VP8L", b"ANMF"):
            _check_frame(content, name, start, size)
    if size is None:
        raise ImageError("the WebP holds no picture")
    return *size, orientation


def _check_frame(content: Content, name: bytes, start: int, canvas: tuple[int, int, bool]) -> None:
    """Raises ImageError for a frame larger than its canvas, before anything makes room for it."""
    if name == b"ANMF":
        width = 1 + int.from_bytes(content.exactly(start + 6, 3), "little")
        height = 1 + int.from_bytes(content.exactly(start + 9, 3), "little")
    else:
        height, width, _ = _size(content, name, start)
    if height > canvas[0] or width > canvas[1]:
        raise ImageError("a frame of the WebP is larger than its canvas: it is damaged")


def _size(content: Content, name: bytes, start: int) -> tuple[int, int, bool]:
    """Height, width and opacity by the first chunk (RFC 9649, sections 2.5 to 2.7 and 3.4)."""
    if name == b"VP8X":
        width = 1 + int.from_bytes(content.exactly(start + 4, 3), "little")
        height = 1 + int.from_bytes(content.exactly(start + 7, 3), "little")
        return height, width, bool(content.unpack("B", start)[0] & _HAS_ALPHA)
    if name == b"VP8L" and content[start : start + 1] == b"\x2f":
        bits = content.unpack("<I", start + 1)[0]
        return 1 + (bits >> 14 & 0x3FFF), 1 + (bits & 0x3FFF), bool(bits >> 28 & 1)
    if name == b"VP8 " and content[start + 3 : start + 6] == b"\x9d\x01\x2a":
        width, height = content.unpack("<HH", start + 6)
        return height & 0x3FFF, width & 0x3FFF, False
    raise ImageError("the WebP does not begin with a picture: it is damaged")
