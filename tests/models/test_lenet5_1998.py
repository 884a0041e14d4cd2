"""LeNet-5 of 1998 against the paper: its counts, its table, and its layers written out in loops."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from striate.models import create_model, summarize
from striate.models.digit_codes import output_codes
from striate.models.lenet5_1998 import C3_INPUTS, RadialBasis, ScaledTanh, Subsampling, TableConvolution

# section II.B: trainable parameters of every layer
PAPER = {"c1": 156, "s2": 12, "c3": 1_516, "s4": 32, "c5": 48_120, "head": 10_164}


def test_parameters_of_every_layer() -> None:
    rows = summarize(create_model("lenet5_1998", classes=10), (1, 28, 28)).rows
    counted = {stage: sum(row.parameters for row in rows if row.stage == stage) for stage in PAPER}
    assert counted == PAPER
    assert sum(PAPER.values()) == 60_000


def test_the_connection_table() -> None:
    # table I read the other way: the maps of C3 that each map of S2 feeds
    columns = {
        0: {0, 4, 5, 6, 9, 10, 11, 12, 14, 15},
        1: {0, 1, 5, 6, 7, 10, 11, 12, 13, 15},
        2: {0, 1, 2, 6, 7, 8, 11, 13, 14, 15},
        3: {1, 2, 3, 6, 7, 8, 9, 12, 14, 15},
        4: {2, 3, 4, 7, 8, 9, 10, 12, 13, 15},
        5: {3, 4, 5, 8, 9, 10, 11, 13, 14, 15},
    }
    for source, units in columns.items():
        assert {unit for unit, sources in enumerate(C3_INPUTS) if source in sources} == units
    assert sum(map(len, C3_INPUTS)) == 60


def test_the_partly_connected_convolution_sums_its_own_maps_only() -> None:
    torch.manual_seed(0)
    layer, maps = TableConvolution(), torch.randn(2, 6, 14, 14)
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    found, kernels = layer(maps), iter(layer.weight)
    for unit, sources in enumerate(C3_INPUTS):
        expected = layer.bias[unit]
        for source in sources:
            expected = expected + F.conv2d(maps[:, source : source + 1], next(kernels)[None, None])[:, 0]
        torch.testing.assert_close(found[:, unit], expected, rtol=1e-4, atol=1e-4)


def test_subsampling_adds_then_scales_then_shifts() -> None:
    layer = Subsampling(2)
    nn.init.constant_(layer.coefficient, 0.5)
    nn.init.constant_(layer.bias, 10.0)
    maps = torch.arange(32.0).reshape(1, 2, 4, 4)
    assert layer(maps)[0, 0].tolist() == [[15.0, 19.0], [31.0, 35.0]]


def test_the_squashing_function_keeps_one() -> None:
    ones = torch.tensor([[-1.0, 0.0, 1.0]])
    torch.testing.assert_close(ScaledTanh()(ones), ones, rtol=0, atol=1e-4)


def test_the_output_is_minus_a_squared_distance() -> None:
    layer, points = RadialBasis(10), torch.randn(5, 84, generator=torch.Generator().manual_seed(0))
    expected = -torch.cdist(points.double(), layer.get_buffer("codes").double()).square()
    torch.testing.assert_close(layer(points).double(), expected, rtol=1e-5, atol=1e-5)
    assert layer(output_codes(10)).argmax(dim=1).tolist() == list(range(10))


def test_codes_are_fixed_and_saved() -> None:
    network = create_model("lenet5_1998", classes=10)
    assert "head.output.codes" in network.state_dict()
    assert "head.output.codes" not in dict(network.named_parameters())


@pytest.mark.parametrize("classes", [2, 9, 10, 11, 62, 1000])
def test_codes_are_signs_far_from_each_other(classes: int) -> None:
    codes = output_codes(classes)
    assert codes.shape == (classes, 84)
    assert (codes.abs() == 1).all()
    apart = ((84 - codes @ codes.T) / 2).fill_diagonal_(84)
    assert apart.min() >= 10


def test_drawn_codes_stay_when_classes_are_added() -> None:
    assert torch.equal(output_codes(62)[:11], output_codes(11))


def test_the_pictures_are_read_line_by_line() -> None:
    pictures = output_codes(10).reshape(10, 12, 7)
    one, seven = (
        ["".join("#" if pixel > 0 else "." for pixel in line) for line in pictures[digit].tolist()]
        for digit in (1, 7)
    )
    assert one[:4] == ["...##..", "..###..", ".####..", "...##.."]
    assert one[9:] == [".######", ".......", "......."]
    assert seven[:3] == ["#######", ".....##", ".....##"]
