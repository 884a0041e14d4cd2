"""What the training loop is given: a module, its recipe, and batches."""

from dataclasses import dataclass, replace

import torch
from torch import nn

from striate.classifier.extraction import extracted
from striate.classifier.material import Decoded, material
from striate.data.resident import on_device
from striate.models import Network
from striate.training.device import chosen_device
from striate.training.events import Events
from striate.training.material import Material
from striate.training.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Subject:
    """A module to train, the recipe to train it by, and what to train it on.

    The module shares its parameters with the classifier's network: what it learns, the network has learned.
    `input_shape` is that of one image or of what the frozen stages made of it, without the batch.
    """

    network: nn.Module
    recipe: Recipe
    material: Material
    input_shape: tuple[int, ...]


def subject_of(decoded: Decoded, network: Network, recipe: Recipe, events: Events) -> Subject:
    """The network itself on the packed images; or what follows its frozen stages, on the features they give once.

    Raises StriateError where the disk has no room for the features.
    """
    whole, device = material(decoded, network, recipe), chosen_device(recipe)
    if not recipe.extract:
        return Subject(network, recipe, moved(whole, device), decoded.preparation.input_shape())
    features, shape = extracted(decoded, network, recipe, whole, events)
    return Subject(
        network.tail(), recipe.changed(freeze="none", extract=False), moved(features, device), shape
    )


def moved(material: Material, device: torch.device) -> Material:
    """What a network is trained on, on the device that it is trained on."""
    weights = material.class_weights
    return replace(
        material,
        batches=on_device(material.batches, device),
        class_weights=None if weights is None else weights.to(device),
    )
