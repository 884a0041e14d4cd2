"""Equivariance and invariance where they are known, counts against torch's layers, derivatives against torch's."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from striate.errors import UsageError
from striate.pixels import activations, kernels
from striate.pixels.convolution import convolve
from striate.pixels.pooling import pool
from striate.pixels.properties import count_convolution, count_dense, equivariance, invariance

IMAGE = np.random.default_rng(0).normal(size=(64, 80))


@pytest.mark.parametrize("shift", [(0, 0), (1, 0), (-3, 5), (8, -8)])
@pytest.mark.parametrize("padding", ["valid", "same", "full"])
def test_convolution_moves_with_its_image(shift: tuple[int, int], padding: str) -> None:
    answer = equivariance(lambda image: convolve(image, kernels.scharr_x, padding=padding), IMAGE, shift)
    assert answer.holds
    assert answer.cells == shift
    assert answer.margin <= max(map(abs, shift)) + 2


def test_a_circular_border_disagrees_nowhere() -> None:
    answer = equivariance(
        lambda image: convolve(image, kernels.blur, padding="same", border="circular"), IMAGE, (16, 20)
    )
    assert (answer.margin, answer.equal, answer.holds) == (0, 1.0, True)
    assert answer.largest < 1e-12


def test_a_stride_is_equivariant_to_its_own_steps_only() -> None:
    def strided(image: np.ndarray) -> np.ndarray:
        return convolve(image, kernels.blur, stride=2, padding=1)

    even, odd = (equivariance(strided, IMAGE, (shift, 0)) for shift in (4, 3))
    assert (even.holds, even.cells) == (True, (2.0, 0.0))
    assert (odd.holds, odd.cells) == (False, (1.5, 0.0))
    assert odd.margin == 16  # to the middle of 32 rows
    assert equivariance(strided, IMAGE, (4, 0), stride=1).holds is False


def test_what_depends_on_the_place_is_not_equivariant() -> None:
    weights = np.linspace(0, 1, IMAGE.size).reshape(IMAGE.shape)
    answer = equivariance(lambda image: image * weights, IMAGE, (2, 2))
    assert not answer.holds
    assert answer.largest > 0.01


def test_pooling_makes_a_small_shift_matter_less() -> None:
    dots = np.zeros((64, 64))
    dots[::8, ::8] = 1
    shares = [invariance(lambda image, w=w: pool(image, "max", w), dots, (0, 1)).equal for w in (1, 2, 4)]
    assert shares == [1 - 2 / 64, 1.0, 1.0]
    assert invariance(lambda image: pool(image, "max", 2), dots, (0, 2)).equal < 1


def test_shapes_that_cannot_be_compared_are_refused() -> None:
    for call, words in (
        (
            lambda: equivariance(lambda x: x, IMAGE, (17, 0)),
            "a shift of (17, 0) is more than a quarter of an image of 64 × 80.",
        ),
        (
            lambda: invariance(lambda x: x.sum(axis=0), IMAGE, (1, 0)),
            "must give a map `height width …` of one shape; got (80,)",
        ),
    ):
        with pytest.raises(UsageError, match=re.escape(words)):
            call()


@pytest.mark.parametrize("shape", [(28, 28, 1), (28, 28, 3), (40, 33, 3)])
def test_parameters_are_those_of_torchs_layers(shape: tuple[int, ...]) -> None:
    height, width, channels = shape
    layer = nn.Conv2d(channels, 8, 5, stride=2, padding=2)
    counted = count_convolution(shape, 8, 5, stride=2, padding=2)
    made = layer(torch.zeros(1, channels, height, width))
    assert counted.parameters == sum(p.numel() for p in layer.parameters())
    assert counted.outputs == made.numel()
    assert counted.connections == made.numel() * layer.weight[0].numel()
    dense = nn.Linear(height * width * channels, 10)
    assert count_dense(shape, 10).parameters == sum(p.numel() for p in dense.parameters())
    assert count_dense(shape, 10).connections == dense.weight.numel()


def test_sparse_connections_and_shared_weights_of_the_courses() -> None:
    dense, shared = count_dense((1000, 1000, 3), 1000), count_convolution((1000, 1000, 3), 1, 3)
    assert (dense.inputs, dense.connections) == (3_000_000, 3_000_000_000)
    assert shared.parameters == 28
    assert shared.connections == 998 * 998 * 27
    for call, words in (
        (lambda: count_dense((0, 5), 1), "an image of (0, 5) and 1 units cannot be"),
        (lambda: count_convolution((5,), 1, 3), "an image of (5,) and 1 filters cannot be"),
        (lambda: count_convolution((5, 5), 1, 7), "a window of 7 × 7 does not fit an image of 5 × 5"),
    ):
        with pytest.raises(UsageError, match=re.escape(words)):
            call()


TORCH: dict[str, Any] = {
    "relu": torch.relu,
    "leaky_relu": nn.functional.leaky_relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}


@pytest.mark.parametrize("name", TORCH)
def test_activations_and_their_derivatives_are_torchs(name: str) -> None:
    x = torch.linspace(-30, 30, 601, dtype=torch.float64, requires_grad=True)
    y = TORCH[name](x)
    y.sum().backward()
    assert x.grad is not None
    given = x.detach().numpy()
    assert np.allclose(getattr(activations, name)(given), y.detach().numpy(), rtol=1e-12, atol=1e-300)
    assert np.allclose(
        getattr(activations, f"{name}_derivative")(given), x.grad.numpy(), rtol=1e-9, atol=1e-12
    )


def test_softmax_and_its_jacobian_are_torchs() -> None:
    logits = torch.tensor([[1.0, -2.0, 0.5], [800.0, 0.0, 799.0]], dtype=torch.float64)
    assert np.allclose(activations.softmax(logits.numpy()), torch.softmax(logits, -1).numpy())
    for row in logits:
        jacobian = torch.autograd.functional.jacobian(lambda x: torch.softmax(x, -1), row)
        assert isinstance(jacobian, torch.Tensor)
        assert np.allclose(activations.softmax_derivative(row.numpy()), jacobian.numpy())
