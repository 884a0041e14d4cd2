"""Kernels as they are in the network: which channels they read, their norms, and those that do nothing."""

import copy

import numpy as np
import pytest
import torch
from networks_to_explain import images_for, network_of, network_to_explain
from torch import Tensor, nn

from striate.errors import ModelError
from striate.explanation.filters import Filters, filters, layers_with_filters
from striate.models import Network, create_model


def test_the_first_filters_are_the_first_convolutions_kernels() -> None:
    network = network_to_explain("compact", "trained")
    weight = network.get_parameter("stages.stem.conv.weight").detach()
    found = filters(network)
    assert (found.layer, found.first) == ("stem.conv", True)
    assert np.array_equal(found.weights, weight.numpy())
    assert found.norms == pytest.approx(torch.linalg.vector_norm(weight, dim=(1, 2, 3)).numpy(), rel=1e-6)
    assert found.reads.tolist() == [[0, 1, 2]] * 16
    assert found.strongest() == sorted(range(16), key=lambda one: -found.norms[one])
    found.weights[:] = 0  # a copy: the network keeps its own
    assert weight.abs().sum() > 0


class Reader(nn.Module):
    """The outputs of one layer of a network, summed over their cells, for tests of what reads what."""

    def __init__(self, layer: nn.Module, channels: int) -> None:
        super().__init__()
        self.layer, self.channels = layer, channels

    def reads(self) -> list[set[int]]:
        """For each output channel the input channels that change it."""
        base = torch.zeros(1, self.channels, 9, 9)
        before = self.layer(base)
        changed: list[set[int]] = [set() for _ in range(before.shape[1])]
        for channel in range(self.channels):
            other = base.clone()
            other[0, channel] = torch.randn(9, 9, generator=torch.Generator().manual_seed(channel))
            moved = (self.layer(other) - before).abs().amax(dim=(0, 2, 3)) > 1e-6
            for output in moved.nonzero().flatten().tolist():
                changed[output].add(channel)
        return changed


@pytest.mark.parametrize(
    ("layer", "channels"),
    [(nn.Conv2d(6, 8, 3), 6), (nn.Conv2d(6, 9, 3, groups=3), 6), (nn.Conv2d(4, 4, 3, groups=4), 4)],
    ids=["all", "groups", "depthwise"],
)
def test_reads_are_the_channels_that_change_a_filter(layer: nn.Conv2d, channels: int) -> None:
    network = network_of(layer)
    found = filters(network, "layer1")
    with torch.no_grad():
        assert [set(row) for row in found.reads.tolist()] == Reader(layer, channels).reads()


def test_the_connection_table_of_lenet() -> None:
    network = create_model("lenet5_1998", classes=10)
    layer = network.get_submodule("stages.c3.conv")
    found = filters(network, "c3.conv")
    with torch.no_grad():
        assert [set(row) - {-1} for row in found.reads.tolist()] == Reader(layer, 6).reads()
    image = torch.randn(1, 6, 5, 5)
    for number, output in enumerate(layer(image)[0, :, 0, 0].tolist()):
        reads = found.reads[number]
        by_hand = sum(
            float((image[0, source].numpy() * kernel).sum())
            for source, kernel in zip(reads, found.weights[number], strict=True)
            if source >= 0
        )
        bias = float(layer.get_parameter("bias").detach()[number])
        assert by_hand + bias == pytest.approx(output, abs=1e-4)
    panel = found.sheet().panels[0]
    assert all(tile.name != "from -1" for tile in panel.tiles)


def test_a_fully_connected_first_layer_reads_the_picture() -> None:
    network = create_model("mlp", classes=10, channels=1, size=(28, 28))
    found = filters(network, input_shape=(1, 28, 28))
    assert (found.layer, found.weights.shape) == ("hidden1.linear", (512, 1, 28, 28))
    image = torch.randn(1, 28, 28)
    linear = network.get_submodule("stages.hidden1.linear")
    by_kernels = (torch.from_numpy(found.weights) * image).sum(dim=(1, 2, 3)) + linear.get_parameter("bias")
    assert torch.allclose(linear(image.flatten()), by_kernels, atol=1e-5)
    with pytest.raises(ModelError, match="has no convolution and its first layer reads no picture"):
        filters(network)


def with_weights(weights: Tensor, bias: Tensor, *after: nn.Module) -> Network:
    layer = nn.Conv2d(weights.shape[1], len(weights), weights.shape[2])
    with torch.no_grad():
        layer.weight.copy_(weights)
        layer.get_parameter("bias").copy_(bias)
    return network_of(nn.Sequential(layer, *after))


