"""What decoding a picture tells for free, one record an image: the audit reads it, and nothing is decoded twice."""

import math
from typing import Any

import numpy as np
from jaxtyping import Shaped, UInt8
from PIL import Image

from striate.pixels.picture import Picture

FACTS = np.dtype(
    [
        ("height", "u4"),
        ("width", "u4"),
        ("channels", "u1"),
        ("bits", "u1"),
        ("depth", "U8"),
        ("format", "U8"),
        ("mode", "U16"),
        ("frames", "u4"),
        ("low", "f4"),
        ("high", "f4"),
        ("mean", "f4"),
        ("deviation", "f4"),
    ]
)
"""Size, kind and the values' range, mean and deviation, over all channels of the picture as read."""

LARGE = 1 << 15
"""Values from which on a histogram costs less than sums."""
PIECE = 1 << 15
"""Values looked at together: few enough to stay in the processor's cache as float64."""
Range = tuple[float, float, float, float]


def facts_of(picture: Picture) -> tuple[Any, ...]:
    """The record of one picture, to be put into an array of `FACTS`.

    >>> from striate.pixels.picture import Description
    >>> pixels = np.array([[[0], [255]]], np.uint8)
    >>> facts_of(Picture(pixels, Description(1, 2, 1, "uint8", "PNG", "L", 8)))
    (1, 2, 1, 8, 'uint8', 'PNG', 'L', 1, 0.0, 255.0, 127.5, 127.5)

    Of whole numbers mean and deviation are exact before they are rounded; values that are not finite make both NaN.
    """
    pixels, said = picture.pixels, picture.description
    by_histogram = pixels.dtype == np.uint8 and pixels.size > LARGE
    measured = range_of_bytes(pixels) if by_histogram else range_of(pixels)
    return (*pixels.shape, said.bits, said.depth, said.format, said.mode, said.frames, *measured)


def range_of_bytes(values: UInt8[np.ndarray, "height width channel"]) -> Range:
    """Lowest, highest, mean and standard deviation of 8-bit values, by their histogram.

    >>> range_of_bytes(np.array([[[1], [3], [5], [7]]], np.uint8))
    (1.0, 7.0, 4.0, 2.23606797749979)
    """
    height, width, channels = values.shape
    # Pillow counts twice as fast as numpy can add up, and needs no copy.
    lines = Image.frombuffer("L", (width * channels, height), np.ascontiguousarray(values), "raw", "L", 0, 1)
    counts = lines.histogram()
    met = [value for value, count in enumerate(counts) if count]
    total = sum(value * counts[value] for value in met)
    squares = sum(value * value * counts[value] for value in met)
    return (float(met[0]), float(met[-1]), *_mean_and_deviation(values.size, total, squares))


def range_of(values: Shaped[np.ndarray, "..."]) -> Range:
    """Lowest, highest, mean and standard deviation in one pass, without a float64 copy of the whole.

    >>> range_of(np.array([1, 3, 5, 7], np.uint16))
    (1.0, 7.0, 4.0, 2.23606797749979)
    """
    flat = values.reshape(-1)
    if flat.dtype.kind in "iu" and flat.size <= PIECE:
        piece = flat.astype(np.float64)
        exact = _mean_and_deviation(flat.size, int(piece.sum()), int(np.dot(piece, piece)))
        return (float(flat.min()), float(flat.max()), *exact)
    shift = 0.0 if flat.dtype.kind in "iu" else float(flat[0])
    total = squares = 0
    with np.errstate(invalid="ignore", over="ignore"):
        low, high = float(flat.min()), float(flat.max())
        for start in range(0, flat.size, PIECE):
            piece = flat[start : start + PIECE].astype(np.float64)
            if shift:
                piece -= shift
            total += _whole(piece.sum())
            squares += _whole(np.dot(piece, piece))
    if not math.isfinite(squares):
        return low, high, math.nan, math.nan
    mean, deviation = _mean_and_deviation(flat.size, total, squares)
    return low, high, mean + shift, deviation


def _mean_and_deviation(count: int, total: int | float, squares: int | float) -> tuple[float, float]:
    return total / count, math.sqrt(max(0, squares * count - total * total)) / count


def _whole(value: np.float64) -> int | float:
    """Sums of whole numbers as such, which Python adds up without rounding."""
    return int(value) if value.is_integer() else float(value)
