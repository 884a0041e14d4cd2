"""From a recipe to the network that training begins with: settled, built, changed, filled, frozen."""

from dataclasses import dataclass

import torch

from striate.classifier.weights import Origin, begin_with
from striate.models import Changes, Network, create_model, initialise, model_entry
from striate.pixels import Preparation
from striate.training.recipe import Recipe

DEFAULT_MODEL = "compact"


@dataclass(frozen=True)
class Built:
    """A network with its first weights, and what must be said about where they come from."""

    network: Network
    notes: tuple[str, ...] = ()


def settle(recipe: Recipe, origin: Origin | None) -> Recipe:
    """The recipe with everything filled in that it left to the network and its weights."""
    if recipe.model == "auto":
        recipe = recipe.changed(model=origin.model if origin and origin.model else DEFAULT_MODEL)
    if origin:
        recipe = recipe.changed(weights_sha256=origin.sha256)
    return recipe.settled(model_entry(recipe.model).learning_rate)


def build(recipe: Recipe, preparation: Preparation, classes: tuple[str, ...], origin: Origin | None) -> Built:
    """The network of a recipe for prepared images, with the weights that it begins with.

    First weights are a function of the recipe's seed. Raises ModelError for a network that does not exist, does
    not take such images or has no such stage to freeze; RunError for weights that do not fit.
    """
    channels, height, width = preparation.input_shape()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        network = create_model(
            recipe.model,
            classes=len(classes),
            channels=channels,
            size=(height, width),
            dropout=recipe.dropout,
            changes=Changes(**recipe.changing()),
        )
        initialise(network, recipe.initialisation)
    notes = begin_with(network, origin, classes) if origin else []
    network.freeze(recipe.freeze)
    return Built(network, tuple(notes))
