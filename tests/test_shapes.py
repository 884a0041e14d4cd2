"""Sizes and receptive fields against torch: what it computes, and where its gradients arrive."""

import itertools
import warnings
from collections.abc import Callable

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from striate.shapes import (
    ReceptiveField,
    input_sizes,
    output_size,
    receptive_field,
    same_padding,
    same_padding_ends,
)

windows = st.integers(1, 5)
strides = st.integers(1, 3)
dilations = st.integers(1, 3)
paddings = st.integers(0, 3)


@settings(deadline=None)  # torch's first layer takes its time on a busy machine
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


def test_sizes_are_torchs_for_ten_thousand_combinations() -> None:
    combinations = 0
    for window, stride, padding, dilation in itertools.product(
        range(1, 8), range(1, 5), range(4), range(1, 4)
    ):
        layer = nn.Conv1d(1, 1, window, stride, padding, dilation, device="meta")
        reach = dilation * (window - 1) + 1
        pooling = nn.MaxPool1d(window, stride, padding, dilation) if 2 * padding <= window else None
        for size in range(max(1, reach - 2 * padding), 56, 1):
            made = layer(torch.empty(1, 1, size, device="meta")).shape[-1]
            assert output_size(size, window, stride, padding, dilation) == made
            smallest, largest = input_sizes(made, window, stride, padding, dilation)
            assert smallest <= size <= largest
            combinations += 1
            if pooling is not None and size % 9 == 0:
                assert pooling(torch.empty(1, 1, size, device="meta")).shape[-1] == made
                # The courses' pooling formula is the ceiling form of the same number.
                assert made == -(-(size + 2 * padding - reach + 1) // stride)
    assert combinations >= 10_000


@given(st.integers(1, 60), windows, strides, paddings, dilations)
def test_the_inverse_gives_all_sizes_and_no_other(
    cells: int, window: int, stride: int, padding: int, dilation: int
) -> None:
    try:
        smallest, largest = input_sizes(cells, window, stride, padding, dilation)
    except ValueError:
        assert output_size(1, window, stride, padding, dilation) > cells
        return
    for size in (smallest, largest):
        assert output_size(size, window, stride, padding, dilation) == cells
    assert output_size(largest + 1, window, stride, padding, dilation) == cells + 1
    reach = dilation * (window - 1) + 1
    if smallest > 1 and smallest - 1 + 2 * padding >= reach:
        assert output_size(smallest - 1, window, stride, padding, dilation) == cells - 1


@settings(deadline=None)
@given(st.integers(1, 9), dilations, st.integers(1, 30))
def test_same_padding_of_any_window_is_torchs(window: int, dilation: int, size: int) -> None:
    before, after = same_padding_ends(window, dilation)
    layer = nn.Conv1d(1, 1, window, padding="same", dilation=dilation, bias=False).double()
    line = torch.rand(1, 1, size, dtype=torch.float64)
    padded = nn.functional.pad(line, (before, after))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns that an even window costs it a copy
        assert torch.allclose(
            layer(line), nn.functional.conv1d(padded, layer.weight, dilation=dilation), rtol=1e-9, atol=1e-12
        )


def test_the_field_of_a_stack_follows_the_formula() -> None:
    layers = [(7, 2), (3, 2), (3, 1, 2), (5, 3), (3,)]
    size, jump = 1, 1
    for layer in layers:
        window, stride, dilation = (*layer, 1, 1)[:3] if len(layer) < 3 else layer
        size += dilation * (window - 1) * jump
        jump *= stride
    field = receptive_field(layers)
    assert (field.size, field.stride) == (size, jump)
    with pytest.raises(
        ValueError, match=r"a layer is \(window, stride, dilation, padding\), at least its window"
    ):
        receptive_field([()])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: input_sizes(0, 3), "cells must be at least 1; got 0."),
        (lambda: input_sizes(1, 3, padding=-1), "padding must be at least 0; got -1."),
        (lambda: input_sizes(1, 1, padding=3), "no axis ends in 1 cells: padding 3 alone leaves more."),
        (lambda: same_padding_ends(0), "window must be at least 1; got 0."),
    ],
)
def test_inverses_that_cannot_be(call: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
