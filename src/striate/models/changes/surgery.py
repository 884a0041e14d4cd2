"""Layers put in and taken out of a network, by their path."""

from torch import nn

from striate.models.layers import sequence


def insert_after(network: nn.Module, path: str, ending: str, layer: nn.Module) -> None:
    """Let a layer follow the one at this path: beside it in its sequence, or in a new sequence of both.

    >>> network = nn.Sequential(nn.Conv2d(1, 4, 3))
    >>> network = nn.ModuleDict({"stage": network})
    >>> insert_after(network, "stage.0", "norm", nn.BatchNorm2d(4))
    >>> list(network.state_dict())[:3]
    ['stage.0.weight', 'stage.0.bias', 'stage.0_norm.weight']
    """
    parent, _, name = path.rpartition(".")
    around = network.get_submodule(parent)
    if type(around) is nn.Sequential:
        layers: dict[str, nn.Module] = {}
        for own, inner in _children(around):
            layers[own] = inner
            if own == name:
                layers[f"{name}_{ending}"] = layer
        network.set_submodule(parent, sequence(**layers))
    else:
        network.set_submodule(path, sequence(**{name: network.get_submodule(path), ending: layer}))


def remove(network: nn.Module, path: str) -> None:
    """Take out the layer at this path; what stands alone leaves a layer that changes nothing.

    >>> network = nn.ModuleDict({"stage": nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))})
    >>> remove(network, "stage.1")
    >>> list(network.state_dict())
    ['stage.0.weight', 'stage.0.bias']
    """
    parent, _, name = path.rpartition(".")
    around = network.get_submodule(parent)
    if type(around) is nn.Sequential and len(around) > 1:
        layers = {own: layer for own, layer in _children(around) if own != name}
        network.set_submodule(parent, sequence(**layers))
    else:
        network.set_submodule(path, nn.Identity())


def _children(parent: nn.Sequential) -> list[tuple[str, nn.Module]]:
    # not named_children, which leaves a layer out that stands in two places
    return list(zip(parent._modules, parent, strict=True))
