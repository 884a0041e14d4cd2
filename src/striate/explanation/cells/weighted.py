"""Cells that are weighted sums: convolutions, fully connected layers, and LeNet-5's three kinds of its own."""

import math

import numpy as np
from torch import Tensor, nn

from striate.explanation.cells.cell import Place, Weights, Window, Work, added, written
from striate.explanation.cells.reading import Reading
from striate.explanation.cells.windows import beyond, in_double, padded, padding_before, pair, under
from striate.models.lenet5_1998 import C3_INPUTS, RadialBasis, Subsampling, TableConvolution

SHOWN = 9
"""Products, or sums of channels, that are written out on a line."""


def work_convolution(reading: Reading, place: Place) -> Work:
    """One kernel for each channel of the group, laid on the padded maps."""
    layer = reading.layer(nn.Conv2d)
    channel, row, column = place
    maps, (above, left) = reading.entering(), (side[0] for side in padding_before(layer))
    size, step, stride = pair(layer.kernel_size), pair(layer.dilation), pair(layer.stride)
    start = row * stride[0], column * stride[1]
    first = start[0] - above, start[1] - left
    read, group = layer.in_channels // layer.groups, channel // (layer.out_channels // layer.groups)
    channels = group * read + np.arange(read)
    values, _ = under(padded(layer, maps)[channels], start, size, step)
    outside = beyond(first, size, step, tuple(maps.shape[2:]))
    weights = in_double(layer.weight[channel])
    window = Window(
        reading.reads, channels, first, step, values, outside, weights=weights, products=values * weights
    )
    return _summed(reading, place, window, _bias(layer.bias, channel))


def work_table(reading: Reading, place: Place) -> Work:
    """C3 of LeNet-5: a kernel for each connection of the table."""
    layer = reading.layer(TableConvolution)
    channel, row, column = place
    channels = np.array(C3_INPUTS[channel])
    begin = sum(map(len, C3_INPUTS[:channel]))
    weights = in_double(layer.weight[begin : begin + len(channels)])
    values, outside = under(
        in_double(reading.entering()[0])[channels], (row, column), (layer.window, layer.window)
    )
    window = Window(
        reading.reads,
        channels,
        (row, column),
        (1, 1),
        values,
        outside,
        weights=weights,
        products=values * weights,
    )
    return _summed(reading, place, window, _bias(layer.bias, channel))


def work_dense(reading: Reading, place: Place) -> Work:
    """A window as large as the maps that were flattened, or one row of a vector's numbers."""
    layer = reading.layer(nn.Linear)
    reads, shape = reading.flattened()
    window = _whole(reads, shape, reading, in_double(layer.weight[place[0]]))
    return _summed(reading, place, window, _bias(layer.bias, place[0]))


def work_subsampling(reading: Reading, place: Place) -> Work:
    """S2 and S4 of LeNet-5: the sum of four cells times one coefficient, plus one bias."""
    layer = reading.layer(Subsampling)
    channel, row, column = place
    side, first = layer.window, (row * layer.stride, column * layer.stride)
    values, outside = under(in_double(reading.entering()[0])[[channel]], first, (side, side))
    weights = np.full_like(values, float(layer.coefficient[channel]))
    window = Window(
        reading.reads,
        np.array([channel]),
        first,
        (1, 1),
        values,
        outside,
        weights=weights,
        products=values * weights,
    )
    return _summed(reading, place, window, _bias(layer.bias, channel))


def work_distance(reading: Reading, place: Place) -> Work:
    """The output of LeNet-5: minus the squared distance to the code of a class."""
    layer = reading.layer(RadialBasis)
    codes = in_double(layer.get_buffer("codes")[place[0]])
    reads, shape = reading.flattened()
    window = _whole(reads, shape, reading, codes)
    assert window.weights is not None, "the codes are its weights"
    squares = (window.values - window.weights) ** 2
    window = Window(
        reads,
        window.channels,
        (0, 0),
        (1, 1),
        window.values,
        window.outside,
        weights=window.weights,
        products=squares,
    )
    total = float(squares.sum())
    formula = f"−(sum of {squares.size:,} squared differences) = {written(-total)}"
    return reading.work(place, "distance", -total, formula, window=window, numbers={"sum": total})


def _whole(reads: str, shape: tuple[int, int, int], reading: Reading, weights: np.ndarray) -> Window:
    values = in_double(reading.given[0]).reshape(shape)
    laid = weights.reshape(shape)
    return Window(
        reads,
        np.arange(shape[0]),
        (0, 0),
        (1, 1),
        values,
        np.zeros(shape[1:], bool),
        weights=laid,
        products=values * laid,
    )


def _summed(reading: Reading, place: Place, window: Window, bias: float | None) -> Work:
    assert window.products is not None, "a weighted sum has products"
    total = math.fsum(window.products.ravel())
    result = total if bias is None else total + bias
    numbers = {"sum": total} if bias is None else {"sum": total, "bias": bias}
    formula = _formula(window.products, window.totals.tolist(), total, bias, result)
    return reading.work(place, "weighted sum", result, formula, window=window, numbers=numbers)


def _formula(products: Weights, totals: list[float], total: float, bias: float | None, result: float) -> str:
    if products.size <= SHOWN:
        what = added(products.ravel().tolist())
    elif 1 < len(totals) <= SHOWN:
        what = added(totals)
    else:
        what = f"sum of {products.size:,} products"
    if bias is None:
        return f"{what} = {written(result)}"
    more = f"− {written(-bias)}" if bias < 0 else f"+ {written(bias)}"
    return f"{what} = {written(total)}; {more} (bias) = {written(result)}"


def _bias(bias: Tensor | None, channel: int) -> float | None:
    return None if bias is None else float(bias[channel].double())
