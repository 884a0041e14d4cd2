"""From a recipe to the network that training begins with: settled, built, changed, filled, frozen."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from striate.classifier.weights import Origin, adopted, begin_with
from striate.errors import UsageError
from striate.models import Changes, Network, create_model, initialise, model_entry
from striate.models.own import OWN, class_name, own_network
from striate.pixels import Preparation
from striate.training.device import chosen_device
from striate.training.precision import own_precision
from striate.training.recipe import Recipe

DEFAULT_MODEL = "compact"


@dataclass(frozen=True)
class Built:
    """A network with its first weights, and what must be said about where they come from."""

    network: Network
    notes: tuple[str, ...] = ()
    made_of: str = ""
    """The class of a network that was given."""


def settle(recipe: Recipe, origin: Origin | None) -> Recipe:
    """The recipe with everything filled in that it left to the network and its weights."""
    if origin:
        recipe = adopted(recipe, origin)
    if recipe.model == "auto":
        recipe = recipe.changed(model=DEFAULT_MODEL)
    device = chosen_device(recipe)
    recipe = recipe.changed(device=device.type)
    if recipe.precision == "auto":
        recipe = recipe.changed(precision=own_precision(device))
    entry = model_entry(recipe.model)
    own = "adamw" if origin else entry.optimiser  # gentler with weights that have learned already
    return recipe.settled(entry.learning_rate, own)


def for_network(recipe: Recipe, network: nn.Module | None) -> Recipe:
    """The recipe for a network that was given: its model is "own". UsageError where it names another one."""
    if network is None:
        return recipe
    if recipe.model not in ("auto", OWN):
        raise UsageError(
            f"model={recipe.model}, and a network of your own is given; leave the model out, or the network."
        )
    return recipe.changed(model=OWN)


def build(
    recipe: Recipe,
    preparation: Preparation,
    classes: tuple[str, ...],
    origin: Origin | None,
    own: nn.Module | None = None,
) -> Built:
    """The network of a recipe for prepared images, with the weights that it begins with.

    First weights are a function of the recipe's seed; a network of one's `own` begins with those it has.

    Raises ModelError for a network that does not exist, does not take such images or has no such stage to freeze;
    RunError for weights that do not fit.
    """
    channels, height, width = preparation.input_shape()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        wanted: dict[str, Any] = {
            "classes": len(classes),
            "channels": channels,
            "size": (height, width),
            "dropout": recipe.dropout,
            "changes": Changes(**recipe.changing()),
        }
        network = create_model(recipe.model, **wanted) if own is None else own_network(own, **wanted)
        initialise(network, recipe.initialisation)
    notes = begin_with(network, origin, recipe, preparation, classes) if origin else []
    network.freeze(recipe.freeze)
    return Built(network, tuple(notes), "" if own is None else class_name(own))
