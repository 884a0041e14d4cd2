"""Pooling: every window of a map becomes one number, and where each maximum stood can be kept.

>>> pool([[2, 2, 7, 3], [9, 4, 6, 1], [8, 5, 2, 4], [3, 1, 2, 6]], "max").tolist()
[[9, 7], [8, 6]]
>>> pool([[2, 2, 7, 3], [9, 4, 6, 1], [8, 5, 2, 4], [3, 1, 2, 6]], "average").tolist()
[[4.25, 4.25], [4.25, 3.5]]
"""

from collections.abc import Iterator
from itertools import product

import numpy as np
from jaxtyping import Int64, Shaped

from striate.errors import UsageError, suggestion
from striate.pixels.convolution import Array, ArrayLike, as_numbers
from striate.pixels.sliding import Slide, Whole, per_axis, slides

KINDS = ("max", "average", "global max", "global average")
Planes = Shaped[np.ndarray, "_height _width channel"]


def pool(
    image: ArrayLike,
    kind: str = "max",
    window: Whole = 2,
    *,
    stride: Whole | None = None,
    axes: int | None = None,
) -> Array:
    """The largest or the mean value in every window, each channel alone.

    >>> pool(np.zeros((28, 28, 6)), "max", window=2).shape, pool(np.zeros((7, 7, 512)), "global average").shape
    ((14, 14, 6), (512,))

    `kind` is "max" or "average", or one of them with "global" before it: one number a channel. The stride is the
    window's size unless given; what does not fill a window at the end is left out, so that n pixels make
    ⌈(n - window + 1) / stride⌉ cells, which is ⌊(n - window) / stride⌋ + 1. An array of one axis is a signal; others
    are images, unless `axes=1`. A maximum keeps the dtype; a mean is float64. Raises UsageError for a window that
    does not fit.
    """
    if kind not in KINDS:
        raise UsageError(f"there is no pooling {kind!r}; {suggestion(kind, KINDS)}")
    if kind.startswith("global"):
        if stride is not None:
            raise UsageError(f"{kind} pooling has one window, the whole image; leave the stride out.")
        return _global(as_numbers(image, "image"), kind, axes)
    planes, sliding, shape = _laid_out(image, window, stride, axes)
    if kind == "max":
        return _maxima(planes, *sliding).reshape(shape)
    return _means(planes, *sliding).reshape(shape)


def max_pool(
    image: ArrayLike, window: Whole = 2, *, stride: Whole | None = None, axes: int | None = None
) -> tuple[Array, Int64[np.ndarray, "..."]]:
    """Max pooling with its switches: the number of the pixel, counted row by row, where each maximum stood.

    >>> values, switches = max_pool([[1, 3, 6, 8], [4, 2, 9, 7], [8, 7, 3, 2], [7, 9, 1, 1]])
    >>> values.tolist(), switches.tolist()
    ([[4, 9], [9, 3]], [[4, 6], [13, 10]])

    The first of equal maxima is taken. Zeiler & Fergus 2014, section 2.1.
    """
    planes, (rows, columns), shape = _laid_out(image, window, stride, axes)
    values = _maxima(planes, rows, columns)
    switches = np.full(values.shape, -1)
    for row, column, part in _shifted(planes, rows, columns):
        tops = np.arange(rows.cells)[:, None, None] * rows.stride + row
        lefts = np.arange(columns.cells)[None, :, None] * columns.stride + column
        found = (switches < 0) & ((part == values) | (part != part))
        switches = np.where(found, tops * planes.shape[1] + lefts, switches)
    return values.reshape(shape), switches.reshape(shape)


def unpool(values: ArrayLike, switches: ArrayLike, size: tuple[int, ...]) -> Array:
    """A map of `size` with each value back at its switch and zero elsewhere: what deconvnet does with a max pool.

    >>> unpool([[4, 9], [9, 3]], [[4, 6], [13, 10]], (4, 4)).tolist()
    [[0, 0, 0, 0], [4, 0, 9, 0], [0, 0, 3, 0], [0, 9, 0, 0]]

    `size` is `height width` (or `length`) of the map that was pooled. Where windows overlapped and one pixel won
    in several, it gets the last of the values, as torch's does. Raises UsageError where shapes do not agree.
    """
    given, places = as_numbers(values, "values"), np.asarray(switches)
    if given.shape != places.shape:
        raise UsageError(f"values and switches must have one shape; got {given.shape} and {places.shape}.")
    pixels, axes = int(np.prod(size)), len(size)
    if places.dtype.kind not in "ui" or places.min() < 0 or places.max() >= pixels:
        raise UsageError(f"switches must number the {pixels:,} pixels of a map of {size}, from 0.")
    depth = given.shape[axes:]
    result = np.zeros((pixels, int(np.prod(depth))), given.dtype)
    flat = places.reshape(-1, result.shape[1])
    result[flat, np.arange(result.shape[1])] = given.reshape(flat.shape)
    return result.reshape(*size, *depth)


def share_removed(size: tuple[int, int], window: Whole = 2, stride: Whole | None = None) -> float:
    """The share of an image's values that pooling leaves out.

    >>> share_removed((28, 28), window=2)
    0.75
    """
    rows, columns = slides(size, _pair(window, 2), window if stride is None else stride)
    return 1 - rows.cells * columns.cells / (size[0] * size[1])


def _laid_out(
    image: ArrayLike, window: Whole, stride: Whole | None, axes: int | None
) -> tuple[Planes, tuple[Slide, Slide], tuple[int, ...]]:
    """The image as `height width channel`, how the window slides, and the shape of the result."""
    picture = as_numbers(image, "image")
    axes = axes if axes is not None else min(picture.ndim, 2)
    if axes not in (1, 2) or not axes <= picture.ndim <= axes + 1:
        raise UsageError(
            f"an image is `height width [channel]` and a signal `length [channel]`; got shape {picture.shape}."
        )
    windows = _pair(window, axes)
    sliding = slides(picture.shape[:axes], windows, windows if stride is None else stride)
    rows, columns = (*sliding, Slide(1, 1))[:2]
    shape = (*(slide.cells for slide in sliding), *picture.shape[axes:])
    return picture.reshape(rows.size, columns.size, -1), (rows, columns), shape


def _pair(window: Whole, axes: int) -> tuple[int, ...]:
    return per_axis(window, axes, "window")


def _shifted(planes: Planes, rows: Slide, columns: Slide) -> Iterator[tuple[int, int, Planes]]:
    for row, column in product(range(rows.window), range(columns.window)):
        down = slice(row, row + (rows.cells - 1) * rows.stride + 1, rows.stride)
        across = slice(column, column + (columns.cells - 1) * columns.stride + 1, columns.stride)
        yield row, column, planes[down, across]


def _maxima(planes: Planes, rows: Slide, columns: Slide) -> Planes:
    parts = (part for _, _, part in _shifted(planes, rows, columns))
    result = next(parts).copy()
    for part in parts:
        np.maximum(result, part, out=result)
    return result


def _means(planes: Planes, rows: Slide, columns: Slide) -> Planes:
    total = np.zeros((rows.cells, columns.cells, planes.shape[2]))
    for _, _, part in _shifted(planes, rows, columns):
        total += part
    return total / (rows.window * columns.window)


def _global(picture: Array, kind: str, axes: int | None) -> Array:
    space = tuple(range(axes if axes is not None else min(picture.ndim, 2)))
    return np.asarray(
        picture.max(axis=space) if kind == "global max" else picture.mean(axis=space, dtype=np.float64)
    )
