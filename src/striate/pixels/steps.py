"""One cell of a convolution or a pooling, worked as on the board: the window, the kernel, the products, the sum."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Shaped

from striate.errors import UsageError
from striate.pixels.convolution import ArrayLike, Question, as_numbers, ask
from striate.pixels.kernels import to_text
from striate.pixels.sliding import Padding, Slide, Whole, inside, slides

Matrix = Shaped[np.ndarray, "rows columns"]


@dataclass(frozen=True, eq=False)
class Part:
    """What one channel gives: its name, the window, which of it is padding, the weights laid on it, the products."""

    channel: str
    window: Matrix
    outside: Bool[np.ndarray, "rows columns"]
    weights: Matrix
    products: Matrix

    @property
    def total(self) -> int | float:
        """The sum of the products."""
        return self.products.sum().item()


@dataclass(frozen=True, eq=False)
class Step:
    """One cell of a result: where it stands, which pixels it sees, and what each channel gives.

    `parts` are summed into one number where the kernel has channels (`summed`), and give one number each otherwise.
    """

    cell: tuple[int, ...]
    shape: tuple[int, ...]
    slides: tuple[Slide, ...]
    parts: tuple[Part, ...]
    summed: bool
    flipped: bool
    border: str

    @property
    def values(self) -> tuple[int | float, ...]:
        """The cell's value, or its value in each channel."""
        totals = tuple(part.total for part in self.parts)
        return (sum(totals),) if self.summed else totals


def work_step(
    image: ArrayLike,
    kernel: ArrayLike,
    at: Sequence[int],
    *,
    stride: Whole = 1,
    padding: Padding = "valid",
    border: str = "zero",
    dilation: Whole = 1,
    indexing: str = "cross-correlation",
    map_number: int = 0,
) -> Step:
    """The cell `at` (row, column) of `convolve` with the same options, and of one filter of a bank, `map_number`.

    >>> step = work_step([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1]], [[1, 0, 1], [0, 1, 0], [1, 0, 1]], (0, 1))
    >>> step.values, step.parts[0].products.tolist()
    ((3,), [[1, 0, 0], [0, 1, 0], [0, 0, 1]])

    Raises UsageError for a cell that the result does not have.
    """
    question = ask(
        image, kernel, stride=stride, padding=padding, border=border, dilation=dilation, indexing=indexing
    )
    sliding = question.slides[: question.axes]
    _check_cell(at, [slide.cells for slide in sliding])
    if not 0 <= map_number < len(question.filters):
        raise UsageError(
            f"there is no filter {map_number}; there are {len(question.filters)}, counted from 0."
        )
    row, column = (*at, 0)[:2]
    down, across = question.slides[0].pixels(row), question.slides[1].pixels(column)
    return Step(
        cell=tuple(at),
        shape=question.shape,
        slides=sliding,
        parts=tuple(
            _part(question, map_number, channel, down, across) for channel in range(question.planes.shape[2])
        ),
        summed=not question.alone,
        flipped=question.flipped,
        border=border,
    )


def _part(question: Question, map_number: int, channel: int, down: Any, across: Any) -> Part:
    plane = question.planes[:, :, channel]
    rows = inside(down, question.slides[0].size, question.border)
    columns = inside(across, question.slides[1].size, question.border)
    window = np.where((rows < 0)[:, None] | (columns < 0)[None, :], 0, plane[np.ix_(rows, columns)])
    window = window.astype(np.float64 if window.dtype.kind == "f" else object)
    weights = question.filters[map_number, :, :, 0 if question.alone else channel]
    products = window * (weights if weights.dtype.kind == "f" else weights.astype(object))
    whole = products.dtype == object and weights.dtype.kind != "f"
    beyond = (
        (down < 0) | (down >= question.slides[0].size),
        (across < 0) | (across >= question.slides[1].size),
    )
    return Part(
        channel=_channel_name(channel, question.planes.shape[2]),
        window=_laid(window.astype(np.int64 if window.dtype == object else np.float64), question),
        outside=_laid(beyond[0][:, None] | beyond[1][None, :], question),
        weights=_laid(weights, question),
        products=_laid(products.astype(np.int64 if whole else np.float64), question),
    )


def _laid(matrix: Matrix, question: Question) -> Matrix:
    """A signal is written along a line."""
    return matrix if question.axes == 2 else matrix.T


def _check_cell(at: Sequence[int], cells: Sequence[int]) -> None:
    if len(at) != len(cells) or any(not 0 <= one < count for one, count in zip(at, cells, strict=False)):
        raise UsageError(
            f"there is no cell {', '.join(map(str, at))}; the result has {' × '.join(map(str, cells))} cells, "
            "counted from 0."
        )


def step_text(step: Step) -> str:
    """A step as it is written on the board, padding in brackets.

    >>> image = np.arange(1, 17).reshape(4, 4)
    >>> print(step_text(work_step(image, [[0, 1, 0], [1, -4, 1], [0, 1, 0]], (0, 1), stride=2, padding=1)))
    row 0, column 1 of 2 × 2
    rows -1..1 and columns 1..3 of the image
    (stride 2; padding 1 before, 1 after, zero; row 0 · 2 - 1 = -1, column 1 · 2 - 1 = 1)
    <BLANKLINE>
         window           kernel         products
    (0)  (0)  (0)       0   1   0       0    0    0
      2    3    4   ·   1  -4   1   =   2  -12    4
      6    7    8       0   1   0       0    7    0
    <BLANKLINE>
    sum = 0 + 0 + 0 + 2 - 12 + 4 + 0 + 7 + 0 = 1
    """
    lines = [f"{_place(step.cell)} of {' × '.join(str(slide.cells) for slide in step.slides)}", _where(step)]
    for part in step.parts:
        lines += ["", *([part.channel] if part.channel else []), *_board(part, step.flipped)]
        name = f"sum ({part.channel})" if part.channel and step.summed else "sum"
        lines += ["", f"{name} = {_added(part.products.ravel().tolist())} = {_number(part.total)}"]
    if step.summed and len(step.parts) > 1:
        totals = [part.total for part in step.parts]
        lines += ["", f"all channels = {_added(totals)} = {_number(step.values[0])}"]
    return "\n".join(lines)


