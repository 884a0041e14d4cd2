"""Cells that are the largest or the mean of a window."""

import math

import numpy as np
from torch import nn

from striate.explanation.cells.cell import Place, Window, Work, added, written
from striate.explanation.cells.reading import Reading
from striate.explanation.cells.windows import Pair, in_double, pair, under

SHOWN = 9


def work_max(reading: Reading, place: Place) -> Work:
    """The largest under the window; padding is never it."""
    layer = reading.layer(nn.MaxPool2d)
    return _largest(reading, place, _start(layer, place), pair(layer.kernel_size), pair(layer.dilation))


def work_mean(reading: Reading, place: Place) -> Work:
    """The mean under the window; padding counts as zeros where the layer counts it."""
    layer = reading.layer(nn.AvgPool2d)
    first, size, padding = _start(layer, place), pair(layer.kernel_size), pair(layer.padding)
    maps = reading.entering().shape[2:]
    along = list(zip(first, size, maps, padding, strict=True))
    # torch cuts a window off at the end of the padding, and counts no further
    counted = [min(side, length + more - start) for start, side, length, more in along]
    if not layer.count_include_pad:
        counted = [min(start + side, length) - max(start, 0) for start, side, length, _ in along]
    return _mean(reading, place, first, size, layer.divisor_override or counted[0] * counted[1])


def work_grid_max(reading: Reading, place: Place) -> Work:
    """The largest of one part of a grid laid over the maps."""
    first, size = _part(reading, place)
    return _largest(reading, place, first, size, (1, 1))


def work_grid_mean(reading: Reading, place: Place) -> Work:
    """The mean of one part of a grid laid over the maps."""
    first, size = _part(reading, place)
    return _mean(reading, place, first, size, size[0] * size[1])


def _start(layer: nn.MaxPool2d | nn.AvgPool2d, place: Place) -> Pair:
    stride, padding = pair(layer.stride), pair(layer.padding)
    return place[1] * stride[0] - padding[0], place[2] * stride[1] - padding[1]


def _part(reading: Reading, place: Place) -> tuple[Pair, Pair]:
    """From ⌊i·cells/grid⌋ to ⌈(i+1)·cells/grid⌉ along each axis."""
    maps, grid = reading.entering().shape[2:], reading.visit.leaving.shape[2:]
    ends = [
        (index * cells // parts, -(-(index + 1) * cells // parts))
        for index, cells, parts in zip(place[1:], maps, grid, strict=True)
    ]
    return (ends[0][0], ends[1][0]), (ends[0][1] - ends[0][0], ends[1][1] - ends[1][0])


def _largest(reading: Reading, place: Place, first: Pair, size: Pair, step: Pair) -> Work:
    window = _window(reading, place[0], first, size, step)
    known = np.where(window.outside, -np.inf, window.values[0])
    row, column = np.unravel_index(int(known.argmax()), known.shape)
    result = float(known[row, column])
    chosen = Window(
        window.reads,
        window.channels,
        first,
        step,
        window.values,
        window.outside,
        chosen=(int(row), int(column)),
    )
    inside = window.values[0][~window.outside].tolist()
    what = ", ".join(map(written, inside)) if len(inside) <= SHOWN else f"{len(inside):,} values"
    return reading.work(place, "largest", result, f"largest of {what} = {written(result)}", window=chosen)


def _mean(reading: Reading, place: Place, first: Pair, size: Pair, count: int) -> Work:
    window = _window(reading, place[0], first, size, (1, 1))
    values = window.values[0]
    total = math.fsum(values.ravel())
    what = f"({added(values.ravel().tolist())})" if values.size <= SHOWN else f"sum {written(total)}"
    formula = f"{what} / {count} = {written(total / count)}"
    numbers = {"sum": total, "count": float(count)}
    return reading.work(place, "mean", total / count, formula, window=window, numbers=numbers)


def _window(reading: Reading, channel: int, first: Pair, size: Pair, step: Pair) -> Window:
    values, outside = under(in_double(reading.entering()[0])[[channel]], first, size, step)
    return Window(reading.reads, np.array([channel]), first, step, values, outside)
