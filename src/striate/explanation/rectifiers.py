"""The rectifiers of a network under another backward rule, and why a network may not allow that.

Springenberg, Dosovitskiy, Brox & Riedmiller 2015, Striving for simplicity, figure 1; Zeiler & Fergus 2014, section 2.1.
"""

import copy
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, Literal, TypeGuard

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import Function
from torch.utils._python_dispatch import TorchDispatchMode

from striate.errors import ModelError, suggestion
from striate.models import Network

Rule = Literal["guided", "deconvnet"]
"""`guided`: a gradient goes back where it is positive and the forward value was; `deconvnet`: where it is positive."""

OTHERS = {
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "log_sigmoid_forward": "log-sigmoid",
    "hardsigmoid": "hard sigmoid",
    "hardtanh": "ReLU6 or hard tanh",
    "hardswish": "hard swish",
    "gelu": "GELU",
    "silu": "SiLU",
    "mish": "Mish",
    "softplus": "softplus",
    "elu": "ELU",
    "selu": "SELU",
    "celu": "CELU",
    "glu": "GLU",
    "leaky_relu": "leaky ReLU",
    "_prelu_kernel": "PReLU",
    "rrelu_with_noise": "randomised ReLU",
}
"""Activations for which neither rule is defined, by torch's name of the operation."""
_SEED = 2026


class Rectifier(nn.Module):
    """Forward as `nn.ReLU`, in place where that was; backward by a rule."""

    def __init__(self, rule: Rule, inplace: bool) -> None:
        super().__init__()
        self.rule: Rule = rule
        self.inplace = inplace

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        return _RULES[self.rule].apply(x, self.inplace)  # pyright: ignore[reportReturnType]


def with_rule(network: Network, rule: Rule) -> Network:
    """A copy of the network, in evaluation mode, whose every `nn.ReLU` passes gradients back by a rule.

    >>> network = Network({"conv": nn.Conv2d(1, 1, 1), "relu": nn.ReLU()}, head=nn.Flatten())
    >>> ruled = with_rule(network, "guided")
    >>> ruled.stages["relu"], ruled.stages["conv"].weight is network.stages["conv"].weight
    (Rectifier(), True)

    Parameters and buffers are the network's own, and what the copy computes is what the network does. All else has
    its usual gradient: that of max pooling is unpooling by the recorded switches. The copy is only right where
    `rectifier_obstacle` finds nothing.
    """
    return _sharing(network, lambda relu: Rectifier(rule, relu.inplace)).eval()


def rectifier_obstacle(network: Network, input_shape: tuple[int, int, int], stage: str | None) -> str | None:
    """Why a rule cannot be applied to all rectifiers up to a stage, or to the logits where that is None.

    >>> network = Network({"conv": nn.Conv2d(1, 4, 3), "squash": nn.Tanh()}, head=nn.Flatten())
    >>> rectifier_obstacle(network, (1, 8, 8), None)
    'it has no ReLU whose gradient the rule could change; its activation is tanh (squash)'
    >>> rectifier_obstacle(network, (1, 8, 8), "conv") is None  # up to here there is nothing to rectify
    True

    Found by one pass of an image of noise through a copy without its `nn.ReLU`: whatever still rectifies is a
    function that `with_rule` does not reach (relu, threshold, a clamp at 0 or a maximum with 0; not a product with a
    comparison). Raises ModelError for a stage that the network has not.
    """
    relus, functions, others = _activations(network, input_shape, stage)
    if functions:
        return (
            f"it rectifies by a function ({_listed(functions)}), which the rule does not reach; make it an nn.ReLU"
            " layer"
        )
    if others and relus:
        return f"beside ReLU it has {_listed(others)}, for which the rule is not defined"
    if others:
        word = "activation is" if len(others) == 1 else "activations are"
        return f"it has no ReLU whose gradient the rule could change; its {word} {_listed(others)}"
    return None if relus or stage else "it has no ReLU whose gradient the rule could change"


class _Guided(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, inplace: bool) -> Tensor:
        rectified = _rectified(ctx, x, inplace)
        ctx.save_for_backward(rectified)
        return rectified

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (rectified,) = ctx.saved_tensors
        return gradients[0].clamp(min=0).masked_fill(rectified <= 0, 0), None


