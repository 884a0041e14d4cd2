"""Noise to train on, and training by the loop itself: for tests of what the loop does to a network."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.training.events import Events, Outcome
from striate.training.history import Progress
from striate.training.loop import train
from striate.training.material import Material
from striate.training.recipe import Recipe


@dataclass(frozen=True)
class NoiseBatch:
    """One batch of noise."""

    index: int
    rows: np.ndarray
    inputs: Tensor
    labels: Tensor


class NoiseBatches:
    """The same images in every epoch, in batches of one size."""

    def __init__(self, inputs: Tensor, labels: Tensor, size: int) -> None:
        self.inputs, self.labels = inputs, labels
        self.images, self.count = len(inputs), len(inputs) // size

    def epoch(self, epoch: int, start: int = 0) -> Iterator[NoiseBatch]:
        """The batches from number `start` on."""
        for index, rows in enumerate(np.array_split(np.arange(self.images), self.count)):
            if index >= start:
                yield NoiseBatch(index, rows, self.inputs[rows], self.labels[rows])


def noise_material(
    shape: tuple[int, ...],
    *,
    images: int = 8,
    size: int = 4,
    classes: int = 4,
    errors: list[float] | None = None,
) -> Material:
    """Batches of noise; validation says what `errors` dictate, epoch by epoch, or looks at the network."""
    generator = torch.Generator().manual_seed(7)
    inputs = torch.randn(images, *shape, generator=generator)
    batches = NoiseBatches(inputs, torch.arange(images) % classes, size)
    dictated = iter(errors or ())

    def validate(network: nn.Module) -> Outcome:
        network.eval()
        with torch.no_grad():
            logits = network(inputs)
        right = (logits.argmax(1) == batches.labels).double().mean().item()
        accuracy = 1 - next(dictated) if errors else right
        measures = {"loss": F.cross_entropy(logits, batches.labels).item(), "accuracy": accuracy}
        chances = logits.softmax(1).double().numpy()
        return Outcome(np.arange(images), batches.labels.numpy(), chances, measures)

    return Material(batches, validate, lambda rows: [str(row) for row in rows])


def trained(network: nn.Module, recipe: Recipe, material: Material, events: Events | None = None) -> Progress:
    """The network after the recipe's epochs."""
    return train(network, recipe, material, events=events or Events())