def pool_step_text(
    image: ArrayLike, kind: str, window: int, at: Sequence[int], *, stride: int | None = None
) -> str:
    """One cell of max or average pooling as it is written on the board.

    >>> print(pool_step_text([[2, 2, 7, 3], [9, 4, 6, 1], [8, 5, 2, 4], [3, 1, 2, 6]], "average", 2, (0, 0)))
    average 2 × 2, row 0, column 0 of 2 × 2
    rows 0..1 and columns 0..1 of the image (stride 2)
    <BLANKLINE>
    2  2
    9  4
    <BLANKLINE>
    average = (2 + 2 + 9 + 4) / 4 = 4.25
    """
    picture = as_numbers(image, "image")
    rows, columns = slides(picture.shape[:2], (window, window), window if stride is None else stride)
    _check_cell(at, (rows.cells, columns.cells))
    down, across = rows.pixels(at[0]), columns.pixels(at[1])
    lines = [
        f"{kind} {window} × {window}, {_place(at)} of {rows.cells} × {columns.cells}",
        f"rows {down[0]}..{down[-1]} and columns {across[0]}..{across[-1]} of the image (stride {rows.stride})",
    ]
    planes = picture.reshape(*picture.shape[:2], -1)
    for channel in range(planes.shape[2]):
        part = planes[:, :, channel][np.ix_(down, across)]
        name = _channel_name(channel, planes.shape[2])
        cells = [[_number(value) for value in row] for row in part.tolist()]
        width = max(len(cell) for row in cells for cell in row)
        lines += [
            "",
            *([name] if name else []),
            *("  ".join(f"{cell:>{width}}" for cell in row) for row in cells),
        ]
        lines += ["", _summary(kind, part.ravel().tolist())]
    return "\n".join(lines)


def _summary(kind: str, values: list[int | float]) -> str:
    if kind == "max":
        return f"max = {_number(max(values))}"
    return f"average = ({_added(values)}) / {len(values)} = {_number(sum(values) / len(values))}"


def _channel_name(channel: int, depth: int) -> str:
    names = {1: ("",), 3: ("red", "green", "blue")}
    return names[depth][channel] if depth in names else f"channel {channel}"


def _place(cell: Sequence[int]) -> str:
    return f"row {cell[0]}, column {cell[1]}" if len(cell) == 2 else f"cell {cell[0]}"


def _where(step: Step) -> str:
    words = ("rows", "columns") if len(step.slides) == 2 else ("values",)
    spans, sums = [], []
    for word, slide, cell in zip(words, step.slides, step.cell, strict=True):
        pixels = slide.pixels(cell)
        every = f" in steps of {slide.dilation}" if slide.dilation > 1 else ""
        spans.append(f"{word} {pixels[0]}..{pixels[-1]}{every}")
        one = word[:-1] if len(words) == 2 else "cell"
        sums.append(f"{one} {cell} · {slide.stride} - {slide.before} = {pixels[0]}")
    strides = dict.fromkeys(str(slide.stride) for slide in step.slides)
    pads = dict.fromkeys(f"{slide.before} before, {slide.after} after" for slide in step.slides)
    padded = any(slide.before or slide.after for slide in step.slides)
    padding = f"padding {' and '.join(pads)}, {step.border}" if padded else "no padding"
    where = "image" if len(words) == 2 else "signal"
    return f"{' and '.join(spans)} of the {where}\n(stride {' and '.join(strides)}; {padding}; {', '.join(sums)})"


def _board(part: Part, flipped: bool) -> list[str]:
    window = [
        [f"({_number(value)})" if out else _number(value) for value, out in zip(values, outs, strict=True)]
        for values, outs in zip(part.window.tolist(), part.outside.tolist(), strict=True)
    ]
    products = [[_number(value) for value in row] for row in part.products.tolist()]
    kernel = [line.split() for line in to_text(part.weights).splitlines()]
    heads = ["window", "kernel, flipped" if flipped else "kernel", "products"]
    blocks = [_aligned(cells, head) for cells, head in zip((window, kernel, products), heads, strict=True)]
    middle = (len(window) - 1) // 2 + 1
    signs = [("     ", "     ") if line != middle else ("  ·  ", "  =  ") for line in range(len(window) + 1)]
    return [
        f"{a}{times}{b}{equals}{c}".rstrip() for a, b, c, (times, equals) in zip(*blocks, signs, strict=True)
    ]


def _aligned(cells: list[list[str]], head: str) -> list[str]:
    width = max(len(cell) for row in cells for cell in row)
    rows = ["  ".join(f"{cell:>{width}}" for cell in row) for row in cells]
    full = max(len(head), len(rows[0]))
    return [f"{head:^{full}}", *(f"{row:^{full}}" for row in rows)]


def _added(values: Sequence[int | float]) -> str:
    text = _number(values[0])
    for value in values[1:]:
        text += f" - {_number(-value)}" if value < 0 else f" + {_number(value)}"
    return text


def _number(value: int | float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6g}"
