"""PBM, PGM and PPM (Netpbm formats P1 to P6), binary and plain: 1, 8 and 16 bits, grey and colour.

A maximum below 255 is stretched to 0..255; from 256 on values stay as they are stored, 12 bits in 16 included.
"""

import re
import warnings
from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

from striate.errors import ImageError
from striate.pixels.formats.content import Content
from striate.pixels.limits import limits
from striate.pixels.picture import Description, ImageArray

_HEADER_BYTES = 1 << 16
_GAP = rb"(?:[ \t\r\n\v\f]|#[^\r\n]*[\r\n])+"
_NUMBER = _GAP + rb"([0-9]{1,9})"
_BITMAP = re.compile(rb"P([14])" + _NUMBER * 2 + rb"(?:#[^\r\n]*[\r\n]|[ \t\r\n\v\f])")
_MAP = re.compile(rb"P([2356])" + _NUMBER * 3 + rb"(?:#[^\r\n]*[\r\n]|[ \t\r\n\v\f])")


@dataclass(frozen=True)
class Header:
    """Kind (P1 to P6), size, largest value, and where the pixels start."""

    kind: int
    height: int
    width: int
    largest: int
    start: int

    @property
    def channels(self) -> int:
        """Samples a pixel."""
        return 3 if self.kind in (3, 6) else 1


def describe(content: Content) -> Description:
    """What the picture will be; ImageError gives the reason why it is not read."""
    header = _header(content)
    depth = "uint8" if header.largest < 256 else "uint16"
    mode = "RGB" if header.channels == 3 else "grey"
    bits = header.largest.bit_length()
    return Description(header.height, header.width, header.channels, depth, "PPM", mode, bits)


def decode(data: bytes) -> ImageArray:
    """The pixels, to the last one; ImageError gives the reason."""
    header = _header(Content(data))
    shape = (header.height, header.width, header.channels)
    if header.kind == 4:
        return _bits(data, header)
    samples = _plain(data, header) if header.kind < 4 else _binary(data, header)
    if samples.max() > header.largest:
        raise ImageError(f"a value of it is above its own maximum, {header.largest}: it is damaged")
    if header.kind == 1:
        samples = 1 - samples
    if header.largest < 255:
        samples = (samples.astype(np.uint32) * 510 + header.largest) // (2 * header.largest)
    return samples.astype(np.uint8 if header.largest < 256 else np.uint16).reshape(shape)


def _header(content: Content) -> Header:
    head = content[0:_HEADER_BYTES]
    found = _BITMAP.match(head) or _MAP.match(head)
    if found is None:
        raise ImageError("its header is not that of a PBM, PGM or PPM: it is damaged or cut short")
    kind, width, height, *rest = map(int, found.groups())
    largest = rest[0] if rest else 1
    if not 1 <= largest <= 65535:
        raise ImageError(f"its largest value is {largest}; 1 to 65535 are allowed")
    limits().check_image(height, width, 3 if kind in (3, 6) else 1, 1 if largest < 256 else 2)
    return Header(kind, height, width, largest, found.end())


def _binary(data: bytes, header: Header) -> Shaped[np.ndarray, " sample"]:
    dtype = np.dtype("u1" if header.largest < 256 else ">u2")
    count = header.height * header.width * header.channels
    _check_length(len(data) - header.start, count * dtype.itemsize)
    return np.frombuffer(data, dtype, count, header.start)


def _bits(data: bytes, header: Header) -> ImageArray:
    stride = (header.width + 7) // 8
    _check_length(len(data) - header.start, stride * header.height)
    rows = np.frombuffer(data, np.uint8, stride * header.height, header.start).reshape(header.height, stride)
    ink = np.unpackbits(rows, axis=1, count=header.width)
    return ((1 - ink) * np.uint8(255))[..., None]


def _plain(data: bytes, header: Header) -> Shaped[np.ndarray, " sample"]:
    text = re.sub(rb"#[^\r\n]*", b" ", data[header.start :])
    count = header.height * header.width * header.channels
    if header.kind == 1:
        digits = np.frombuffer(text.translate(None, b" \t\r\n\v\f"), np.uint8)[:count]
        _check_length(len(digits), count)
        return digits - np.uint8(ord("0"))
    if text[-1:].isdigit():
        raise ImageError(
            "nothing stands behind its last value, of which digits may be lacking: it is cut short"
        )
    if re.search(rb"[0-9]{6}", text):
        raise ImageError("a value of it has more than five digits: it is damaged")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            values = np.fromstring(text.decode("ascii"), np.int32, sep=" ")[:count]
        except (ValueError, DeprecationWarning):
            raise ImageError("its values are no numbers: it is damaged") from None
    _check_length(len(values), count)
    if values.min() < 0:
        raise ImageError("a value of it is below zero: it is damaged")
    return values


def _check_length(found: int, needed: int) -> None:
    if found < needed:
        raise ImageError("it ends before its last pixel: it is cut short")