def test_dead_and_silent_filters() -> None:
    weights = torch.ones(4, 1, 2, 2) * torch.tensor([1.0, 1e-4, 0.0, 2.0])[:, None, None, None]
    inputs = torch.rand(5, 1, 6, 6, generator=torch.Generator().manual_seed(1))
    bias = torch.tensor([0.0, 0.0, 0.0, -100.0])
    network = with_weights(weights, bias, nn.MaxPool2d(2), nn.BatchNorm2d(4), nn.ReLU())
    found = filters(network, inputs=inputs)
    assert found.dead == (1, 2)  # norms 2, 0.0002, 0 and 4
    assert found.silent == (2, 3)  # the second passes what it reads on, however little
    assert [row["dead"] for row in found.rows()] == [False, True, True, False]
    assert [row["silent"] for row in found.rows()] == [False, False, True, True]
    assert found.rows()[0] == {
        "channel": 0, "norm": 2.0, "share": 0.5, "low": 1.0, "high": 1.0, "dead": False, "silent": False,
    }  # fmt: skip
    assert "2 dead" in found.sentence()
    assert "2 silent on 5 images" in found.sentence()
    names = [tile.name for tile in found.sheet().panels[0].tiles]
    assert names == ["3 · silent", "0", "1 · dead", "2 · dead · silent"]


def test_a_convolution_without_an_activation_of_its_own_is_not_called_silent() -> None:
    network, (inputs, _) = network_to_explain("resnet18_small", "random"), images_for("resnet18_small")
    assert filters(network, "stage1.block1.branch.conv2", inputs=inputs).silent is None
    assert filters(network, "stage1.block1.branch.conv1", inputs=inputs).silent == ()
    assert filters(network).silent is None


def test_colours_keep_the_orientation_and_grey_is_zero() -> None:
    weights = torch.zeros(2, 3, 3, 3)
    weights[0, 0, 0, 2] = 4.0  # red, upper right
    weights[0, 2, 2, 0] = -4.0  # no blue, lower left
    weights[1, 1, 1, 1] = 1.0
    found = filters(with_weights(weights, torch.zeros(2)))
    strong, weak = found.sheet().panels[0].tiles
    assert strong.picture[0, 2].tolist() == [255, 128, 128]
    assert strong.picture[2, 0].tolist() == [128, 128, 0]
    assert strong.picture[1, 1].tolist() == [128, 128, 128]
    assert (strong.name, strong.line) == ("0", "−4 … 4")
    assert weak.picture[1, 1].tolist() == [128, 255, 128]  # by its own range
    together = found.sheet(together=True)
    assert together.panels[0].tiles[1].picture[1, 1].tolist() == [128, 159, 128]
    assert "one scale for all tiles" in together.lines[1]
    assert "each tile by its own largest magnitude" in found.sheet().lines[1]


def test_deeper_kernels_are_a_bounded_grid_of_the_strongest() -> None:
    found = filters(network_to_explain("compact", "trained"), "stage3.conv")
    sheet = found.sheet()
    assert len(sheet.panels) == 8
    assert [int(panel.title.split()[1]) for panel in sheet.panels] == found.strongest()[:8]
    columns = [[tile.name for tile in panel.tiles] for panel in sheet.panels]
    assert len(columns[0]) == 8
    assert all(names == columns[0] for names in columns)
    read = int(columns[0][3].removeprefix("from "))
    expected = found.weights[found.strongest()[0], read]
    assert sheet.panels[0].tiles[3].line.startswith(("−", "0")) or expected.min() > 0
    assert sheet.panels[0].tiles[3].picture.shape == (3, 3, 3)
    one_by_one = filters(network_of(nn.Conv2d(5, 7, 1))).sheet()
    assert "one scale for all tiles" in one_by_one.lines[1]


def test_layers_are_named_as_in_a_summary_and_unknown_ones_are_refused() -> None:
    network = network_to_explain("lenet5", "random")
    assert list(layers_with_filters(network)) == ["c1.conv", "c3.conv", "c5.conv"]
    with pytest.raises(ModelError) as caught:
        filters(network, "c3.con")
    assert str(caught.value) == (
        "There is no convolution 'c3.con'; did you mean c3.conv? Allowed: c1.conv, c3.conv, c5.conv."
    )


def test_nothing_of_the_network_changes() -> None:
    network = copy.deepcopy(network_to_explain("compact", "trained")).train()
    before, inputs = copy.deepcopy(network.state_dict()), images_for("compact")[0]
    filters(network, inputs=inputs).sheet()
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(layer._forward_hooks for layer in network.modules())


@pytest.mark.parametrize("name", ["lenet5", "compact", "resnet18_small", "googlenet"])
def test_every_layer_of_a_network_can_be_drawn(name: str) -> None:
    network = network_to_explain(name, "random")
    layers = list(layers_with_filters(network))
    for layer in (layers[0], layers[len(layers) // 2], layers[-1]):
        found: Filters = filters(network, layer)
        assert found.sheet().to_image(scale=1).width > 400
