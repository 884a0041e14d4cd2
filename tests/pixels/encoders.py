"""Writers of pictures in a few lines each, from the formats' specifications: what the reader is measured against."""

import struct
import zlib

import numpy as np

UPRIGHT = {
    1: [[1, 2, 3], [4, 5, 6]],
    2: [[3, 2, 1], [6, 5, 4]],
    3: [[6, 5, 4], [3, 2, 1]],
    4: [[4, 5, 6], [1, 2, 3]],
    5: [[1, 4], [2, 5], [3, 6]],
    6: [[4, 1], [5, 2], [6, 3]],
    7: [[6, 3], [5, 2], [4, 1]],
    8: [[3, 6], [2, 5], [1, 4]],
}
"""What `[[1, 2, 3], [4, 5, 6]]` looks like once each orientation of EXIF has been undone (Exif 2.32, tag 0x0112)."""


def exif(orientation: int, order: str = ">") -> bytes:
    """A block of EXIF that holds the orientation alone."""
    mark = b"MM" if order == ">" else b"II"
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return mark + struct.pack(order + "HIH", 42, 8, 1) + entry + bytes(4)


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int,
    height: int,
    bits: int,
    kind: int,
    rows: list[bytes],
    *,
    before: bytes = b"",
    interlace: int = 0,
) -> bytes:
    """A PNG of rows that are packed already; `before` are chunks that stand before the pixels."""
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, interlace)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + before + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def png_of(pixels: np.ndarray, **options) -> bytes:
    """A PNG of 8 or 16 bits with as many samples a pixel as the array has."""
    height, width, samples = pixels.shape
    big = pixels.astype(pixels.dtype.newbyteorder(">"))
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[samples]
    return png(width, height, 8 * pixels.dtype.itemsize, kind, [row.tobytes() for row in big], **options)


def adam7(pixels: np.ndarray) -> bytes:
    """An interlaced PNG (ISO/IEC 15948, section 8.2)."""
    big = pixels.astype(pixels.dtype.newbyteorder(">"))
    rows = []
    steps = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    for top, left, down, right in steps:
        part = big[top::down, left::right]
        rows += [row.tobytes() for row in part] if part.shape[1] else []
    height, width, samples = pixels.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[samples]
    return png(width, height, 8 * pixels.dtype.itemsize, kind, rows, interlace=1)


def bmp(
    width: int,
    height: int,
    bits: int,
    body: bytes,
    *,
    palette: bytes = b"",
    compression: int = 0,
    masks: bytes = b"",
) -> bytes:
    """A BMP with a header of 40 bytes, or of 108 where it has bit masks with opacity."""
    rest = b""
    size = 40
    if masks:
        rest, size = masks.ljust(68, b"\0"), 108
    header = struct.pack(
        "<IiiHHIIiiII", size, width, height, 1, bits, compression, len(body), 0, 0, len(palette) // 4, 0
    )
    start = 14 + len(header) + len(rest) + len(palette)
    return struct.pack("<2sIHHI", b"BM", start + len(body), 0, 0, start) + header + rest + palette + body


def gif_frame(
    width: int, height: int, indices: list[int], *, left: int = 0, top: int = 0, flags: int = 0
) -> bytes:
    """A frame of a GIF with 9-bit codes throughout: a clear code before the table would grow."""
    codes = []
    for place, index in enumerate(indices):
        codes += [256] * (place % 100 == 0) + [index]
    number, used = 0, 0
    for code in [*codes, 257]:
        number |= code << used
        used += 9
    packed = number.to_bytes((used + 7) // 8, "little")
    blocks = b"".join(
        bytes([len(part)]) + part for part in (packed[i : i + 255] for i in range(0, len(packed), 255))
    )
    return b"," + struct.pack("<HHHHB", left, top, width, height, flags) + b"\x08" + blocks + b"\0"


def gif(width: int, height: int, palette: bytes, frames: bytes, *, transparent: int | None = None) -> bytes:
    """A GIF with a global palette of 256 colours."""
    control = b"" if transparent is None else b"!\xf9\x04" + bytes([1, 0, 0, transparent]) + b"\0"
    colours = palette.ljust(768, b"\x07")
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0) + colours + control + frames + b";"


def npy(array: np.ndarray, shape: tuple[int, ...] | None = None) -> bytes:
    """A .npy of version 1.0 (NEP 1); `shape` may claim another one than the array's."""
    order = array.flags.f_contiguous and not array.flags.c_contiguous
    said = {"descr": array.dtype.str, "fortran_order": order, "shape": shape or array.shape}
    text = repr(said).encode()
    text = text.ljust(117) + b"\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text + array.tobytes("A")


def jp2(stream: bytes, height: int, width: int, samples: int, bits: int, *, extra: bytes = b"") -> bytes:
    """A box file around a codestream (ISO/IEC 15444-1, Annex I); `extra` are boxes that stand before the codestream."""

    def box(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", 8 + len(data)) + kind + data

    header = box(b"ihdr", struct.pack(">IIHBBBB", height, width, samples, bits - 1, 7, 0, 0))
    header += box(b"colr", struct.pack(">BBBI", 1, 0, 0, 16 if samples >= 3 else 17))
    start = box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ") + box(b"jp2h", header)
    return start + extra + box(b"jp2c", stream)


def tiff(fields: dict[int, tuple[int, list[int]]], body: bytes, order: str = "<") -> bytes:
    """A TIFF of one page: the body at byte 8, then the directory, whose fields are `tag: (kind, values)`."""
    codes = {1: "B", 3: "H", 4: "I"}
    start = 8 + len(body) + len(body) % 2
    behind = start + 6 + 12 * len(fields)
    entries, values = b"", b""
    for tag, (kind, numbers) in sorted(fields.items()):
        raw = struct.pack(f"{order}{len(numbers)}{codes[kind]}", *numbers)
        if len(raw) > 4:
            raw, values = struct.pack(order + "I", behind + len(values)), values + raw + bytes(len(raw) % 2)
        entries += struct.pack(order + "HHI", tag, kind, len(numbers)) + raw.ljust(4, b"\0")
    mark = b"II" if order == "<" else b"MM"
    head = mark + struct.pack(order + "HI", 42, start)
    directory = struct.pack(order + "H", len(fields)) + entries + bytes(4)
    return head + body.ljust(start - 8, b"\0") + directory + values
