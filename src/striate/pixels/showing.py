"""Figures of one convolution and one pooling: computed here, drawn in `drawing.convolution`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from striate.drawing.convolution import Board, convolution_figure, pooling_figure
from striate.errors import UsageError
from striate.pixels.convolution import Array, ArrayLike, as_numbers, convolve
from striate.pixels.kernels import to_text
from striate.pixels.pooling import max_pool, pool
from striate.pixels.sliding import Padding, Whole
from striate.pixels.steps import work_step

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CHANNELS, WIDEST_KERNEL, WIDEST_POOLED = 3, 7, 16


def show_convolution(
    image: ArrayLike,
    kernel: ArrayLike,
    at: Sequence[int],
    *,
    stride: Whole = 1,
    padding: Padding = "valid",
    border: str = "zero",
    indexing: str = "cross-correlation",
    channel: int = 0,
) -> "Figure":
    """A figure of one cell of `convolve`: the image with its window, window · kernel = products, the result.

    >>> show_convolution(np.eye(6), [[1, -1, -1], [-1, 1, -1], [-1, -1, 1]], at=(0, 0)).axes[0].get_title(loc="left")
    'image 6 × 6'

    `at` is the cell's row and column. A kernel without channels shows one `channel` of the image; one with channels
    shows all of them, each on its line, up to 3. Kernels up to 7 × 7. Save it with `figure.savefig("step.svg")`.
    Raises UsageError for more channels, larger kernels, and a cell that the result does not have.
    """
    picture, weights = as_numbers(image, "image"), as_numbers(kernel, "kernel")
    if picture.ndim == 3 and weights.ndim == 2:
        if not 0 <= channel < picture.shape[2]:
            raise UsageError(f"there is no channel {channel}; there are {picture.shape[2]}, counted from 0.")
        picture = picture[:, :, channel]
    if picture.ndim > 2 and picture.shape[2] > MOST_CHANNELS:
        raise UsageError(f"a figure shows up to {MOST_CHANNELS} channels; this image has {picture.shape[2]}.")
    if weights.ndim != picture.ndim:
        raise UsageError(f"a figure shows one filter on an image; got a kernel of shape {weights.shape}.")
    if max(weights.shape[:2]) > WIDEST_KERNEL:
        raise UsageError(
            f"a figure shows kernels up to {WIDEST_KERNEL} × {WIDEST_KERNEL}; "
            f"this one is {weights.shape[0]} × {weights.shape[1]}."
        )
    options = {"stride": stride, "padding": padding, "border": border, "indexing": indexing}
    step = work_step(picture, weights, at, **options)  # type: ignore[arg-type]
    result = convolve(picture, weights, **options)  # type: ignore[arg-type]
    rows, columns = (slide.pixels(cell) for slide, cell in zip(step.slides, at, strict=True))
    boards = [
        Board(
            channel=part.channel,
            window=part.window,
            outside=part.outside,
            weights=part.weights,
            texts=_texts(part.weights),
            products=part.products,
        )
        for part in step.parts
    ]
    box = (int(rows[0]), int(columns[0]), int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1))
    return convolution_figure(picture, boards, result, (at[0], at[1]), box, step.flipped)


def show_pooling(
    image: ArrayLike, kind: str = "max", window: Whole = 2, *, stride: Whole | None = None, channel: int = 0
) -> "Figure":
    """A figure of a pooling: the windows on the image in turn, and the cell that each becomes.

    >>> show_pooling([[2, 2, 7, 3], [9, 4, 6, 1], [8, 5, 2, 4], [3, 1, 2, 6]]).axes[1].get_title(loc="left")
    'max 2 × 2'

    For `kind` "max" the pixel that won is outlined in each window. Images up to 16 × 16 pixels, whose numbers can
    be read; UsageError for larger ones.
    """
    picture = as_numbers(image, "image")
    if picture.ndim == 3:
        picture = picture[:, :, channel]
    if picture.ndim != 2 or max(picture.shape) > WIDEST_POOLED:
        raise UsageError(
            f"a figure shows numbers of images up to {WIDEST_POOLED} × {WIDEST_POOLED}; got shape {picture.shape}. "
            "Show a part of it."
        )
    if kind not in ("max", "average"):
        raise UsageError(f"a figure shows max or average pooling; got {kind!r}.")
    result = pool(picture, kind, window, stride=stride)
    pair = (window, window) if isinstance(window, int) else tuple(window)
    steps = pair if stride is None else (stride, stride) if isinstance(stride, int) else tuple(stride)
    winners = _winners(picture, pair, steps) if kind == "max" else []
    return pooling_figure(picture, result, (pair[0], pair[1]), (steps[0], steps[1]), kind, winners)


def _winners(picture: Array, window: Sequence[int], stride: Sequence[int]) -> list[tuple[int, int]]:
    _, switches = max_pool(picture, window, stride=stride)
    return [divmod(int(switch), picture.shape[1]) for switch in np.unique(switches)]


def _texts(weights: Array) -> list[list[str]]:
    return [line.split() for line in to_text(weights).splitlines()]
