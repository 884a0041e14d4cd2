"""TIFF of every kind, with the pixels that must come out."""

import io

import numpy as np
import tifffile
from encoders import tiff
from golden_kit import (
    BITS,
    COLOUR,
    COLOUR16,
    GREY,
    GREY16,
    REAL,
    SIGNED,
    SMOOTH3,
    Golden,
    light,
    pillow,
    row,
    together,
    white,
    written_tiff,
)


def tiffs() -> list[Golden]:
    """The table\'s rows."""
    big, squeezed = {"byteorder": ">"}, {"compression": "zlib", "predictor": True}
    tiled, strips = {"tile": (16, 16)}, {"rowsperstrip": 4}
    pages = written_tiff(
        np.stack([GREY16, 65535 - GREY16])[..., 0][..., None].repeat(1, 3), photometric="minisblack"
    )
    planes = written_tiff(np.moveaxis(COLOUR16, 2, 0), photometric="rgb", planarconfig="separate")
    alpha = written_tiff(together(COLOUR16, GREY16), extrasamples=["unassalpha"])
    premultiplied = together((GREY // 2), GREY)
    over = (GREY // 2 + (255 - GREY)).astype(np.uint8)
    palette16 = np.stack([np.arange(256) * 257, np.arange(256)[::-1] * 257, np.full(256, 514)]).astype(
        np.uint16
    )
    deep_palette = palette16 + np.arange(256, dtype=np.uint16)
    painted = np.take((palette16 >> 8).astype(np.uint8).T, GREY[..., 0], axis=0)
    deep_painted = np.take(deep_palette.T, GREY[..., 0], axis=0)
    inks = np.concatenate([COLOUR, GREY], axis=2)
    fax = {"compression": "group4"}
    black = BITS * np.uint8(255)
    jpeg = written_tiff(SMOOTH3, compression="jpeg", photometric="ycbcr", tile=(16, 16))
    two = tiff(_fields(4, 1, bits=2), bytes([0b00011011]))
    reverse = tiff(_fields(8, 1, bits=1) | {262: (3, [0]), 266: (3, [2])}, bytes([0b10001101]))
    return [
        Golden("tiff grey 8", written_tiff(GREY), GREY, "grey", 8),
        Golden("tiff grey 16 big-endian", written_tiff(GREY16, **big), GREY16, "grey", 16),
        Golden("tiff grey 16 deflate tiled", written_tiff(GREY16, **squeezed, **tiled), GREY16, "grey", 16),
        Golden(
            "tiff grey 16 lzw",
            written_tiff(GREY16, compression="lzw", predictor=True, **strips),
            GREY16,
            "grey",
            16,
        ),
        Golden("tiff int16", written_tiff(SIGNED, **strips), SIGNED, "grey", 16),
        Golden("tiff float32 predicted", written_tiff(REAL, **squeezed), REAL, "grey", 32),
        Golden("tiff float64", written_tiff(REAL.astype(np.float64), **big), REAL, "grey", 64),
        Golden(
            "tiff float16",
            written_tiff((REAL / 8).round().astype(np.float16)),
            (REAL / 8).round(),
            "grey",
            16,
        ),
        Golden("tiff uint32 that fits", written_tiff(GREY16.astype(np.uint32)), GREY16, "grey", 32),
        Golden("tiff rgb 8 packbits", written_tiff(COLOUR, compression="packbits"), COLOUR, "RGB", 8),
        Golden("tiff rgb 16", written_tiff(COLOUR16), COLOUR16, "RGB", 16),
        Golden("tiff rgb 16 predicted big", written_tiff(COLOUR16, **squeezed, **big), COLOUR16, "RGB", 16),
        Golden("tiff rgb 16 planar", planes, COLOUR16, "RGB", 16),
        Golden("tiff rgb 16 bigtiff", written_tiff(COLOUR16, bigtiff=True, **tiled), COLOUR16, "RGB", 16),
        Golden("tiff rgba 16", alpha, white(COLOUR16, GREY16, 65535), "RGBA", 16),
        Golden(
            "tiff premultiplied",
            written_tiff(premultiplied, extrasamples=["assocalpha"]),
            over,
            "grey+alpha",
            8,
        ),
        Golden(
            "tiff palette",
            written_tiff(GREY, photometric="palette", colormap=palette16),
            painted,
            "palette",
            8,
        ),
        Golden(
            "tiff palette 16",
            written_tiff(GREY, photometric="palette", colormap=deep_palette),
            deep_painted,
            "palette",
            8,
        ),
        Golden(
            "tiff white is zero 16",
            written_tiff(GREY16, photometric="miniswhite"),
            65535 - GREY16,
            "white-is-0",
            16,
        ),
        Golden("tiff cmyk", written_tiff(inks, photometric="separated"), light(inks), "CMYK", 8),
        Golden("tiff 1 bit", written_tiff(BITS.astype(bool)), black, "grey", 1),
        Golden("tiff 1 bit fax", pillow(BITS.astype(bool), "TIFF", **fax), black, "grey", 1),
        Golden("tiff 2 bits", two, row([0, 85, 170, 255]), "grey", 2),
        Golden("tiff 1 bit reversed", reverse, row([0, 255, 0, 0, 255, 255, 255, 0]), "white-is-0", 1),
        Golden(
            "tiff 12 bits packed",
            tiff(_fields(2, 1, bits=12), b"\xab\xc1\x23"),
            row([0xABC, 0x123], np.uint16),
            "grey",
            12,
        ),
        Golden("tiff ycbcr jpeg", jpeg, tifffile.imread(io.BytesIO(jpeg)), "YCbCr", 8),
        Golden("tiff second page", pages, 65535 - GREY16, "grey", 16, 1),
    ]


def _fields(width: int, height: int, *, bits: int) -> dict[int, tuple[int, list[int]]]:
    length = (width * bits + 7) // 8 * height
    one = {256: width, 257: height, 258: bits, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: length}
    return {tag: (4, [value]) for tag, value in one.items()}
