"""A copy of a network that shares its weights, with some of its layers replaced: how one looks inside without hooks."""

import copy
from collections.abc import Mapping
from itertools import chain
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

AnyModule = TypeVar("AnyModule", bound=nn.Module)


def sharing(module: AnyModule, instead: Mapping[nn.Module, nn.Module] | None = None) -> AnyModule:
    """A copy, in evaluation mode, with the same parameters and buffers, and other layers in the place of some.

    >>> network = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    >>> twin = sharing(network, {network[1]: nn.Identity()})
    >>> twin[1], twin[0].weight is network[0].weight
    (Identity(), True)
    """
    # deepcopy takes from its memo whatever is already there, wherever the module refers to it
    memo: dict[int, Any] = {id(tensor): tensor for tensor in chain(module.parameters(), module.buffers())}
    memo |= {id(layer): other for layer, other in (instead or {}).items()}
    return copy.deepcopy(module, memo).eval()


class Tap(nn.Module):
    """A layer that keeps what enters and what leaves it, and joins the list of those that were met."""

    def __init__(self, layer: nn.Module, met: list["Tap"]) -> None:
        super().__init__()
        self.layer = layer
        self.met = met
        self.entered: Tensor | None = None
        self.left: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        # a layer that works in place overwrites what it was given, the next one may overwrite what it gave
        self.entered = x.clone()
        given = self.layer(x)
        self.left = given.clone()
        self.met.append(self)
        return given


def tapped(
    network: nn.Module, inputs: Float[Tensor, "batch ..."], layers: Mapping[str, nn.Module]
) -> dict[str, Tap]:
    """The taps of layers of a network after one run of the inputs, in the order in which the inputs met them.

    >>> network = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    >>> [(name, tuple(tap.left.shape)) for name, tap in tapped(network, torch.zeros(4, 3), {"a": network[1]}).items()]
    [('a', (4, 2))]

    The network is not touched: a copy that shares its weights runs, in evaluation mode and without gradients.
    """
    met: list[Tap] = []
    taps = {name: Tap(sharing(layer), met) for name, layer in layers.items()}
    twin = sharing(network, {layer: taps[name] for name, layer in layers.items()})
    with torch.no_grad():
        twin(inputs.clone())
    names = {tap: name for name, tap in taps.items()}
    return {names[tap]: tap for tap in met}


def constant_channels(maps: Float[Tensor, "batch channel ..."]) -> tuple[int, ...]:
    """The channels that have one value everywhere, in all images; of a single cell, those that are 0.

    >>> constant_channels(torch.tensor([[[0.0, 0.0], [1.0, 2.0], [3.0, 3.0]]])), constant_channels(torch.ones(1, 4))
    ((0, 2), ())
    """
    values = maps.transpose(0, 1).flatten(1)
    alike = values.amax(dim=1) == values.amin(dim=1)
    if values.shape[1] == 1:
        alike = values[:, 0] == 0
    return tuple(alike.nonzero().flatten().tolist())
