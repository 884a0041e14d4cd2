"""The kernels of a channel, and what is said of layers and cells that there are not."""

import numpy as np
import pytest
import torch
from networks_to_explain import network_of
from torch import Tensor, nn

import striate
from striate.errors import ModelError
from striate.explanation.cells import channel_kernels, work_cell


def test_kernels_of_a_channel_are_the_weights() -> None:
    """Each with the input channel that it lies on; a group reads its own channels; a dense layer what was flattened."""
    torch.manual_seed(0)
    layer = nn.Conv2d(4, 6, 3, groups=2)
    found = channel_kernels(network_of(layer), (4, 5, 5), "layer1", 4)
    np.testing.assert_array_equal(found.weights, layer.weight[4].detach().double().numpy())
    assert found.channels.tolist() == [2, 3]
    assert found.bias == pytest.approx(float(layer.bias[4].detach()))  # type: ignore[index]
    mlp = striate.create_model("mlp", classes=3, channels=3, size=(8, 8))
    first = channel_kernels(mlp, (3, 8, 8), "hidden1", 5)
    assert (first.layer, first.reads, first.weights.shape) == ("hidden1.linear", "picture", (3, 8, 8))
    second = channel_kernels(mlp, (3, 8, 8), "hidden2", 5)
    assert (second.reads, second.weights.shape) == ("hidden1.dropout", (512, 1, 1))


@pytest.mark.parametrize(
    ("layer", "place", "said"),
    [
        (
            "layer1",
            (2, 0, 0),
            "layer1 has no cell at channel 2, row 0, column 0; it has 2 channels of 5 × 5 cells",
        ),
        ("layer1", (0, -1, 0), "row -1"),
        ("layr1", (0, 0, 0), "There is no layer 'layr1'; did you mean layer1? Stages: layer1, head."),
    ],
)
def test_cells_that_there_are_not(layer: str, place: tuple[int, int, int], said: str) -> None:
    """The name or the place, and what there is."""
    with pytest.raises(ModelError) as refused:
        work_cell(network_of(nn.Conv2d(1, 2, 3, padding=1)), torch.zeros(1, 1, 5, 5), layer, *place)
    assert said in str(refused.value)


class Tokens(nn.Module):
    """Maps as a list of cells, as a transformer reads them."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).transpose(1, 2)


def test_layers_without_kernels_and_without_cells() -> None:
    """Pooling has no kernels; tokens are neither maps nor a vector."""
    with pytest.raises(ModelError, match="max pooling and has no kernels"):
        channel_kernels(network_of(nn.MaxPool2d(2)), (1, 4, 4), "layer1", 0)
    with pytest.raises(ModelError, match="16 × 2 numbers an image, which are neither maps nor a vector"):
        work_cell(network_of(Tokens()), torch.zeros(1, 2, 4, 4), "layer1", 0)