class _Deconvnet(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, inplace: bool) -> Tensor:
        return _rectified(ctx, x, inplace)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        del ctx
        return gradients[0].clamp(min=0), None


_RULES: dict[Rule, type[Function]] = {"guided": _Guided, "deconvnet": _Deconvnet}


def _rectified(ctx: Any, x: Tensor, inplace: bool) -> Tensor:
    # a network may go on with what an in-place ReLU has overwritten, so the copy must overwrite it too
    if not inplace:
        return x.relu()
    ctx.mark_dirty(x)
    return x.relu_()


def _sharing(network: Network, substitute: Callable[[nn.ReLU], nn.Module]) -> Network:
    """A copy with the same parameters and buffers, and something else in the place of every ReLU."""
    # deepcopy takes from its memo whatever is already there, wherever the network refers to it
    memo: dict[int, Any] = {id(tensor): tensor for tensor in chain(network.parameters(), network.buffers())}
    memo |= {id(layer): substitute(layer) for layer in network.modules() if _is_relu(layer)}
    return copy.deepcopy(network, memo)


def _is_relu(layer: nn.Module) -> TypeGuard[nn.ReLU]:
    return isinstance(layer, nn.ReLU) and type(layer).forward is nn.ReLU.forward


class _TakenOut(nn.Module):
    """What stands in the place of a ReLU while functions are looked for: nothing."""

    ran = False

    def forward(self, x: Tensor) -> Tensor:
        self.ran = True
        return x


class _Watch(TorchDispatchMode):
    """Writes down which functions rectify, and which other activations are computed."""

    def __init__(self) -> None:
        super().__init__()
        self.functions: set[str] = set()
        self.others: set[str] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = func.overloadpacket.__name__
        plain = name.removesuffix("_")
        if plain in OTHERS:
            self.others.add(OTHERS[plain])
        elif plain in ("relu", "threshold") or _bounds_at_zero(plain, args, kwargs or {}):
            self.functions.add(name)
        return func(*args, **(kwargs or {}))


def _bounds_at_zero(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    if name == "maximum":
        return any(_is_zero(value) for value in args)
    return name in ("clamp", "clamp_min") and _is_zero(args[1] if len(args) > 1 else kwargs.get("min"))


def _is_zero(value: Any) -> bool:
    return bool((value == 0).all()) if isinstance(value, Tensor) else value == 0 and value is not None


def _activations(
    network: Network, input_shape: tuple[int, int, int], stage: str | None
) -> tuple[bool, dict[str, list[str]], dict[str, list[str]]]:
    """Whether a ReLU runs; the functions that rectify and the other activations, each with the stages they are in."""
    twin = _sharing(network, lambda _: _TakenOut()).eval()
    noise = torch.randn((1, *input_shape), generator=torch.Generator().manual_seed(_SEED))
    noise = noise.to(next(network.parameters(), noise))  # their device and precision
    functions: dict[str, list[str]] = {}
    others: dict[str, list[str]] = {}
    with torch.enable_grad():  # torch has other ways through some layers where no gradient is wanted
        maps = noise.requires_grad_().clone()
        for name, part in _parts(twin, stage):
            with _Watch() as watch:
                maps = part(maps)
            for found, seen in ((functions, watch.functions), (others, watch.others)):
                for function in sorted(seen):
                    found.setdefault(function, []).append(name)
    relus = any(layer.ran for layer in twin.modules() if isinstance(layer, _TakenOut))
    return relus, functions, others


def _parts(network: Network, stage: str | None) -> Iterator[tuple[str, nn.Module]]:
    if stage is not None and stage not in network.stages:
        raise ModelError(f"The network has no stage {stage!r}; {suggestion(stage, network.stage_names)}")
    for name, part in network.stages.items():
        yield name, part
        if name == stage:
            return
    yield "head", network.head


def _listed(found: dict[str, list[str]]) -> str:
    """Each with the first stage that has it."""
    return ", ".join(f"{name} ({stages[0]})" for name, stages in found.items())
