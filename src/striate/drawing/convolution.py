"""Figures for a lecture or a notebook: window · kernel = products, their sum in the result, and windows that pool.

Intensities are grey, signed values red and blue with zero neutral. Matplotlib is imported when a figure is drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Shaped, UInt8

from striate.drawing.scales import CATEGORICAL, diverging
from striate.drawing.tiles import INK, MUTED, to_uint8

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Matrix = Shaped[np.ndarray, "_rows _columns"]
Colours = UInt8[np.ndarray, "_rows _columns 3"]

NUMBERED = 12
"""Images up to this many pixels a side are shown with their numbers; larger ones as pictures."""

MARK = CATEGORICAL[1]

SMALL = 1.7
"""Inches of a window, a kernel and the products, in a figure 9.6 inches wide."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Board:
    """The matrices of one channel: the window and which of it is padding, the weights and how they are written."""

    channel: str
    window: Matrix
    outside: Bool[np.ndarray, "_rows _columns"]
    weights: Matrix
    texts: list[list[str]]
    products: Matrix


def convolution_figure(
    image: Shaped[np.ndarray, "_height _width ..."],
    boards: Sequence[Board],
    result: Matrix,
    cell: tuple[int, int],
    box: tuple[int, int, int, int],
    flipped: bool,
) -> "Figure":
    """Above the image with its window and the result with its cell, below a line of matrices for each channel.

    `box` is top, left, height and width of the window in the image's pixels, which may lie beyond its border.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 4.4 + 2.5 * len(boards)), layout="constrained", facecolor="white")
    halves: Any = figure.subfigures(2, 1, height_ratios=[4.4, 2.5 * len(boards)])
    above, below = halves
    left, right = above.subplots(1, 2)
    _show_plane(left, image, f"image {image.shape[0]} × {image.shape[1]}")
    _frame(left, *box)
    _show_signed(right, result, f"result {result.shape[0]} × {result.shape[1]}")
    _frame(right, cell[0], cell[1], 1, 1)
    grid = below.subplots(len(boards), 3, squeeze=False)
    for line, board in zip(grid, boards, strict=True):
        _show_board(line, board, flipped, limit=float(np.abs(image).max()))
    totals = [board.products.sum() for board in boards]
    parts = "" if len(boards) == 1 else " + ".join(_bracketed(total) for total in totals) + " = "
    words = f"sum of the products: {parts}{written(sum(totals))}, at row {cell[0]}, column {cell[1]} of the result"
    below.supxlabel(words, fontsize=12, color=INK)
    return figure


def pooling_figure(
    image: Matrix,
    result: Matrix,
    window: tuple[int, int],
    stride: tuple[int, int],
    kind: str,
    winners: Sequence[tuple[int, int]],
) -> "Figure":
    """The image with its windows tinted in turn, and the result in the same tints."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 4.8), layout="constrained", facecolor="white")
    left, right = figure.subplots(1, 2)
    tints = np.full((*image.shape, 3), 255, np.uint8)
    small = np.empty((*result.shape, 3), np.uint8)
    for row, column in np.ndindex(*result.shape):
        colour = _tint(row, column)
        top, start = row * stride[0], column * stride[1]
        tints[top : top + window[0], start : start + window[1]] = colour
        small[row, column] = colour
    _show_matrix(left, tints, _texts(image), f"image {image.shape[0]} × {image.shape[1]}")
    for row, column in winners:
        _frame(left, row, column, 1, 1)
    _show_matrix(right, small, _texts(result), f"{kind} {window[0]} × {window[1]}")
    words = f"stride {stride[0]}" if stride[0] == stride[1] else f"stride {stride[0]} × {stride[1]}"
    removed = 1 - result.size / image.size
    left.set_xlabel(
        f"{words}; {image.size} values become {result.size}: {removed:.0%} are removed", color=MUTED
    )
    if winners:
        right.set_xlabel("outlined on the left: the pixel that each maximum came from", color=MUTED)
    return figure


def written(value: Any) -> str:
    """A number for a cell: whole ones as they are, others with at most three digits after the point.

    >>> written(np.int64(-4)), written(0.0625), written(1.50)
    ('-4', '0.062', '1.5')
    """
    number = float(value)
    if abs(number) >= 1e5 and not number.is_integer():
        return f"{number:.3g}"
    return f"{number:.0f}" if number.is_integer() else f"{number:.3f}".rstrip("0").rstrip(".")


def _bracketed(value: Any) -> str:
    return f"({written(value)})" if value < 0 else written(value)


