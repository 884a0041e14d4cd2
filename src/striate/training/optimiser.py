"""The optimisers, with weight decay kept off biases and norms."""

from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn

from striate.training.muon import Muon
from striate.training.recipe import Recipe


@runtime_checkable
class Optimiser(Protocol):
    """What training needs of an optimiser: torch's have it, and Muon."""

    param_groups: list[dict[str, Any]]

    def zero_grad(self, set_to_none: bool = True) -> None: ...
    def step(self) -> Any: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state_dict: dict[str, Any]) -> None: ...


BESIDE_MUON = 0.1
"""What AdamW beside Muon learns at, as a share of the kernels' rate."""


def create_optimiser(network: nn.Module, recipe: Recipe) -> Optimiser:
    """The recipe's optimiser over a network's parameters, in a fixed order; frozen ones wait without a gradient.

    Parameters of two or more axes decay; vectors and scalars (biases, norms) do not, as in He et al. 2019,
    "Bag of Tricks", section 3.1 ("no bias decay"). Stages may have smaller rates than the head: `rate_factors`.
    """
    factors = rate_factors(network, recipe)
    normalised = normalised_kernels(network) if recipe.rescale else set[str]()
    kinds = dict[tuple[float, bool, bool, bool, bool], list[nn.Parameter]]()
    for name, parameter in network.named_parameters():
        factor = factors[name.split(".")[1]] if name.startswith("stages.") and factors else 1.0
        # fused SGD makes the momentum of a whole group in its first step: what begins later is a group of its own
        later = recipe.head_epochs > 0 and not name.startswith("head.")
        kernel = recipe.optimiser == "muon" and name.startswith("stages.") and parameter.ndim > 1
        kind = (-factor, parameter.ndim <= 1, later, kernel, kernel and name in normalised)
        kinds.setdefault(kind, []).append(parameter)
    groups = [
        {
            "params": kinds[key],
            "weight_decay": 0.0 if key[1] else recipe.decay,
            "factor": -key[0] * (1.0 if key[3] or recipe.optimiser != "muon" else BESIDE_MUON),
            "kernels": key[3],
            "rescaled": key[4],
        }
        for key in sorted(kinds)
    ]
    match recipe.optimiser:
        case "muon":
            dtype = torch.bfloat16 if recipe.precision == "bfloat16" else torch.float32
            return Muon(groups, recipe.peak_rate, momentum=recipe.momentum, dtype=dtype)
        case "sgd":
            return torch.optim.SGD(
                groups, lr=recipe.peak_rate, momentum=recipe.momentum, nesterov=recipe.nesterov, fused=True
            )
        case "adam":
            return torch.optim.Adam(groups, lr=recipe.peak_rate, fused=True)
        case "adamw" | None:
            return torch.optim.AdamW(groups, lr=recipe.peak_rate, fused=True)


def normalised_kernels(network: nn.Module) -> set[str]:
    """The convolutions' weights whose maps are normalised next: those without a bias, which would be subtracted again.

    >>> sorted(normalised_kernels(nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3))))
    ['0.weight']
    """
    return {
        f"{name}.weight"
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Conv2d) and layer.bias is None
    }


def rate_factors(network: nn.Module, recipe: Recipe) -> dict[str, float]:
    """What share of the head's rate each stage learns at: discriminative fine-tuning.

    The last stage takes `base_rate`, each one before it `stage_decay` of the next one's. Howard & Ruder 2018,
    section 3.2. A module without named stages has none.
    """
    names: tuple[str, ...] = getattr(network, "stage_names", ())
    return {
        name: recipe.base_rate * recipe.stage_decay**distance
        for distance, name in reversed(list(enumerate(reversed(names))))
    }


def set_rate(optimiser: Optimiser, rate: float) -> None:
    """Give every parameter group the rate, or its share of it."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group.get("factor", 1.0)


def state_tensors(optimiser: Optimiser) -> dict[str, torch.Tensor]:
    """The optimiser's memory as named tensors: `3/exp_avg` belongs to the fourth parameter."""
    return {
        f"{index}/{name}": value
        for index, entries in optimiser.state_dict()["state"].items()
        for name, value in entries.items()
        if isinstance(value, torch.Tensor)
    }


def load_state_tensors(optimiser: Optimiser, tensors: dict[str, torch.Tensor]) -> None:
    """Give an optimiser the memory that `state_tensors` returned.

    A tensor of a parameter's shape takes the parameter's memory layout too: a fused step walks both in memory order.
    """
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        index, _, name = key.partition("/")
        parameter = parameters[int(index)]
        laid_out = (
            torch.empty_like(parameter).copy_(value)
            if value.shape == parameter.shape
            else value.to(parameter.device)
        )
        state.setdefault(int(index), {})[name] = laid_out
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
