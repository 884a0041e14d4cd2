"""PNG and JPEG of every kind, with the pixels that must come out."""

import struct

import imagecodecs
import numpy as np
from encoders import adam7, chunk, png, png_of
from golden_kit import (
    COLOUR,
    COLOUR16,
    GREY,
    GREY16,
    SMOOTH,
    SMOOTH3,
    Golden,
    light,
    pillow,
    row,
    together,
    white,
)


def pngs() -> list[Golden]:
    """The table\'s rows."""
    packed = bytes([0b00011011])
    scale2 = np.array([0, 85, 170, 255], np.uint8).reshape(1, 4, 1)
    palette = chunk(b"PLTE", bytes([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120]))
    colours = np.array([[[10, 20, 30], [40, 50, 60], [70, 80, 90], [100, 110, 120]]], np.uint8)
    faded = np.array([[[255, 255, 255], [148, 153, 158], [70, 80, 90], [100, 110, 120]]], np.uint8)
    half = chunk(b"tRNS", bytes([0, 127]))
    alpha8, alpha16 = GREY, GREY16
    grey_key = chunk(b"tRNS", struct.pack(">H", 2))
    key16 = chunk(b"tRNS", struct.pack(">3H", *COLOUR16[3, 4].tolist()))
    keyed16 = COLOUR16.copy()
    keyed16[3, 4] = 65535
    grey16_key = chunk(b"tRNS", struct.pack(">H", int(GREY16[1, 1, 0])))
    greyed16 = np.where(GREY16[1, 1] == GREY16, 65535, GREY16).astype(np.uint16)
    other = np.roll(GREY, 1, axis=0), np.roll(GREY16, 1, axis=0)
    return [
        Golden(
            "png grey 1",
            png(8, 1, 1, 0, [bytes([0b10110001])]),
            row([255, 0, 255, 255, 0, 0, 0, 255]),
            "grey",
            1,
        ),
        Golden("png grey 2", png(4, 1, 2, 0, [packed]), scale2, "grey", 2),
        Golden("png grey 4", png(4, 1, 4, 0, [bytes([0x0F, 0x37])]), row([0, 255, 51, 119]), "grey", 4),
        Golden("png grey 8", png_of(GREY), GREY, "grey", 8),
        Golden("png grey 16", png_of(GREY16), GREY16, "grey", 16),
        Golden(
            "png grey 2 key",
            png(4, 1, 2, 0, [packed], before=grey_key),
            row([0, 85, 255, 255]),
            "grey+key",
            2,
        ),
        Golden("png grey 16 key", png_of(GREY16, before=grey16_key), greyed16, "grey+key", 16),
        Golden("png palette 2", png(4, 1, 2, 3, [packed], before=palette), colours, "palette", 2),
        Golden(
            "png palette 2 alpha", png(4, 1, 2, 3, [packed], before=palette + half), faded, "palette+alpha", 2
        ),
        Golden("png palette 1", png(2, 1, 1, 3, [b"\x40"], before=palette), colours[:, :2], "palette", 1),
        Golden("png palette 4", png(2, 1, 4, 3, [b"\x32"], before=palette), colours[:, [3, 2]], "palette", 4),
        Golden("png palette 8", png(2, 1, 8, 3, [b"\2\1"], before=palette), colours[:, [2, 1]], "palette", 8),
        Golden("png rgb 8", png_of(COLOUR), COLOUR, "RGB", 8),
        Golden("png rgb 16", png_of(COLOUR16), COLOUR16, "RGB", 16),
        Golden("png rgb 16 key", png_of(COLOUR16, before=key16), keyed16, "RGB+key", 16),
        Golden("png rgb 16 adam7", adam7(COLOUR16), COLOUR16, "RGB", 16),
        Golden("png grey 16 adam7", adam7(GREY16), GREY16, "grey", 16),
        Golden(
            "png grey alpha 8",
            png_of(together(other[0], alpha8)),
            white(other[0], alpha8, 255),
            "grey+alpha",
            8,
        ),
        Golden(
            "png grey alpha 16",
            png_of(together(other[1], alpha16)),
            white(other[1], alpha16, 65535),
            "grey+alpha",
            16,
        ),
        Golden("png rgba 8", png_of(together(COLOUR, alpha8)), white(COLOUR, alpha8, 255), "RGBA", 8),
        Golden(
            "png rgba 16", png_of(together(COLOUR16, alpha16)), white(COLOUR16, alpha16, 65535), "RGBA", 16
        ),
    ]


def jpegs() -> list[Golden]:
    """The table\'s rows."""
    grey, colour = pillow(SMOOTH, "JPEG"), pillow(SMOOTH3, "JPEG", quality=95)
    progressive = pillow(SMOOTH3, "JPEG", progressive=True, subsampling=2)
    rgb = imagecodecs.jpeg8_encode(SMOOTH3, level=95, colorspace="RGB", outcolorspace="RGB")
    inks = np.concatenate([SMOOTH3, SMOOTH // 3], axis=2)
    plain = imagecodecs.jpeg8_encode(inks, level=98, colorspace="CMYK", outcolorspace="CMYK")
    marker = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0"
    without = _without_adobe(plain)
    adobe = without[:2] + marker + without[2:]
    as_stored = imagecodecs.jpeg8_decode(without, colorspace="CMYK", outcolorspace="CMYK")
    deep = (SMOOTH.astype(np.uint16) * 13) % 4096
    lossless = imagecodecs.jpeg8_encode(GREY16[..., 0], lossless=True, bitspersample=16)
    twelve = imagecodecs.jpeg8_encode(deep[..., 0], lossless=True, bitspersample=12)
    return [
        Golden("jpeg grey", grey, imagecodecs.jpeg8_decode(grey)[..., None], "grey", 8),
        Golden("jpeg ycbcr", colour, imagecodecs.jpeg8_decode(colour), "YCbCr", 8),
        Golden("jpeg progressive", progressive, imagecodecs.jpeg8_decode(progressive), "YCbCr", 8),
        Golden("jpeg rgb", rgb, imagecodecs.jpeg8_decode(rgb), "RGB", 8),
        Golden("jpeg cmyk", without, light(as_stored), "CMYK", 8),
        Golden("jpeg cmyk adobe", adobe, light(255 - as_stored), "CMYK", 8),
        Golden("jpeg lossless 16", lossless, imagecodecs.ljpeg_decode(lossless)[..., None], "grey", 16),
        Golden("jpeg lossless 12", twelve, deep, "grey", 12),
    ]


def _without_adobe(data: bytes) -> bytes:
    found = data.find(b"\xff\xeeAdobe"[:2])
    return data[:found] + data[found + 16 :] if data[found + 4 : found + 9] == b"Adobe" else data
