"""Mean and deviation of a choice of images, the same to the bit from a pack and from a stream."""

import math

import numpy as np
from jaxtyping import Int, Shaped

from striate.data.packing.moments import WHOLE, moments_dtype, moments_of
from striate.data.packing.stream import PackedPixels, StreamedPixels, gather
from striate.pixels.preparation import FULL_SCALE

TOGETHER = 1 << 20
"""Values measured at once."""


def channel_statistics(
    pixels: PackedPixels, rows: Int[np.ndarray, " row"]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per channel of the given rows, of values scaled to 0..1.

    >>> channel_statistics(np.array([0, 255], np.uint8).reshape(2, 1, 1, 1), np.array([0, 1]))
    ((0.5,), (0.5,))

    The order of the rows does not matter. The deviation of a constant channel is given as 1, so that it may
    divide.
    """
    _, height, width, channels = pixels.shape
    full, area = FULL_SCALE[str(pixels.dtype)], height * width
    moments = _moments_of_rows(pixels, rows)
    measure = _whole_statistics if moments.dtype == WHOLE else _floating_statistics
    measured = [measure(moments[:, :, channel], area) for channel in range(channels)]
    mean = tuple(mean / full for mean, _ in measured)
    return mean, tuple((math.sqrt(variance) or full) / full for _, variance in measured)


def _moments_of_rows(
    pixels: PackedPixels, rows: Int[np.ndarray, " row"]
) -> Shaped[np.ndarray, "row 2 channel"]:
    if isinstance(pixels, StreamedPixels):
        return pixels.moments[rows]
    _, height, width, channels = pixels.shape
    size = max(1, TOGETHER // (height * width * channels))
    ordered = np.sort(rows)
    blocks = gather(pixels, (ordered[at : at + size] for at in range(0, len(rows), size)))
    parts = [moments_of(block) for block in blocks]
    empty = np.zeros((0, 2, channels), moments_dtype(str(pixels.dtype)))
    return np.concatenate([empty, *parts])


def _whole_statistics(moments: Shaped[np.ndarray, "row 2"], area: int) -> tuple[float, float]:
    sums, squares = (
        sum(column) for column in moments.T.tolist()
    )  # exact: Python's whole numbers have no end
    count = max(1, len(moments) * area)
    return sums / count, (count * squares - sums * sums) / count**2


def _floating_statistics(moments: Shaped[np.ndarray, "row 2"], area: int) -> tuple[float, float]:
    sums, squares = moments.T
    count = max(1, len(moments) * area)
    mean = math.fsum(sums) / count
    return mean, (math.fsum(squares) + math.fsum(area * np.square(sums / area - mean))) / count
