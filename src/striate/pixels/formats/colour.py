"""From a file's own samples to one or three channels: transparency, inks, few bits, and the way up.

Transparent pictures are laid on white, as a page shows them: `sample * alpha + white * (1 - alpha)`, in the file's
own depth. Inks become light by `(1 - ink) * (1 - black)`, without a colour profile. Fewer than 8 bits a sample
are stretched to 0..255, which loses nothing; 9 to 16 bits stay as they are stored.
"""

import numpy as np
from jaxtyping import Float, Float32, Shaped, UInt8, UInt16

from striate.errors import ImageError

_BAND = 1 << 22
"""Samples a step, so that the wide intermediate numbers of a large picture need little memory."""

WholeSamples = UInt8[np.ndarray, "height width _sample"] | UInt16[np.ndarray, "height width _sample"]


def on_white(samples: WholeSamples, *, premultiplied: bool = False) -> WholeSamples:
    """Colour or grey laid on white by the last channel, its opacity; rounded to the nearest level.

    >>> on_white(np.array([[[0, 127]]], np.uint8))
    array([[[128]]], dtype=uint8)

    `premultiplied` colours have been multiplied by their opacity already (TIFF 6.0, section 18).
    """
    full = int(np.iinfo(samples.dtype).max)
    result = np.empty((*samples.shape[:2], samples.shape[2] - 1), samples.dtype)
    for rows in _bands(samples):
        colour = samples[rows, :, :-1].astype(np.uint32)
        alpha = samples[rows, :, -1:].astype(np.uint32)
        if premultiplied:
            result[rows] = np.minimum(colour + (full - alpha), full)
        else:
            # The largest sum, 65535² + 32767, still fits in 32 bits.
            result[rows] = (colour * alpha + full * (full - alpha) + full // 2) // full
    return result


def key_on_white(samples: WholeSamples, key: tuple[int, ...], full: int) -> WholeSamples:
    """The samples with every pixel of exactly one colour made white, which is `full` (PNG, tRNS of grey and RGB)."""
    samples[(samples == np.array(key, samples.dtype)).all(axis=2)] = full
    return samples


def inks_to_light(inks: WholeSamples) -> WholeSamples:
    """Cyan, magenta, yellow and black (0 is no ink) as red, green and blue, `(1 - ink) * (1 - black)`.

    >>> inks_to_light(np.array([[[255, 0, 0, 0], [0, 0, 0, 55]]], np.uint8))
    array([[[  0, 255, 255],
            [200, 200, 200]]], dtype=uint8)
    """
    full = int(np.iinfo(inks.dtype).max)
    result = np.empty((*inks.shape[:2], 3), inks.dtype)
    for rows in _bands(inks):
        light = full - inks[rows].astype(np.uint32)
        result[rows] = (light[..., :3] * light[..., 3:] + full // 2) // full
    return result


def stretched(samples: UInt8[np.ndarray, "height width sample"], bits: int) -> WholeSamples:
    """Samples of 1 to 7 bits on the scale 0..255, rounded where the factor is no whole number.

    >>> stretched(np.array([[[0], [1], [15]]], np.uint8), 4).ravel()
    array([  0,  17, 255], dtype=uint8)
    """
    full = (1 << bits) - 1
    table = np.minimum((np.arange(256) * 510 + full) // (2 * full), 255).astype(np.uint8)
    return table[samples]


def few_bits(
    rows: UInt8[np.ndarray, "height stride"], count: int, bits: int
) -> Shaped[np.ndarray, "height sample"]:
    """Samples of any number of bits up to 16, packed with the first in the highest bits."""
    single = np.unpackbits(rows, axis=1, count=count * bits).reshape(len(rows), count, bits)
    values = np.zeros((len(rows), count), np.uint8 if bits <= 8 else np.uint16)
    for bit in range(bits):
        values = (values << 1) | single[..., bit]
    return values


def narrowed(
    values: Float[np.ndarray, "height width channel"],
) -> Float32[np.ndarray, "height width channel"]:
    """Floating-point values of any width as float32, rounded to the nearest; ImageError where one does not fit."""
    if values.dtype.itemsize <= 4:
        return np.ascontiguousarray(values, np.float32)
    with np.errstate(over="ignore"):
        narrow = np.ascontiguousarray(values, np.float32)
    if (np.isinf(narrow) & np.isfinite(values)).any():
        raise ImageError("its 64-bit values do not fit 32 bits; scale them down")
    return narrow


def turned(
    pixels: Shaped[np.ndarray, "height width channel"], orientation: int
) -> Shaped[np.ndarray, "_height _width channel"]:
    """The pixels upright: undoes an EXIF orientation (Exif 2.32, section 4.6.4, tag 0x0112)."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def upright_size(height: int, width: int, orientation: int) -> tuple[int, int]:
    """Height and width once an orientation has been undone."""
    return (width, height) if orientation in (5, 6, 7, 8) else (height, width)


def _bands(samples: Shaped[np.ndarray, "height width sample"]) -> list[slice]:
    step = max(1, _BAND // max(1, samples.shape[1] * samples.shape[2]))
    return [slice(start, start + step) for start in range(0, samples.shape[0], step)]
