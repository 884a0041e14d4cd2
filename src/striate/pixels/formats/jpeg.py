"""JPEG (ITU-T T.81): baseline, progressive, extended to 12 bits, and lossless to 16; grey, colour and inks.

YCbCr becomes RGB by the decoder (JFIF: ITU-R BT.601, full range). Four inks become light by `(1 - ink) * (1 - black)`
without a colour profile; Adobe's files, which store inks inverted, are known by their marker. Orientation comes from
EXIF. A file must have its end marker: without one it has been cut, and grey rows are not its pixels.
"""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Shaped, UInt8
from PIL import JpegImagePlugin

from striate.errors import ImageError
from striate.pixels.formats.colour import inks_to_light, turned, upright_size
from striate.pixels.formats.content import CUT_SHORT, Content
from striate.pixels.formats.tiff_header import exif_orientation
from striate.pixels.limits import limits
from striate.pixels.picture import Description, ImageArray

_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_LOSSLESS = 0xC3
_PROGRESSIVE = frozenset({0xC2, 0xCA})
_READ = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA})
_START_OF_SCAN, _END = 0xDA, 0xD9
# What ends the packed data of a scan: a marker, neither a stuffed 0xFF nor a restart.
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
# A progressive file has about ten; thousands cost a pass over all the pixels each.
_MOST_SCANS = 100
_BYTES = bytes((7 + 73 * place + place * place // 3) % 255 for place in range(1024))
# Where the file has restart marks, a decoder in want of data waits for the next one.
_NOISE = _BYTES + b"".join(bytes([0xFF, 0xD0 + number]) + _BYTES[:64] for number in range(8))


class Segment(NamedTuple):
    """A marker, and where the content of its segment starts and how long it is."""

    marker: int
    start: int
    length: int


@dataclass(frozen=True)
class Header:
    """What the segments before the first scan say of the pixels; `adobe` is the transform of Adobe's marker."""

    height: int
    width: int
    samples: int
    bits: int
    frame: int
    components: bytes
    adobe: int | None
    jfif: bool
    orientation: int

    @property
    def mode(self) -> str:
        """The file's own kind of pixels."""
        if self.samples == 1:
            return "grey"
        if self.samples == 4:
            return "YCCK" if self.adobe == 2 else "CMYK"
        if self.jfif or self.adobe == 1:
            return "YCbCr"
        return "RGB" if self.adobe == 0 or self.components == b"RGB" else "YCbCr"


def describe(content: Content) -> Description:
    """What the picture will be; ImageError gives the reason why it is not read."""
    return _described(read_header(content))


def _described(header: Header) -> Description:
    height, width = upright_size(header.height, header.width, header.orientation)
    depth = "uint8" if header.bits <= 8 else "uint16"
    channels = 1 if header.samples == 1 else 3
    return Description(height, width, channels, depth, "JPEG", header.mode, header.bits)


def read(data: bytes, draft: tuple[int, int] | None = None) -> tuple[Description, ImageArray]:
    """What the picture is and its pixels, to the last row.

    With `draft` they come at 1/2, 1/4 or 1/8 scale where both sides stay that large.
    """
    header = read_header(Content(data))
    if header.bits == 8 and header.frame != _LOSSLESS:
        asked = upright_size(*draft, header.orientation) if draft else None
        quick = asked is None and header.samples != 4
        samples = decoded_whole(data, header, _quick if quick else lambda whole: _samples(whole, asked))
        if header.samples == 4:
            # Pillow takes every file for one of Adobe's, whose inks are inverted, and turns them round.
            samples = inks_to_light(samples if header.adobe is not None else 255 - samples)
    else:
        samples = _deep_samples(data, header)
    return _described(header), turned(samples, header.orientation)


def read_header(content: Content) -> Header:
    """The header of a file, or of a strip of a TIFF, within the limits."""
    frame: Segment | None = None
    adobe, jfif, orientation = None, False, 1
    for segment in _segments(content):
        if segment.marker in _FRAMES and frame is None:
            frame = segment
        elif segment.marker == 0xE0 and content[segment.start : segment.start + 5] == b"JFIF\0":
            jfif = True
        elif segment.marker == 0xE1 and content[segment.start : segment.start + 6] == b"Exif\0\0":
            orientation = exif_orientation(content.exactly(segment.start, segment.length))
        elif segment.marker == 0xEE and segment.length >= 12:
            text = content.exactly(segment.start, 12)
            adobe = text[11] if text.startswith(b"Adobe") else adobe
    if frame is None:
        raise ImageError("the JPEG has no frame header: it is damaged")
    if frame.marker not in _READ:
        raise ImageError(f"its JPEG process (SOF{frame.marker - 0xC0}) is not read; save it as baseline JPEG")
    bits, height, width, samples = content.unpack(">BHHB", frame.start)
    _refuse(bits, samples, frame)
    limits().check_image(height, width, samples, 1 if bits <= 8 else 2)
    components = content.exactly(frame.start + 6, 3 * samples)[::3]
    return Header(height, width, samples, bits, frame.marker, components, adobe, jfif, orientation)


def _refuse(bits: int, samples: int, frame: Segment) -> None:
    if samples not in (1, 3, 4) or not 2 <= bits <= 16 or frame.length < 6 + 3 * samples:
        raise ImageError(f"its kind of pixels ({samples} samples of {bits} bits) is not read as JPEG")
    if samples == 4 and bits != 8:
        raise ImageError(f"inks of {bits} bits are not read as JPEG; save it as 8-bit or as TIFF")
    if frame.marker != _LOSSLESS and bits not in (8, 12):
        raise ImageError(f"{bits} bits a sample do not exist in this kind of JPEG: it is damaged")


def scan_ends(data: bytes, header: Header) -> list[int]:
    """Where the packed data of each scan end; ImageError for a file without its end marker, or with scans lacking."""
    content = Content(data)
    start, ends = 2, []
    scans: list[bytes] = []
    while True:
        segment = _segment(content, start)
        if segment.marker == _END:
            _check_scans(header, scans)
            return ends
        start = segment.start + segment.length
        if segment.marker == _START_OF_SCAN:
            scans.append(data[segment.start : start])
            if len(scans) > _MOST_SCANS:
                raise ImageError(f"the JPEG has more than {_MOST_SCANS} scans: no picture needs them")
            found = _MARKER.search(data, start)
            if found is None:
                raise ImageError("the JPEG has no end: it is cut short")
            start = found.start()
            ends.append(start)


def _check_scans(header: Header, scans: list[bytes]) -> None:
    """Raises ImageError unless every component was sent, a progressive one to its last bit (section G.1.1.1)."""
    progressive = header.frame in _PROGRESSIVE
    missing = {component: set(range(64 if progressive else 1)) for component in header.components}
    for scan in scans:
        count = scan[0]
        if len(scan) != 4 + 2 * count:
            raise ImageError("a scan of the JPEG is damaged")
        first, last, bits = scan[-3], scan[-2], scan[-1]
        for component in scan[1 : 1 + 2 * count : 2]:
            if not progressive:
                missing.get(component, set()).clear()
            elif bits & 15 == 0:
                missing.get(component, set()).difference_update(range(first, last + 1))
    if any(missing.values()):
        raise ImageError("the JPEG lacks scans: it is cut short or damaged")


def decoded_whole(
    data: bytes, header: Header, decoder: Callable[[bytes], Shaped[np.ndarray, "..."]]
) -> Shaped[np.ndarray, "..."]:
    """What a decoder makes of a file; ImageError where the packed data end before the last pixel.

    Decoders fill up with grey then, in lossless files with anything, and say nothing. Where the last pixel may be
    such, the file is decoded again with noise behind its data: it is skipped if the pixels were complete, and
    changes them if they were not.
    """
    ends = scan_ends(data, header)
    fill = None if header.frame == _LOSSLESS else 1 << (header.bits - 1)
    samples = decoder(data)
    if fill is None or (samples[-1, -1] == fill).all():
        pieces = [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]
        if not np.array_equal(samples, decoder(_NOISE.join(pieces))):
            raise ImageError("the data of the JPEG end before its last pixel: it is cut short or damaged")
    return samples


def _segments(content: Content) -> list[Segment]:
    """The segments before the first scan."""
    if content[0:2] != b"\xff\xd8":
        raise ImageError("it is no JPEG")
    found = []
    start = 2
    while True:
        segment = _segment(content, start)
        if segment.marker in (_START_OF_SCAN, _END):
            return found
        found.append(segment)
        start = segment.start + segment.length


def _segment(content: Content, start: int) -> Segment:
    """The segment at a place, past the bytes that decoders skip over in search of a marker."""
    piece = content[start : start + 4]
    while len(piece) >= 2 and (piece[0] != 0xFF or piece[1] in (0x00, 0xFF)):
        window = content[start : start + (1 << 16)]
        found = _MARKER.search(window)
        start += found.start() if found else max(1, len(window) - 1)
        piece = content[start : start + 4]
    if len(piece) < 2:
        raise ImageError("the JPEG has no end: it is cut short")
    if piece[1] in _ALONE or piece[1] == _END:
        return Segment(piece[1], start + 2, 0)
    length = int.from_bytes(piece[2:])
    if length < 2 or start + 2 + length > len(content):
        raise ImageError(CUT_SHORT)
    return Segment(piece[1], start + 4, length - 2)


def _quick(data: bytes) -> UInt8[np.ndarray, "height width channel"]:
    """Grey or RGB samples by the same library as Pillow's, into an array at once: a fifth less time, same pixels."""
    import imagecodecs

    samples = imagecodecs.jpeg8_decode(data)
    return samples if samples.ndim == 3 else samples[..., None]


def _samples(data: bytes, draft: tuple[int, int] | None) -> UInt8[np.ndarray, "height width sample"]:
    with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as image:
        if draft is not None:
            image.draft(None, (draft[1], draft[0]))
        image.load()
        samples = np.asarray(image)
    return samples.reshape(*samples.shape[:2], -1)


def _deep_samples(data: bytes, header: Header) -> Shaped[np.ndarray, "height width sample"]:
    import imagecodecs

    samples = decoded_whole(data, header, imagecodecs.jpeg8_decode)
    return samples.reshape(header.height, header.width, header.samples)
