"""Muon: momentum whose matrix is made orthogonal before it is applied, for kernels; AdamW for everything else.

Jordan et al. 2024, Muon: An optimizer for hidden layers in neural networks. A kernel `out in height width` counts as
a matrix of `out` rows. What has fewer axes, or is not hidden (the head), is left to AdamW (Loshchilov & Hutter 2019).
"""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim.adamw import adamw

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the odd polynomial a x + b x³ + c x⁵ that drives every singular value towards 1."""
STEPS = 5
BETAS, EPSILON = (0.9, 0.999), 1e-8
"""AdamW's, as torch has them."""


class Muon:
    """Muon over the groups marked `kernels`, AdamW over the others.

    >>> kernel, bias = torch.nn.Parameter(torch.ones(4, 2, 3, 3)), torch.nn.Parameter(torch.ones(4))
    >>> optimiser = Muon([{"params": [kernel], "kernels": True}, {"params": [bias], "kernels": False}], lr=0.1)
    >>> kernel.sum().backward()
    >>> optimiser.step()
    >>> bool((kernel < 1).all()), bool((bias == 1).all())
    (True, True)

    `lr` is the length of a step relative to a kernel whose rows have length 1; a group's `weight_decay` is decoupled.
    Kernels of a group marked `rescaled` are given rows of mean square length 1 before each step and do not decay: what
    follows normalises their maps, so their length says nothing, and grown it would make every step a smaller turn.
    `dtype` is what the matrices are multiplied in: bfloat16 is enough (section "Newton–Schulz" there). It has what
    training needs of torch's optimisers and is none of them: those import torch's compiler, which takes longer than
    the first hundred steps.
    """

    def __init__(
        self,
        groups: Iterable[dict[str, Any]],
        lr: float,
        *,
        momentum: float = 0.9,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.dtype = dtype
        own = {"lr": lr, "momentum": momentum, "weight_decay": 0.0}
        self.param_groups = [{**own, **group} for group in groups]
        self.state: dict[Tensor, dict[str, Tensor]] = {}

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or make them 0."""
        for parameter in self._parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad.zero_()

    def state_dict(self) -> dict[str, Any]:
        """The memory of each parameter by its place."""
        return {"state": {place: self.state.get(p, {}) for place, p in enumerate(self._parameters())}}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the memory that `state_dict` gave, onto the parameters' devices."""
        parameters = list(self._parameters())
        self.state = {
            parameters[place]: {name: value.to(parameters[place].device) for name, value in memory.items()}
            for place, memory in state_dict["state"].items()
        }

    def _parameters(self) -> Iterator[Tensor]:
        return (parameter for group in self.param_groups for parameter in group["params"])

    @torch.no_grad()
    def step(self) -> None:
        """One step over every parameter that has a gradient."""
        for group in self.param_groups:
            parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
            if group["kernels"]:
                self._step_kernels(parameters, group)
            elif parameters:
                self._step_others(parameters, group)

    def _step_kernels(self, kernels: list[Tensor], group: dict[str, Any]) -> None:
        alike: dict[torch.Size, list[Tensor]] = {}  # kernels of one shape are one stack of matrices
        for kernel in kernels:
            alike.setdefault(kernel.flatten(1).shape, []).append(kernel)
        for some in alike.values():
            directions = orthogonal(torch.stack([self._ahead(kernel, group) for kernel in some]), self.dtype)
            for kernel, direction in zip(some, directions.to(torch.float32), strict=True):
                kernel.mul_(
                    len(kernel) ** 0.5 / kernel.norm().clamp_min(EPSILON)
                    if group.get("rescaled")
                    else 1 - group["lr"] * group["weight_decay"]
                )
                kernel.add_(direction.unflatten(1, kernel.shape[1:]), alpha=-group["lr"])

    def _ahead(self, kernel: Tensor, group: dict[str, Any]) -> Tensor:
        """Where Nesterov's momentum leads, as a matrix of a row for each map that comes out."""
        gradient, state = kernel.grad, self.state.setdefault(kernel, {})
        assert gradient is not None
        if not state:
            state["momentum"] = torch.zeros_like(kernel)
        momentum = state["momentum"].lerp_(gradient, 1 - group["momentum"])
        return gradient.lerp(momentum, group["momentum"]).flatten(1)

    def _step_others(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        for parameter in parameters:
            if not self.state.setdefault(parameter, {}):
                # torch's own step counts on the device of the parameters too
                self.state[parameter] = {
                    "step": torch.zeros((), device=parameter.device),
                    "exp_avg": torch.zeros_like(parameter),
                    "exp_avg_sq": torch.zeros_like(parameter),
                }
        states = [self.state[parameter] for parameter in parameters]
        adamw(
            parameters,
            [parameter.grad for parameter in parameters if parameter.grad is not None],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=True,
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=EPSILON,
            maximize=False,
        )


def orthogonal(
    matrices: Float[Tensor, "stack rows columns"], dtype: torch.dtype
) -> Float[Tensor, "stack rows columns"]:
    """The matrices with every singular value near 1 (0.7 to 1.2), by the Newton–Schulz iteration.

    >>> values = torch.linalg.svdvals(orthogonal(torch.randn(2, 8, 72), torch.float32))
    >>> bool((values > 0.6).all() and (values < 1.3).all())
    True
    """
    first, third, fifth = COEFFICIENTS
    wide = matrices.shape[1] <= matrices.shape[2]
    x = (matrices if wide else matrices.mT).to(dtype)
    x = x / (x.norm(dim=(1, 2), keepdim=True) + torch.finfo(dtype).tiny)
    for _ in range(STEPS):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=third, alpha=fifth), x, beta=first)
    return x if wide else x.mT
