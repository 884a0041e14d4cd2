"""Initial weights by name, against torch's own and against the formulas of the papers."""

import math

import pytest
import torch
from torch import nn

from striate.errors import ModelError
from striate.models import create_model, initialise
from striate.models.lenet5_1998 import C3_INPUTS, TableConvolution


def layers() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(8, 24, 5), nn.BatchNorm2d(24), nn.Flatten(), nn.Linear(96, 48))


def test_he_is_torchs_kaiming_normal_of_the_fan_in() -> None:
    ours, theirs = layers(), layers()
    torch.manual_seed(1)
    initialise(ours, "he")
    torch.manual_seed(1)
    for layer in (theirs[0], theirs[3]):
        nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
    for ours_layer, theirs_layer in ((ours[0], theirs[0]), (ours[3], theirs[3])):
        torch.testing.assert_close(ours_layer.weight, theirs_layer.weight)


def test_xavier_is_torchs_xavier_uniform() -> None:
    ours, theirs = layers(), layers()
    torch.manual_seed(1)
    initialise(ours, "xavier")
    torch.manual_seed(1)
    for layer in (theirs[0], theirs[3]):
        nn.init.xavier_uniform_(layer.weight)
    for ours_layer, theirs_layer in ((ours[0], theirs[0]), (ours[3], theirs[3])):
        torch.testing.assert_close(ours_layer.weight, theirs_layer.weight)


@pytest.mark.parametrize("how", ["he", "xavier"])
def test_biases_are_zero_and_normalisation_is_left_alone(how: str) -> None:
    network = layers()
    nn.init.constant_(network[1].weight, 3.0)
    nn.init.constant_(network[1].bias, 4.0)
    initialise(network, how)
    assert not network[0].bias.any()
    assert not network[3].bias.any()
    assert (network[1].weight == 3).all()
    assert (network[1].bias == 4).all()


def test_own_leaves_every_weight() -> None:
    network = create_model("compact", classes=4)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    initialise(network, "own")
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(ModelError) as raised:
        initialise(layers(), "xavi")
    assert str(raised.value) == (
        "There is no initialisation 'xavi'; did you mean xavier? Allowed: own, he, xavier, identity."
    )


def test_the_connection_table_counts_as_fans() -> None:
    layer = TableConvolution()
    torch.manual_seed(0)
    initialise(layer, "xavier")
    bound = math.sqrt(6 / (25 * 60 / 16 + 25 * 60 / 6))
    assert 0.98 * bound < layer.weight.abs().max() <= bound
    assert not layer.bias.any()


def test_the_network_of_1998_starts_as_its_appendix_says() -> None:
    torch.manual_seed(0)
    stages = create_model("lenet5_1998", classes=10).stages
    for weight, fan_in in (
        (stages.get_parameter("c1.conv.weight"), 25),
        (stages.get_parameter("c5.conv.weight"), 400),
    ):
        assert 0.9 * 2.4 / fan_in < weight.abs().max() <= 2.4 / fan_in
    kernels = iter(stages.get_parameter("c3.conv.weight"))
    for sources in C3_INPUTS:
        for _ in sources:
            largest = next(kernels).abs().max() * 25 * len(sources) / 2.4
            assert 0.7 < largest <= 1.000001
