"""The optimisers, with weight decay kept off biases and norms."""

import torch
from torch import nn

from striate.training.recipe import Recipe


def create_optimiser(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser over a network's parameters, in a fixed order; frozen ones wait without a gradient.

    Parameters of two or more axes decay; vectors and scalars (biases, norms) do not, as in He et al. 2019,
    "Bag of Tricks", section 3.1 ("no bias decay"). Stages may have smaller rates than the head: `rate_factors`.
    """
    factors, kinds = rate_factors(network, recipe), dict[tuple[float, bool, bool], list[nn.Parameter]]()
    for name, parameter in network.named_parameters():
        factor = factors[name.split(".")[1]] if name.startswith("stages.") and factors else 1.0
        # fused SGD makes the momentum of a whole group in its first step: what begins later is a group of its own
        later = recipe.head_epochs > 0 and not name.startswith("head.")
        kinds.setdefault((-factor, parameter.ndim <= 1, later), []).append(parameter)
    groups = [
        {"params": kinds[key], "weight_decay": 0.0 if key[1] else recipe.decay, "factor": -key[0]}
        for key in sorted(kinds)
    ]
    match recipe.optimiser:
        case "sgd":
            return torch.optim.SGD(groups, lr=recipe.peak_rate, momentum=recipe.momentum, fused=True)
        case "adam":
            return torch.optim.Adam(groups, lr=recipe.peak_rate, fused=True)
        case "adamw":
            return torch.optim.AdamW(groups, lr=recipe.peak_rate, fused=True)


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


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Give every parameter group the rate, or its share of it."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group.get("factor", 1.0)


def state_tensors(optimiser: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """The optimiser's memory as named tensors: `3/exp_avg` belongs to the fourth parameter."""
    return {
        f"{index}/{name}": value
        for index, entries in optimiser.state_dict()["state"].items()
        for name, value in entries.items()
        if isinstance(value, torch.Tensor)
    }


def load_state_tensors(optimiser: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    """Give an optimiser the memory that `state_tensors` returned.

    A tensor of a parameter's shape takes the parameter's memory layout too: a fused step walks both in memory order.
    """
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        index, _, name = key.partition("/")
        parameter = parameters[int(index)]
        laid_out = torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value
        state.setdefault(int(index), {})[name] = laid_out
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
