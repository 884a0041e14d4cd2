"""The other formats, and all orientations, with the pixels that must come out."""

import struct

import imagecodecs
import numpy as np
from encoders import UPRIGHT, bmp, chunk, exif, gif, gif_frame, jp2, npy, png_of
from golden_kit import (
    BITS,
    COLOUR,
    COLOUR16,
    GREY,
    GREY16,
    SIGNED,
    SIX,
    SMOOTH3,
    Golden,
    painted_with,
    pillow,
    row,
    together,
    white,
    written_tiff,
)


def others() -> list[Golden]:
    """The table\'s rows."""
    palette = bytes([9, 8, 7, 10, 20, 30, 40, 50, 60])
    colours = np.array([[[9, 8, 7], [10, 20, 30]], [[40, 50, 60], [9, 8, 7]]], np.uint8)
    see_through = colours.copy()
    see_through[0, 1] = 255
    corner = np.full((2, 3, 3), 255, np.uint8)
    corner[1, 2] = [40, 50, 60]
    ramp = bytes(level for index in range(256) for level in (index,) * 3)
    square = gif_frame(2, 2, [0, 1, 2, 0])
    lossless = pillow(COLOUR, "WEBP", lossless=True)
    lossy = pillow(SMOOTH3, "WEBP", quality=80)
    clear = pillow(together(COLOUR, GREY), "WEBP", lossless=True, exact=True)
    bgr = bytes([30, 20, 10, 60, 50, 40, 0, 0])
    four = bytes([7, 8, 9, 0, 30, 20, 10, 0, 60, 50, 40, 0])
    runs = bytes([2, 1, 1, 2, 0, 0, 0, 3, 2, 1, 0, 0, 0, 1])
    run_pixels = np.array([[2, 1, 0], [1, 1, 2]])
    rle4 = bmp(4, 2, 4, b"\2\x01\2\x22\0\0\0\3\x12\x10\0\1", palette=four, compression=2)
    alpha_masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    return [
        Golden("bmp 24", bmp(2, 1, 24, bgr), np.array([[[10, 20, 30], [40, 50, 60]]], np.uint8), "RGB", 8),
        Golden(
            "bmp palette 8",
            bmp(2, 1, 8, b"\2\1\0\0", palette=four),
            np.array([[[40, 50, 60], [10, 20, 30]]], np.uint8),
            "palette",
            8,
        ),
        Golden(
            "bmp rle8",
            bmp(3, 2, 8, runs, palette=four, compression=1),
            painted_with(palette, run_pixels),
            "palette",
            8,
        ),
        Golden(
            "bmp 555",
            bmp(2, 1, 16, struct.pack("<HH", 0x7C00, 0x03FF)),
            np.array([[[255, 0, 0], [0, 255, 255]]], np.uint8),
            "RGB",
            5,
        ),
        Golden("bmp rle4", rle4, painted_with(palette, np.array([[1, 2, 1, 0], [0, 1, 2, 2]])), "palette", 4),
        Golden(
            "bmp top down",
            bmp(1, -2, 24, b"\3\2\1\0\6\5\4\0"),
            np.array([[[1, 2, 3]], [[4, 5, 6]]], np.uint8),
            "RGB",
            8,
        ),
        Golden(
            "bmp alpha",
            bmp(1, 1, 32, b"\0\0\0\x7f", compression=3, masks=alpha_masks),
            np.full((1, 1, 3), 128, np.uint8),
            "RGBA",
            8,
        ),
        Golden("gif", gif(2, 2, palette, square), colours, "palette", 8),
        Golden("gif transparent", gif(2, 2, palette, square, transparent=1), see_through, "palette+alpha", 8),
        Golden("gif grey", gif(2, 2, ramp, square), np.array([[[0], [1]], [[2], [0]]], np.uint8), "grey", 8),
        Golden(
            "gif corner", gif(3, 2, palette, gif_frame(1, 1, [2], left=2, top=1)), corner, "palette+alpha", 8
        ),
        Golden(
            "gif first of two",
            gif(2, 2, palette, square + gif_frame(2, 2, [2, 2, 2, 2])),
            colours,
            "palette",
            8,
        ),
        Golden(
            "gif interlaced",
            gif(1, 5, palette, gif_frame(1, 5, [0, 1, 2, 1, 2], flags=0x40)),
            painted_with(palette, np.array([[0], [1], [2], [2], [1]])),
            "palette",
            8,
        ),
        Golden("webp lossless", lossless, COLOUR, "RGB", 8),
        Golden("webp lossy", lossy, imagecodecs.webp_decode(lossy), "RGB", 8),
        Golden("webp alpha", clear, white(COLOUR, GREY, 255), "RGBA", 8),
        Golden(
            "pbm",
            b"P4 10 1\n" + bytes([0b01010000, 0b01000000]),
            row([255, 0, 255, 0, 255, 255, 255, 255, 255, 0]),
            "grey",
            1,
        ),
        Golden("pbm plain", b"P1\n# drawn\n4 1\n0110", row([255, 0, 0, 255]), "grey", 1),
        Golden("pgm 8", b"P5 13 9 255\n" + GREY.tobytes(), GREY, "grey", 8),
        Golden("pgm 16", b"P5 13 9 65535\n" + GREY16.astype(">u2").tobytes(), GREY16, "grey", 16),
        Golden(
            "pgm 12 in 16", b"P5 2 1 4095\n" + bytes([15, 255, 0, 1]), row([4095, 1], np.uint16), "grey", 12
        ),
        Golden("pgm of 15", b"P5 3 1 15\n" + bytes([0, 1, 15]), row([0, 17, 255]), "grey", 4),
        Golden("pgm plain", b"P2 3 1 # wide\n65535\n0 7 65535\n", row([0, 7, 65535], np.uint16), "grey", 16),
        Golden("ppm 8", b"P6 13 9 255\n" + COLOUR.tobytes(), COLOUR, "RGB", 8),
        Golden("ppm 16", b"P6 13 9 65535\n" + COLOUR16.astype(">u2").tobytes(), COLOUR16, "RGB", 16),
        Golden("ppm plain", b"P3 1 1 255 1 2 3 ", np.array([[[1, 2, 3]]], np.uint8), "RGB", 8),
    ]