def _show_board(axes: "Sequence[Axes]", board: Board, flipped: bool, limit: float) -> None:
    name = f"{board.channel} window" if board.channel else "window"
    window = [
        [f"({written(value)})" if out else written(value) for value, out in zip(values, outs, strict=True)]
        for values, outs in zip(board.window, board.outside, strict=True)
    ]
    signed = bool((board.window < 0).any())
    shades = diverging(board.window, limit or None) if signed else _grey(board.window, limit)
    padding = "padding in brackets" if board.outside.any() else ""
    _show_matrix(axes[0], shades, window, name, SMALL)
    axes[0].set_xlabel(padding, color=MUTED)
    title = "· kernel, flipped" if flipped else "· kernel"
    _show_matrix(axes[1], diverging(board.weights), board.texts, title, SMALL)
    _show_matrix(axes[2], diverging(board.products), _texts(board.products), "= products", SMALL)
    axes[2].set_xlabel(f"sum {written(board.products.sum())}", color=INK)


def _show_plane(axes: "Axes", image: Shaped[np.ndarray, "_height _width ..."], title: str) -> None:
    if image.ndim == 2 and max(image.shape) <= NUMBERED:
        signed = bool((image < 0).any())
        _show_matrix(
            axes, diverging(image) if signed else _grey(image, float(image.max())), _texts(image), title
        )
        return
    planes = image if image.ndim == 3 else image[:, :, None]
    shown = to_uint8(planes)
    axes.imshow(
        shown if shown.shape[2] == 3 else np.repeat(shown[:, :, :1], 3, axis=2), interpolation="nearest"
    )
    _dress(axes, title)
    axes.set_xlabel(f"values {written(image.min())} .. {written(image.max())}", color=MUTED)


def _show_signed(axes: "Axes", values: Matrix, title: str) -> None:
    if max(values.shape) <= NUMBERED:
        _show_matrix(axes, diverging(values), _texts(values), title)
    else:
        axes.imshow(diverging(values), interpolation="nearest")
        _dress(axes, title)
    reach = written(np.abs(values).max())
    axes.set_xlabel(f"blue -{reach} .. 0 white .. red {reach}", color=MUTED)


def _show_matrix(
    axes: "Axes", colours: Colours, texts: list[list[str]], title: str, inches: float = 3.0
) -> None:
    """A matrix with its numbers, in a type that fits cells of a matrix so many inches wide."""
    axes.imshow(colours, interpolation="nearest")
    longest = max(len(text) for row in texts for text in row)
    cell = 72 * inches / max(len(texts[0]), len(texts))
    size = min(15.0, 0.5 * cell, 0.92 * cell / (0.602 * longest))  # a letter is 0.602 of its size wide
    for row, line in enumerate(texts):
        for column, text in enumerate(line):
            dark = float(colours[row, column] @ [0.2126, 0.7152, 0.0722]) < 110
            ink = "white" if dark else INK
            axes.text(
                column, row, text, ha="center", va="center", fontsize=size, color=ink, family="monospace"
            )
    axes.set_xticks(np.arange(len(texts[0]) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(texts) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#d0d7de", linewidth=1)
    axes.tick_params(which="minor", length=0)
    _dress(axes, title)


def _dress(axes: "Axes", title: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title, loc="left", fontsize=12, color=INK)
    axes.xaxis.label.set_fontsize(11)
    for spine in axes.spines.values():
        spine.set_color("#d0d7de")


def _frame(axes: "Axes", top: int, left: int, height: int, width: int) -> None:
    """An outline around pixels; paper is added for what lies beyond the border; a small one gets a larger."""
    from matplotlib.patches import Rectangle

    (start, end), (bottom, first) = sorted(axes.get_xlim()), sorted(axes.get_ylim())
    axes.set_xlim(min(start, left - 0.5), max(end, left + width - 0.5))
    axes.set_ylim(max(first, top + height - 0.5), min(bottom, top - 0.5))
    _outline(axes, Rectangle, left, top, width, height, 2.5)
    least = max(end - start, first - bottom) / 24
    if max(height, width) < least / 2:
        _outline(axes, Rectangle, left + (width - least) / 2, top + (height - least) / 2, least, least, 1.5)


def _outline(
    axes: "Axes",
    shape: Any,
    left: float | int,
    top: float | int,
    width: float | int,
    height: float | int,
    line: float,
) -> None:
    corner = (left - 0.5, top - 0.5)
    axes.add_patch(
        shape(corner, width, height, fill=False, edgecolor=MARK, linewidth=line, clip_on=False, zorder=5)
    )


def _grey(values: Matrix, top: float) -> Colours:
    return np.repeat(to_uint8(values[:, :, None].astype(np.float64), 0.0, top or 1.0), 3, axis=2)


def _tint(row: int, column: int) -> list[int]:
    """Pale forms of four class colours, so that windows side by side differ."""
    colour = CATEGORICAL[(row % 2) * 2 + column % 2]
    return [255 - (255 - int(colour[index : index + 2], 16)) * 3 // 10 for index in (1, 3, 5)]


def _texts(values: Matrix) -> list[list[str]]:
    return [[written(value) for value in row] for row in values]
