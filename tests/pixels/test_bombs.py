"""Files of about a megabyte that claim, or inflate to, a gigabyte: refused within a second and 100 MiB."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from encoders import bmp, chunk, gif, gif_frame, jp2, npy, png, tiff
from PIL import Image

CHILD = Path(__file__).with_name("in_a_child.py")
GIB = 1 << 30


def _zeros(size: int) -> bytes:
    """So many zeros, deflated: one megabyte, flushed so that it stands alone, again and again (RFC 1950, RFC 1951)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    # Adler-32 of n zeros: the second sum has counted the first, which stays one, n times.
    checksum = (size % 65521) << 16 | 1
    return b"\x78\x9c" + block * (size >> 20) + b"\x03\0" + struct.pack(">I", checksum)


def _png_pixels() -> bytes:
    header = struct.pack(">IIBBBBB", 32768, 32768, 8, 0, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", _zeros(GIB)) + chunk(b"IEND", b"")


def _png_behind_the_last_row(bits: int) -> bytes:
    header = struct.pack(">IIBBBBB", 4, 4, bits, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", _zeros(GIB)) + chunk(b"IEND", b"")


def _png_text(kind: bytes, head: bytes) -> bytes:
    return png(1, 1, 8, 0, [b"\x07"], before=chunk(kind, head + _zeros(GIB)))


def _tiff_strip(width: int, height: int) -> bytes:
    packed = _zeros(GIB)
    one = {256: width, 257: height, 258: 8, 259: 8, 262: 1, 273: 8, 277: 1, 278: height, 279: len(packed)}
    return tiff({tag: (4, [value]) for tag, value in one.items()}, packed)


def _tiff_tile() -> bytes:
    """A page of one pixel in a tile of a gigabyte."""
    packed = _zeros(GIB)
    one = {256: 1, 257: 1, 258: 8, 259: 8, 262: 1, 277: 1, 322: 32768, 323: 32768, 324: 8, 325: len(packed)}
    return tiff({tag: (4, [value]) for tag, value in one.items()}, packed)


def _tiff_lzw() -> bytes:
    packed = imagecodecs.lzw_encode(bytes(GIB >> 5)) + bytes(700_000)
    one = {256: 8, 257: 8, 258: 8, 259: 5, 262: 1, 273: 8, 277: 1, 278: 8, 279: len(packed)}
    return tiff({tag: (4, [value]) for tag, value in one.items()}, packed)


def _tiff_strips_over_each_other() -> bytes:
    """A hundred thousand strips, all of which point at the same long run of empty deflate blocks."""
    rows, packed = 100_000, zlib.compress(b"")[:2] + b"\0\0\0\xff\xff" * 100_000
    one = {256: 1, 257: rows, 258: 8, 259: 8, 262: 1, 277: 1, 278: 1}
    many = {273: (4, [8] * rows), 279: (4, [len(packed)] * rows)}
    return tiff({tag: (4, [value]) for tag, value in one.items()} | many, packed)


def _tiff_circle() -> bytes:
    entry = struct.pack("<HHII", 256, 4, 1, 1)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + entry + struct.pack("<I", 8)


def _webp() -> bytes:
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (16382).to_bytes(3, "little") * 2
    return b"RIFF" + struct.pack("<I", 4 + len(canvas)) + b"WEBP" + canvas


def _webp_still() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "WEBP", lossless=True)
    data = bytearray(file.getvalue())
    data[21:25] = struct.pack("<I", 16383 | 16383 << 14)
    return bytes(data)


def _jpeg2000() -> bytes:
    stream = bytearray(imagecodecs.jpeg2k_encode(np.zeros((64, 64), np.uint8), level=0, codecformat="j2k"))
    stream[8:16] = struct.pack(">II", 32768, 32768)
    stream[24:32] = struct.pack(">II", 32768, 32768)
    return jp2(bytes(stream), 32768, 32768, 1, 8)


def _jpeg2000_tiles() -> bytes:
    stream = bytearray(imagecodecs.jpeg2k_encode(np.zeros((64, 64), np.uint8), level=0, codecformat="j2k"))
    stream[8:16] = struct.pack(">II", 13000, 13000)
    stream[24:32] = struct.pack(">II", 1, 1)
    return bytes(stream)


def _jpeg_scans() -> bytes:
    file = io.BytesIO()
    Image.new("L", (1000, 1000)).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    scan = data.rfind(b"\xff\xda")
    return data[:scan] + data[scan : scan + 10] * 100_000 + b"\xff\xd9"


BOMBS = {
    "PNG pixels": (_png_pixels, "32768 × 32768 pixels; the limit is 178,956,970 (STRIATE_MAX_PIXELS"),
    "PNG behind the last row": (lambda: _png_behind_the_last_row(8), "read"),
    "PNG behind the last row, 16 bits": (lambda: _png_behind_the_last_row(16), "read"),
    "PNG profile": (lambda: _png_text(b"iCCP", b"profile\0\0"), "read"),
    "PNG text": (lambda: _png_text(b"zTXt", b"Comment\0\0"), "read"),
    "PNG international text": (lambda: _png_text(b"iTXt", b"Comment\0\1\0\0\0"), "read"),
    "TIFF deflate": (lambda: _tiff_strip(32768, 32768), "the limit is"),
    "TIFF tile": (_tiff_tile, "the limit is"),
    "TIFF strip behind its rows": (lambda: _tiff_strip(8, 8), "read"),
    "TIFF LZW behind its rows": (_tiff_lzw, "read"),
    "TIFF strips over each other": (_tiff_strips_over_each_other, "longer than the file"),
    "TIFF circle": (_tiff_circle, "runs in a circle"),
    "GIF canvas": (lambda: gif(65535, 65535, b"", gif_frame(1, 1, [0])), "65535 × 65535 pixels"),
    "GIF frame": (lambda: gif(1, 1, b"", gif_frame(32768, 32768, [0])), "32768 × 32768 pixels"),
    "WebP canvas": (_webp, "16383 × 16383 pixels"),
    "WebP still": (_webp_still, "16384 × 16384 pixels"),
    "JPEG 2000": (_jpeg2000, "32768 × 32768 pixels"),
    "JPEG 2000 tiles": (_jpeg2000_tiles, "lacks tiles"),
    "JPEG scans": (_jpeg_scans, "more than 100 scans"),
    "BMP runs": (
        lambda: bmp(32768, 32768, 8, b"\xff\0" * 500_000, palette=bytes(1024), compression=1),
        "32768 × 32768 pixels",
    ),
    "NPY shape": (lambda: npy(np.zeros((1, 1), np.uint8), (1 << 30, 1 << 30)), "the limit is"),
    "NPY many axes": (lambda: npy(np.zeros((1, 1), np.uint8), (8,) * 20), "height × width"),
    "PGM": (lambda: b"P5 65536 65536 255 ", "65536 × 65536 pixels"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_at_once_and_in_little_memory(name: str):
    """Where the bomb lies beside or behind the pixels, these are read, and it is never inflated."""
    write, reason = BOMBS[name]
    done = subprocess.run(
        [sys.executable, str(CHILD)], input=write(), capture_output=True, check=True, timeout=60
    )
    outcome, seconds, mebibytes = done.stdout.decode().splitlines()
    assert reason in outcome
    assert float(seconds) < 1
    assert float(mebibytes) < 100
