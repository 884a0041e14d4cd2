"""The arithmetic of one cell: against torch's own layers, over strides, paddings, groups and every kind of window."""

import math
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from striate.explanation.cells import Cell, work_cell
from striate.models import Network
from striate.models.layers import sequence

SIZES = st.integers(5, 9)


def network_of(layer: nn.Module) -> Network:
    """The layer as the only stage."""
    return Network({"layer": layer}, head=nn.Flatten())


def worked(layer: nn.Module, maps: Tensor, place: tuple[int, int, int]) -> Cell:
    """One cell of a layer that reads these maps."""
    return work_cell(network_of(layer), maps, "layer", *place)


def cell_of(data: st.DataObject, made: Tensor) -> tuple[int, int, int]:
    """Any cell of what a layer made."""
    channel, row, column = (data.draw(st.integers(0, size - 1)) for size in made.shape[1:])
    return channel, row, column


def agrees(found: Cell, made: Tensor, place: tuple[int, int, int]) -> None:
    """The sum in double precision is torch's own value within its rounding, and the value shown is that value."""
    own, value = found.own, float(made[0][place].detach())
    size = 1.0
    if own.window is not None:
        parts = own.window.values if own.window.products is None else own.window.products
        size = max(1.0, float(np.abs(parts).sum()))
    assert own.value == value
    assert abs(own.result - value) <= 1e-6 * size


@st.composite
def convolutions(draw: Any) -> tuple[nn.Conv2d, Tensor]:
    """A convolution of any shape, and maps that it fits."""
    groups = draw(st.integers(1, 3))
    kernel = (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    dilation = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    height, width = draw(SIZES), draw(SIZES)
    mode = draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"]))
    same = draw(st.booleans())
    padding: Any = "same" if same else (draw(st.integers(0, 2)), draw(st.integers(0, 2)))
    layer = nn.Conv2d(
        groups * draw(st.integers(1, 2)),
        groups * draw(st.integers(1, 2)),
        kernel,
        stride=1 if same else (draw(st.integers(1, 3)), draw(st.integers(1, 3))),
        padding=padding,
        dilation=dilation,
        groups=groups,
        bias=draw(st.booleans()),
        padding_mode=mode,
    )
    return layer, torch.randn(1, layer.in_channels, height, width)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")
@settings(max_examples=40, deadline=None)
@given(convolutions(), st.data())
def test_a_cell_of_any_convolution(made: tuple[nn.Conv2d, Tensor], data: st.DataObject) -> None:
    """Groups, stride, dilation, padding of each kind, "same" of even windows: sum, window, what is outside."""
    layer, maps = made
    try:
        with torch.no_grad():
            out = layer(maps)
    except RuntimeError:
        return  # the window does not fit
    place = cell_of(data, out)
    found = worked(layer, maps, place)
    agrees(found, out, place)
    window = found.own.window
    assert window is not None
    assert window.products is not None
    assert found.own.numbers["sum"] == pytest.approx(window.totals.sum(), abs=1e-9)
    pixels = [
        first + step * np.arange(size)
        for first, step, size in zip(window.first, window.step, layer.kernel_size, strict=True)
    ]
    rows, columns = maps.shape[2:]
    out_of = [(axis < 0) | (axis >= side) for axis, side in zip(pixels, (rows, columns), strict=True)]
    np.testing.assert_array_equal(window.outside, out_of[0][:, None] | out_of[1][None])
    inside = np.ix_(window.channels, np.clip(pixels[0], 0, rows - 1), np.clip(pixels[1], 0, columns - 1))
    expected = maps[0].double().numpy()[inside]
    kept = np.broadcast_to(~window.outside, expected.shape)
    np.testing.assert_array_equal(window.values[kept], expected[kept])


def test_numbers_by_hand() -> None:
    """A strided, padded, depthwise cell that can be worked on paper."""
    layer = nn.Conv2d(2, 2, 2, stride=2, padding=1, groups=2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]], [[[0.0, 0.0], [0.0, 10.0]]]]))
        layer.bias.copy_(torch.tensor([0.5, -1.0]))
    maps = torch.arange(18.0).reshape(1, 2, 3, 3)
    found = worked(layer, maps, (1, 0, 1))
    assert found.own.formula == "0 + 0 + 0 + 110 = 110; − 1 (bias) = 109"
    assert found.own.window is not None
    assert found.own.window.channels.tolist() == [1]
    assert found.own.window.outside.tolist() == [[True, True], [False, False]]
    assert found.sees == (-1, 1, 2, 2)
    assert found.clipped == (0, 1, 1, 2)