def streams_and_arrays() -> list[Golden]:
    """The table\'s rows."""

    def stream(array: np.ndarray, bits: int) -> bytes:
        packed = array[..., 0] if array.shape[2] == 1 else array
        return imagecodecs.jpeg2k_encode(
            packed, level=0, codecformat="j2k", bitspersample=bits, reversible=True
        )

    twelve = (GREY16 >> 4).astype(np.uint16)
    boxed = jp2(stream(COLOUR16, 16), 9, 13, 3, 16)
    with_alpha = jp2(stream(together(COLOUR, GREY), 8), 9, 13, 4, 8)
    half = np.array([[[1.5, np.pi]]])
    return [
        Golden("j2k grey 8", stream(GREY, 8), GREY, "grey", 8),
        Golden("j2k grey 12", stream(twelve, 12), twelve, "grey", 12),
        Golden("j2k grey 16", stream(GREY16, 16), GREY16, "grey", 16),
        Golden("j2k rgb 8 by Pillow", pillow(COLOUR, "JPEG2000", irreversible=False), COLOUR, "RGB", 8),
        Golden("jp2 rgb 16", boxed, COLOUR16, "RGB", 16),
        Golden("jp2 rgba", with_alpha, white(COLOUR, GREY, 255), "RGBA", 8),
        Golden("npy uint8", npy(GREY[..., 0]), GREY, "grey", 8),
        Golden("npy bool", npy(BITS[..., 0].astype(bool)), BITS * np.uint8(255), "grey", 1),
        Golden("npy uint16 colour", npy(COLOUR16), COLOUR16, "RGB", 16),
        Golden("npy big-endian int16", npy(SIGNED.astype(">i2")), SIGNED, "grey", 16),
        Golden("npy by columns", npy(np.asfortranarray(COLOUR)), COLOUR, "RGB", 8),
        Golden("npy float64", npy(half[0, 0][None]), half.reshape(1, 2, 1).astype(np.float32), "grey", 64),
        Golden(
            "npy float16",
            npy(np.array([[0.5, -2]], np.float16)),
            np.array([[[0.5], [-2]]], np.float32),
            "grey",
            16,
        ),
        Golden(
            "npy alpha",
            npy(together(GREY16, np.roll(GREY16, 2))),
            white(GREY16, np.roll(GREY16, 2), 65535),
            "grey+alpha",
            16,
        ),
    ]


def orientations() -> list[Golden]:
    """The table\'s rows."""
    grey8, deep = SIX[..., None].astype(np.uint8), (SIX * 9999).astype(np.uint16)
    colour16 = np.repeat(deep[..., None], 3, axis=2)
    stream = imagecodecs.jpeg2k_encode(deep, level=0, codecformat="j2k", bitspersample=16, reversible=True)
    found = []
    for number, expected in UPRIGHT.items():
        right = np.array(expected)
        right16 = np.repeat((right * 9999).astype(np.uint16)[..., None], 3, axis=2)
        tag = [(274, 3, 1, number, True)]
        uuid = struct.pack(">I", 8 + 16 + len(exif(number))) + b"uuidJpgTiffExif->JP2" + exif(number)
        deep_png = png_of(colour16, before=chunk(b"eXIf", exif(number, "<")))
        found += [
            Golden(f"png 16 turned {number}", deep_png, right16, "RGB", 16),
            Golden(
                f"png 8 turned {number}",
                png_of(grey8, before=chunk(b"eXIf", exif(number))),
                right[..., None].astype(np.uint8),
                "grey",
                8,
            ),
            Golden(f"tiff 16 turned {number}", written_tiff(colour16, extratags=tag), right16, "RGB", 16),
            Golden(
                f"jp2 turned {number}", jp2(stream, 2, 3, 1, 16, extra=uuid), right16[..., :1], "grey", 16
            ),
        ]
    return found
