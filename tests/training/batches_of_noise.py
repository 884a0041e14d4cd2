"""Batches of noise, and what a step of a recipe does to a network, for the tests of steps."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from striate.training.recipe import Recipe
from striate.training.step import Taken, add_gradients


@dataclass(frozen=True)
class NoiseBatch:
    index: int
    rows: np.ndarray
    inputs: Tensor
    labels: Tensor


def batch_of(images: int, shape: tuple[int, int, int], classes: int = 3, seed: int = 1) -> NoiseBatch:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(images, *shape, generator=generator).to(memory_format=torch.channels_last)
    labels = torch.randint(0, classes, (images,), generator=generator)
    return NoiseBatch(0, np.arange(images), inputs, labels)


def gradients_of(
    network: nn.Module, recipe: Recipe, batch: NoiseBatch, weights: Tensor | None = None
) -> tuple[list[Tensor], Taken]:
    """Every gradient of a step, and its loss and right answers; dropout is seeded."""
    network.zero_grad(set_to_none=True)
    network.train()
    torch.manual_seed(7)
    loss, correct = add_gradients(network, recipe, batch, weights)
    gradients = [p.grad.clone() for p in network.parameters() if p.grad is not None]
    return gradients, Taken(loss, loss, correct)