POOLS = st.sampled_from(["max", "mean"])


@settings(max_examples=40, deadline=None)
@given(POOLS, st.integers(1, 4), st.integers(1, 3), st.booleans(), st.booleans(), SIZES, SIZES, st.data())
def test_a_cell_of_any_pooling(
    kind: str,
    window: int,
    stride: int,
    ceil: bool,
    counted: bool,
    height: int,
    width: int,
    data: st.DataObject,
) -> None:
    """Stride, padding, windows cut off at the border: the largest or the mean, and which cell was the largest."""
    padding = data.draw(st.integers(0, window // 2))
    layer: nn.Module = nn.MaxPool2d(window, stride, padding, ceil_mode=ceil)
    if kind == "mean":
        layer = nn.AvgPool2d(window, stride, padding, ceil_mode=ceil, count_include_pad=counted)
    maps = torch.randn(1, 2, height, width)
    out = layer(maps)
    place = cell_of(data, out)
    found = worked(layer, maps, place)
    agrees(found, out, place)
    taken = found.own.window
    assert taken is not None
    if kind == "max":
        assert taken.chosen is not None
        assert not taken.outside[taken.chosen]
        assert taken.values[0][taken.chosen] == found.own.result


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("divisor", [None, 5])
def test_means_at_the_border(counted: bool, divisor: int | None) -> None:
    """Padding counts where the layer counts it; what lies beyond the padding never does."""
    layer = nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=counted, divisor_override=divisor)
    maps = torch.randn(1, 1, 6, 6)
    out = layer(maps)
    for row in range(out.shape[2]):
        for column in range(out.shape[3]):
            agrees(worked(layer, maps, (0, row, column)), out, (0, row, column))


@pytest.mark.parametrize("grid", [1, 2, 3, (2, 4)])
@pytest.mark.parametrize("kind", [nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d])
def test_a_cell_of_pooling_to_a_grid(kind: Any, grid: Any) -> None:
    """Windows of unequal size, as torch lays them."""
    maps = torch.randn(1, 3, 7, 5)
    out = kind(grid)(maps)
    for row in range(out.shape[2]):
        for column in range(out.shape[3]):
            agrees(worked(kind(grid), maps, (2, row, column)), out, (2, row, column))


@pytest.mark.parametrize(
    "layer", [nn.ReLU(), nn.Tanh(), nn.Sigmoid(), nn.GELU(), nn.PReLU(3), nn.LeakyReLU(0.1)]
)
def test_a_cell_of_an_activation(layer: nn.Module) -> None:
    """A function of one number, also one with weights."""
    maps = torch.randn(1, 3, 4, 4)
    agrees(worked(layer, maps, (1, 2, 3)), layer(maps).detach(), (1, 2, 3))


@pytest.mark.parametrize(
    "layer",
    [
        nn.BatchNorm2d(3),
        nn.BatchNorm2d(3, affine=False),
        nn.BatchNorm2d(3, track_running_stats=False),
        nn.LocalResponseNorm(5),
        nn.LocalResponseNorm(2, k=2.0),
    ],
)
def test_a_cell_of_a_normalisation(layer: nn.Module) -> None:
    """The mean, variance, scale and shift of the channel; the squares of the neighbours."""
    with torch.no_grad():
        for tensor in (*layer.parameters(), *layer.buffers()):
            if tensor.is_floating_point():
                tensor.uniform_(0.5, 2.0)
    maps = torch.randn(1, 3, 4, 4)
    found = worked(layer, maps, (1, 2, 3))
    with torch.no_grad():
        agrees(found, layer.eval()(maps), (1, 2, 3))
    if isinstance(layer, nn.BatchNorm2d) and layer.affine and layer.track_running_stats:
        numbers = found.own.numbers
        again = (numbers["given"] - numbers["mean"]) / math.sqrt(numbers["variance"] + numbers["epsilon"])
        assert again * numbers["scale"] + numbers["shift"] == found.own.result


def test_dropout_flatten_and_border_padding_say_where_the_number_comes_from() -> None:
    """Nothing is worked there, but the number is named."""
    maps = torch.randn(1, 2, 3, 4)
    assert worked(nn.Dropout(0.5), maps, (1, 2, 3)).own.value == float(maps[0, 1, 2, 3])
    assert worked(nn.Flatten(), maps, (17, 0, 0)).own.terms[0].place == (1, 1, 1)
    border = worked(nn.ReplicationPad2d(2), maps, (0, 0, 7))
    assert border.own.terms[0].place == (0, 0, 3)
    assert border.own.value == float(maps[0, 0, 0, 3])


def test_what_follows_a_convolution_up_to_the_stage() -> None:
    """Batch normalisation and ReLU follow cell on cell; pooling is where the chain ends."""
    stage = sequence(conv=nn.Conv2d(1, 2, 3), norm=nn.BatchNorm2d(2), relu=nn.ReLU(), pool=nn.MaxPool2d(2))
    network = Network({"stage": stage}, head=nn.Flatten()).eval()
    found = work_cell(network, torch.randn(1, 1, 8, 8), "stage.conv", 1, 2, 3)
    assert [work.operation for work in found.works] == ["weighted sum", "normalisation", "function"]
    assert found.end == "It is read by stage.pool (max pooling)."
    whole = work_cell(network, torch.randn(1, 1, 8, 8), "stage", 1, 2, 1)
    assert [work.layer for work in whole.works] == ["stage.pool"]
    assert whole.end == "It leaves stage stage."


class Forks(nn.Module):
    """Two branches that are joined in one way or another, one of them by the forward itself."""

    def __init__(self, join: str) -> None:
        super().__init__()
        self.one, self.two, self.join = nn.Conv2d(2, 2, 1), nn.Conv2d(2, 2, 3, padding=1), join

    def forward(self, x: Tensor) -> Tensor:
        one, two = F.relu(self.one(x)), self.two(x)
        if self.join == "sum":
            return one + two
        return torch.cat([one, two], dim=1) if self.join == "concatenation" else torch.add(one, two, alpha=3)


def test_joins_name_their_branches() -> None:
    """A stage's cell that is a sum is worked by the branch that sees more; the other one is named with its value."""
    maps = torch.randn(1, 2, 5, 5)
    for join, place in (("sum", (1, 2, 2)), ("concatenation", (3, 2, 2)), ("concatenation", (0, 4, 4))):
        network = network_of(Forks(join))
        found = work_cell(network, maps, "layer", *place)
        with torch.no_grad():
            assert found.works[-1].value == float(network.stages["layer"](maps)[0][place])
        assert found.works[-1].operation == join
        assert found.works[-1].result == pytest.approx(found.works[-1].value, abs=1e-6)
    by_sum = work_cell(network_of(Forks("sum")), maps, "layer", 1, 2, 2)
    assert by_sum.own.layer == "layer.two"
    assert {term.layer for term in by_sum.works[-1].terms} == {"layer.two", "layer.relu"}
    assert work_cell(network_of(Forks("concatenation")), maps, "layer", 0, 4, 4).own.place == (0, 4, 4)


def test_arithmetic_that_is_not_known_is_said_to_be_unknown() -> None:
    """A weighted addition, a layer of another class: the network's value, and that it is not worked out."""

    class Doubling(nn.Conv2d):
        def forward(self, input: Tensor) -> Tensor:  # noqa: A002
            return 2 * super().forward(input)

    maps = torch.randn(1, 2, 5, 5)
    for layer in (Forks("weighted"), Doubling(2, 2, 1)):
        last = work_cell(network_of(layer), maps, "layer", 1, 2, 2).works[-1]
        assert last.operation == "unknown"
        assert "not worked out" in last.formula
