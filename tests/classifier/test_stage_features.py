"""What stages make of images: through the network's own seams, pooled by the means of windows, bounded."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

import striate
from striate import Network, Preparation, StriateError
from striate.classifier.probes.stage_features import BATCH, grid, pooled, stage_features

GREY = Preparation(height=8, width=8, channels=1, depth="uint8", mean=(0.5,), std=(0.25,))


@pytest.mark.parametrize("model", ["compact", "mlp"])
def test_features_are_those_of_the_network_s_seams_whoever_is_beside(model: str) -> None:
    torch.manual_seed(0)
    network = striate.create_model(model, classes=3, channels=1, size=(8, 8)).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    pixels = np.random.default_rng(0).integers(0, 256, (BATCH + 9, 8, 8, 1), np.uint8)
    steps: list[tuple[int, int]] = []
    every = stage_features(network, GREY, pixels, np.arange(len(pixels)), lambda *step: steps.append(step))
    alone = stage_features(network, GREY, pixels, np.array([3]), lambda *_: None)
    assert steps == [(BATCH, BATCH + 9), (BATCH + 9, BATCH + 9)]
    inputs = torch.from_numpy((pixels.astype(np.float32) / 255 - 0.5) / 0.25).permute(0, 3, 1, 2)
    with torch.inference_mode():
        for name in network.stage_names:
            maps = network.run_to(inputs, name)  # in prediction mode, as stage_features leaves it
            assert every[name].output_shape == tuple(maps.shape[1:])
            np.testing.assert_allclose(every[name].values, maps.flatten(1).numpy(), rtol=1e-4, atol=1e-5)
            assert np.array_equal(alone[name].values, every[name].values[3:4])
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_numbers_that_are_not_finite_are_refused() -> None:
    class Broken(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x / 0

    network = Network({"fine": nn.Identity(), "broken": Broken()}, head=nn.Flatten())
    with pytest.raises(StriateError, match="Stage broken gives numbers that are not finite"):
        stage_features(network, GREY, np.ones((2, 8, 8, 1), np.uint8), np.arange(2), lambda *_: None)


@given(st.integers(1, 3000), st.integers(1, 300), st.integers(1, 300), st.integers(1, 2048))
def test_a_grid_stays_within_the_bound_and_the_map(channels: int, height: int, width: int, most: int) -> None:
    rows, columns = grid((channels, height, width), most)
    assert 1 <= rows <= height
    assert 1 <= columns <= width
    assert channels * rows * columns <= max(most, channels)


@pytest.mark.parametrize("shape", [(3, 20, 20), (5, 9, 40), (700, 5, 5), (2100, 3, 3), (5000,), (10, 300)])
def test_pooling_is_the_mean_of_adaptive_windows(shape: tuple[int, ...]) -> None:
    maps = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    values = maps.double().numpy()
    if len(shape) == 3 and values[0].size > 1000:
        rows, columns = grid(shape, 1000)  # pyright: ignore[reportArgumentType]
        values = windows_of(windows_of(values, rows, axis=2), columns, axis=3)
    values = values.reshape(2, -1)
    if values.shape[1] > 1000:
        values = windows_of(values, 1000, axis=1)
    assert values.shape[1] <= 1000
    np.testing.assert_allclose(pooled(maps, 1000).numpy(), values, atol=1e-5)


def windows_of(values: np.ndarray, cells: int, axis: int) -> np.ndarray:
    """The mean of each of so many windows along an axis, from ⌊i·n/cells⌋ up to ⌈(i+1)·n/cells⌉."""
    length = values.shape[axis]
    means = [
        values.take(range(i * length // cells, -(-(i + 1) * length // cells)), axis).mean(axis)
        for i in range(cells)
    ]
    return np.stack(means, axis)


def test_small_maps_are_taken_as_they_are() -> None:
    maps = torch.randn(2, 16, 5, 5)
    assert torch.equal(pooled(maps), functional.adaptive_avg_pool2d(maps, (5, 5)).flatten(1))
