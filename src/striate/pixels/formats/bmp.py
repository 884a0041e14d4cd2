"""BMP: 1 to 32 bits a pixel, run-length coded or not, palettes and bit fields, as Pillow reads them.

A palette becomes three channels, but one where it holds black and white or a ramp of grey. Opacity, where the header
declares it, is laid on white.
"""

import io
import struct

import numpy as np
from jaxtyping import UInt8
from PIL import BmpImagePlugin, Image

from striate.errors import ImageError
from striate.pixels.formats.colour import on_white
from striate.pixels.formats.content import Content
from striate.pixels.limits import limits
from striate.pixels.picture import Description, ImageArray

_HEADER_BYTES = 14 + 124 + 12 + 4 * 256
_MODES = {"1": "grey", "L": "grey", "P": "palette", "RGB": "RGB", "RGBA": "RGBA"}
_RUNS = (1, 2)


def describe(content: Content) -> Description:
    """What the picture will be; ImageError gives the reason why it is not read."""
    _check_size(content)
    with BmpImagePlugin.BmpImageFile(io.BytesIO(content[0:_HEADER_BYTES])) as image:
        return _described(content, image)


def decode(data: bytes) -> ImageArray:
    """The pixels, to the last one; ImageError gives the reason."""
    content = Content(data)
    _check_size(content)
    _check_whole(content)
    with BmpImagePlugin.BmpImageFile(io.BytesIO(data)) as image:
        channels = _described(content, image).channels
        if _numbers(content)[3] in _RUNS:
            return np.ascontiguousarray(_from_runs(image, data))
        image.load()
        if image.mode == "RGBA":
            return on_white(np.asarray(image))
        samples = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return samples.reshape(*samples.shape[:2], channels)


def _described(content: Content, image: Image.Image) -> Description:
    if image.mode not in _MODES:
        raise ImageError(f"its kind of pixels ({image.mode}) is not read as BMP; save it as PNG")
    bits = _numbers(content)[2]
    bits = {16: 5, 24: 8, 32: 8}.get(bits, bits)
    channels = 1 if _MODES[image.mode] == "grey" else 3
    return Description(image.height, image.width, channels, "uint8", "BMP", _MODES[image.mode], bits)


def _from_runs(image: Image.Image, data: bytes) -> UInt8[np.ndarray, "height width channel"]:
    """The pixels of run-length coding (Windows GDI, BI_RLE8 and BI_RLE4), in the colours of the opened picture."""
    start, compression = struct.unpack_from("<I", data, 10)[0], struct.unpack_from("<I", data, 30)[0]
    if image.mode not in ("P", "L") or struct.unpack_from("<i", data, 22)[0] < 0:
        raise ImageError("runs of this kind of pixels are not read as BMP; save it as PNG")
    indices = unpack_runs(data[start:], image.height, image.width, 8 if compression == 1 else 4)[::-1]
    if image.mode == "L" or image.palette is None:
        return indices[..., None]
    # Blue, green, red and an unused byte; Pillow's own getpalette would decode the runs first.
    colours = np.frombuffer(bytes(image.palette.palette), np.uint8)
    colours = colours[: len(colours) // 4 * 4].reshape(-1, 4)[:, 2::-1]
    if indices.max() >= len(colours):
        raise ImageError("it uses colours that its palette does not have: it is damaged")
    return colours[indices]


def unpack_runs(packed: bytes, height: int, width: int, bits: int) -> UInt8[np.ndarray, "height width"]:
    """Indices row by row from the bottom; pixels that are skipped have the first colour, as everywhere.

    >>> unpack_runs(bytes([2, 7, 0, 0, 0, 3, 1, 2, 3, 0, 0, 1]), 2, 3, 8)
    array([[7, 7, 0],
           [1, 2, 3]], dtype=uint8)

    Raises ImageError for runs that end before their end mark, or leave the picture.
    """
    indices = np.zeros((height, width), np.uint8)
    row = column = place = 0
    while place + 2 <= len(packed):
        count, value = packed[place], packed[place + 1]
        place += 2
        literal = count == 0 and value > 2
        if count == 0 and value == 1:
            return indices
        if count == 0 and value == 0:
            row, column = row + 1, 0
        elif count == 0 and value == 2:
            # Cut behind the mark, the step is nothing, and there is no end mark either.
            column += sum(packed[place : place + 1])
            row += sum(packed[place + 1 : place + 2])
            place += 2
        else:
            size = value if literal else count
            used = (size * bits + 7) // 8 if literal else 1
            source = packed[place : place + used] if literal else bytes([value])
            place += used + used % 2 if literal else 0
            if row >= height or column + size > width or len(source) < used:
                raise ImageError("its runs leave the picture: it is damaged")
            indices[row, column : column + size] = _levels(source, size, bits)
            column += size
    if row >= height or (row == height - 1 and column == width):
        return indices
    raise ImageError("its runs end before its last pixel: it is cut short")


def _levels(source: bytes, size: int, bits: int) -> UInt8[np.ndarray, " pixel"]:
    """So many indices of 8 or 4 bits, repeated where the source holds fewer."""
    levels = np.frombuffer(source, np.uint8)
    if bits == 4:
        levels = np.column_stack([levels >> 4, levels & 15]).ravel()
    return np.resize(levels, size)


def _numbers(content: Content) -> tuple[int, int, int, int]:
    """Height, width, bits a pixel and compression of the header."""
    if content.unpack("<I", 14)[0] == 12:
        width, height, _, bits = content.unpack("<HHHH", 18)
        return height, width, bits, 0
    width, height, _, bits, compression = content.unpack("<iiHHI", 18)
    return abs(height), width, bits, compression


def _check_size(content: Content) -> None:
    height, width, _, _ = _numbers(content)
    limits().check_image(height, width, 3, 1)


def _check_whole(content: Content) -> None:
    height, width, bits, compression = _numbers(content)
    start = content.unpack("<I", 10)[0]
    plain = (width * bits + 31) // 32 * 4 * height
    size = content.unpack("<I", 34)[0] if compression in _RUNS else plain
    if start + size > len(content):
        raise ImageError("the BMP ends before its last pixel: it is cut short")
