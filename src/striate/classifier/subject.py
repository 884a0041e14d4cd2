"""What the training loop is given: the network and its batches."""

from dataclasses import dataclass

from torch import nn

from striate.classifier.material import Decoded, material
from striate.models import Network
from striate.training.events import Events
from striate.training.material import Material
from striate.training.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Subject:
    """A module to train, the recipe to train it by, and what to train it on.

    The module shares its parameters with the classifier's network: what it learns, the network has learned.
    """

    network: nn.Module
    recipe: Recipe
    material: Material


def subject_of(decoded: Decoded, network: Network, recipe: Recipe, events: Events) -> Subject:
    """The network itself on the packed images."""
    del events
    return Subject(network, recipe, material(decoded, network, recipe))
