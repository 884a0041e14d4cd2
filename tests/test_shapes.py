"""Sizes and receptive fields against torch: what it computes, and where its gradients arrive."""

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

from striate.shapes import ReceptiveField, output_size, same_padding

windows = st.integers(1, 5)
strides = st.integers(1, 3)
dilations = st.integers(1, 3)
paddings = st.integers(0, 3)


@given(st.integers(1, 60), windows, strides, paddings, dilations)
def test_output_size_is_what_torch_makes(
    size: int, window: int, stride: int, padding: int, dilation: int
) -> None:
    assume(dilation * (window - 1) + 1 <= size + 2 * padding)
    layer = nn.Conv1d(1, 1, window, stride, padding, dilation, device="meta")
    made = layer(torch.empty(1, 1, size, device="meta")).shape[-1]
    assert output_size(size, window, stride, padding, dilation) == made


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"size": 4, "window": 5}, "a window that reaches over 5 does not fit an axis of 4 with padding 0."),
        ({"size": 4, "window": 3, "dilation": 2}, "reaches over 5"),
        ({"size": 0, "window": 1}, "size must be at least 1 and padding at least 0; got size 0, padding 0."),
        ({"size": 3, "window": 1, "padding": -1}, "padding -1"),
        ({"size": 3, "window": 0}, "window must be at least 1; got 0."),
        ({"size": 3, "window": 1, "stride": 0}, "stride must be at least 1; got 0."),
    ],
)
def test_sizes_that_cannot_be(arguments: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        output_size(**arguments)


@pytest.mark.parametrize("window", [1, 3, 5, 7, 11])
def test_same_padding_keeps_every_size(window: int) -> None:
    for size in range(1, 30):
        assert output_size(size, window, padding=same_padding(window)) == size


def test_an_even_window_has_no_same_padding() -> None:
    with pytest.raises(ValueError, match="a window of 2 is even"):
        same_padding(2)


@given(st.lists(st.tuples(windows, strides, dilations, paddings), min_size=1, max_size=4))
def test_a_cell_sees_the_pixels_that_its_gradient_reaches(layers: list[tuple[int, int, int, int]]) -> None:
    size, cell = 600, 40
    field = ReceptiveField()
    line = torch.ones(1, 1, size, requires_grad=True)
    maps = line
    for window, stride, dilation, padding in layers:
        maps = nn.functional.conv1d(maps, torch.ones(1, 1, window), None, stride, padding, dilation)
        field = field.then(window, stride, dilation, padding)
    cell = min(cell, maps.shape[-1] - 1)
    maps[0, 0, cell].backward()
    assert line.grad is not None
    reached = line.grad[0, 0].nonzero().flatten()
    first, end = field.span(cell)
    assume(first >= 0 and end <= size)
    assert (int(reached[0]), int(reached[-1]) + 1) == (first, end)


def test_published_receptive_fields() -> None:
    # VGG-16's last pooling layer, Araujo, Norris & Sim 2019, table 1: field 212, stride 32
    field = ReceptiveField()
    for convolutions in (2, 2, 3, 3, 3):
        for _ in range(convolutions):
            field = field.then(3, padding=1)
        field = field.then(2, stride=2)
    assert (field.size, field.stride) == (212, 32)


def test_a_sum_sees_what_either_branch_sees() -> None:
    left = ReceptiveField().then(3, padding=2)
    right = ReceptiveField().then(5, padding=1)
    assert left.union(right) == right.union(left) == ReceptiveField(size=6, stride=1, start=-2)
    with pytest.raises(ValueError, match="branches with strides 1 and 2 cannot be added"):
        left.union(ReceptiveField(stride=2))
