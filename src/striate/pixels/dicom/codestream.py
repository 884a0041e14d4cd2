"""The heads of compressed frames: what a JPEG, JPEG-LS, JPEG 2000 or RLE stream claims, before it is decoded.

A stream that claims another size than the DICOM header is refused here, and so is one that has no end: a
decoder would make up what is missing.
"""

import struct
from dataclasses import dataclass

from striate.errors import ImageError
from striate.pixels.dicom.header import Layout

JPEG = {
    "1.2.840.10008.1.2.4.50": "JPEG Baseline",
    "1.2.840.10008.1.2.4.51": "JPEG Extended",
    "1.2.840.10008.1.2.4.57": "JPEG Lossless",
    "1.2.840.10008.1.2.4.70": "JPEG Lossless SV1",
}
JPEG_LS = {
    "1.2.840.10008.1.2.4.80": "JPEG-LS Lossless",
    "1.2.840.10008.1.2.4.81": "JPEG-LS Near-lossless",
}
JPEG_2000 = {
    "1.2.840.10008.1.2.4.90": "JPEG 2000 Lossless",
    "1.2.840.10008.1.2.4.91": "JPEG 2000",
}
RLE = "1.2.840.10008.1.2.5"
COMPRESSED = frozenset({*JPEG, *JPEG_LS, *JPEG_2000, RLE})

_BASELINE, _EXTENDED, _LOSSLESS, _LS = 0xC0, 0xC1, 0xC3, 0xF7
_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0), _LS}) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_MOST_TILES = 65535
_RLE_HEADER = 64


@dataclass(frozen=True)
class Claim:
    """What the head of a compressed frame says of it; `marked` when it says itself what its colours are.

    `lossless` is JPEG's process of that name, whose samples no decoder converts from one colour to another.
    """

    rows: int
    columns: int
    samples: int
    precision: int
    marked: bool = False
    lossless: bool = False


def check_frame(data: bytes, syntax: str, layout: Layout) -> Claim:
    """What the stream claims, once it agrees with the DICOM header; ImageError where it does not."""
    if syntax == RLE:
        _check_rle(data, layout)
        return Claim(layout.rows, layout.columns, layout.samples, layout.allocated)
    if syntax in JPEG_2000:
        claim = _jpeg_2000(data)
    else:
        claim = _jpeg(data, frozenset({_LS}) if syntax in JPEG_LS else _sequential(syntax))
    # An end is two bytes; what follows it is padding to an even length.
    if b"\xff\xd9" not in data[-16:]:
        raise ImageError("a compressed frame has no end: it is cut short; export it again")
    if (claim.rows, claim.columns, claim.samples) != (layout.rows, layout.columns, layout.samples):
        raise ImageError(
            f"a compressed frame has {claim.rows} rows, {claim.columns} columns and {claim.samples} samples; "
            f"the header says {layout.rows}, {layout.columns} and {layout.samples}"
        )
    if claim.precision > 16:
        raise ImageError(f"a compressed frame has {claim.precision} bits a sample; up to 16 are read")
    return claim


def _sequential(syntax: str) -> frozenset[int]:
    lossless = JPEG[syntax].startswith("JPEG Lossless")
    return frozenset({_LOSSLESS}) if lossless else frozenset({_BASELINE, _EXTENDED})


def _jpeg(data: bytes, wanted: frozenset[int]) -> Claim:
    """The frame header of a JPEG (ITU-T T.81, section B.2.2) or JPEG-LS (T.87, section C.2.2) stream."""
    at, marked = 2, False
    while data[:2] == b"\xff\xd8" and at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAME_MARKERS:
            if marker not in wanted or at + 10 > len(data):
                raise ImageError(
                    "a compressed frame is of another JPEG process than its transfer syntax says"
                )
            precision, rows, columns, samples = struct.unpack_from(">BHHB", data, at + 4)
            return Claim(rows, columns, samples, precision, marked, marker == _LOSSLESS)
        segment = data[at + 4 : at + 9]
        marked |= (marker == 0xEE and segment == b"Adobe") or (marker == 0xE0 and segment[:4] == b"JFIF")
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    raise ImageError("a compressed frame is no JPEG stream: it is damaged")


def _jpeg_2000(data: bytes) -> Claim:
    """The size marker of a JPEG 2000 code stream (ITU-T T.800, section A.5.1)."""
    start = data.find(b"\xff\x4f\xff\x51", 0, 1024)
    if start < 0 or start + 44 > len(data):
        raise ImageError("a compressed frame is no JPEG 2000 stream: it is damaged")
    right, bottom, left, top, tile_width, tile_height = struct.unpack_from(">6L", data, start + 8)
    (samples,) = struct.unpack_from(">H", data, start + 40)
    components = data[start + 42 : start + 42 + 3 * samples]
    tiles = -(-right // max(1, tile_width)) * -(-bottom // max(1, tile_height))
    if tiles > _MOST_TILES or _uneven(components):
        raise ImageError("a compressed frame has JPEG 2000 tiles or components that no picture has")
    return Claim(bottom - top, right - left, samples, (components[0] & 0x7F) + 1, marked=True)


def _uneven(components: bytes) -> bool:
    """Whether the components differ in depth or are sampled at different steps."""
    return (
        len({components[i : i + 3] for i in range(0, len(components), 3)}) != 1 or components[1:3] != b"\1\1"
    )


def _check_rle(data: bytes, layout: Layout) -> None:
    """The head of a run-length frame (PS3.5, section G.5): one segment a byte of a pixel."""
    wanted = layout.samples * layout.allocated // 8
    if len(data) < _RLE_HEADER or int.from_bytes(data[:4], "little") != wanted:
        raise ImageError(f"a run-length frame has not the {wanted} segments that its pixels need")
    offsets = rle_offsets(data)
    plane = layout.rows * layout.columns
    for start, stop in zip(offsets, [*offsets[1:], len(data)], strict=True):
        # Honest runs need no more than a byte and a bit a pixel; 128 pixels fit in two bytes.
        if not _RLE_HEADER <= start < stop <= len(data) or stop - start > 2 * plane + _RLE_HEADER:
            raise ImageError("a run-length frame has segments out of place: it is damaged")


def rle_offsets(data: bytes) -> list[int]:
    """Where the segments of a run-length frame start."""
    count = min(15, int.from_bytes(data[:4], "little"))
    return list(struct.unpack_from(f"<{count}L", data, 4))
