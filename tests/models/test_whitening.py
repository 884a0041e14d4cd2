"""Whitening kernels: what they make of the images they come from, against scikit-learn's PCA."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.decomposition import PCA
from torch import Tensor, nn

from striate.errors import ModelError
from striate.models import create_model
from striate.models.initialise import initialise
from striate.models.whitening import SMALLEST, whiten_first, whitening


def pictures(channels: int) -> Tensor:
    """Smooth noise, so that neighbouring pixels have much in common; mean 0."""
    noise = torch.randn(300, channels, 14, 14, generator=torch.Generator().manual_seed(0))
    smooth = F.avg_pool2d(noise, 3, stride=1)
    return (smooth - smooth.mean()) / smooth.std()


@pytest.mark.parametrize("channels", [1, 3])
def test_vectors_are_those_of_principal_component_analysis_scaled_to_variance_one(channels: int) -> None:
    images = pictures(channels)
    patches = F.unfold(images, (3, 3)).transpose(1, 2).reshape(-1, channels * 9).numpy()
    mirrored = np.concatenate(
        [patches, -patches]
    )  # PCA takes the mean away; ours is that of the data, near 0
    known = PCA(svd_solver="full").fit(mirrored)
    found = whitening(images, (3, 3)).numpy()
    lengths = 1 / np.sqrt(known.explained_variance_ + SMALLEST)
    directions = found / np.linalg.norm(found, axis=1, keepdims=True)
    assert np.allclose(np.linalg.norm(found, axis=1), lengths, rtol=1e-3)
    assert np.allclose(np.abs((directions * known.components_).sum(axis=1)[:5]), 1, atol=1e-3)
    made = patches @ found.T
    kept = known.explained_variance_ / (known.explained_variance_ + SMALLEST)
    assert np.allclose((made**2).mean(axis=0), kept, rtol=1e-3)
    assert np.abs(made.T @ made / len(made) - np.diag((made**2).mean(axis=0))).max() < 1e-3


def test_the_first_layer_sees_every_direction_from_both_sides_and_keeps_what_is_left_over() -> None:
    torch.manual_seed(0)
    network = create_model("compact", classes=3, channels=1, size=(12, 12))
    old = network.stages["stem"].get_parameter("conv.weight").detach().clone()
    whiten_first(network, pictures(1))
    weight = network.stages["stem"].get_parameter("conv.weight")
    assert torch.equal(weight[:8], -weight[8:])  # nine directions, a place for eight of them twice
    grey = nn.Conv2d(1, 24, 3)
    before = grey.weight.detach().clone()
    whiten_first(grey, pictures(1))
    assert torch.equal(grey.weight[18:], before[18:])
    assert not torch.equal(weight, old)
    assert grey.bias is not None
    assert not bool(grey.bias.any())


def test_a_network_without_convolutions_is_refused() -> None:
    with pytest.raises(ModelError, match="begins with a convolution; leave it out"):
        whiten_first(create_model("mlp", classes=3), torch.zeros(2, 1, 28, 28))


def test_identity_kernels_copy_maps_and_the_rest_is_drawn() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(4, 10, 3, padding=1))
    initialise(network, "identity")
    image = torch.randn(2, 4, 6, 6)
    assert torch.allclose(network(image)[:, :4], image, atol=1e-6)
    drawn = network[0].get_parameter("weight")[4:].detach()
    assert float(drawn.std() * (4 * 9 / 2) ** 0.5) == pytest.approx(1, abs=0.2)
