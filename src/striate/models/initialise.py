"""Initial weights by name: He for networks of ReLUs, Xavier for networks of tanhs."""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from striate.errors import ModelError, suggestion
from striate.models.layers import Layer


def _he(weight: Tensor, fan_in: float, _fan_out: float) -> None:
    weight.normal_(0.0, math.sqrt(2.0 / fan_in))


def _xavier(weight: Tensor, fan_in: float, fan_out: float) -> None:
    bound = math.sqrt(6.0 / (fan_in + fan_out))
    weight.uniform_(-bound, bound)


def _identity(weight: Tensor, fan_in: float, fan_out: float) -> None:
    _he(weight, fan_in, fan_out)
    if weight.ndim > 2:
        copied = min(weight.shape[:2])
        nn.init.dirac_(weight[:copied])


RULES: dict[str, Callable[[Tensor, float, float], None]] = {
    "he": _he,
    "xavier": _xavier,
    "identity": _identity,
}


def initialise(network: nn.Module, how: str) -> None:
    """Draw the weights of every convolution and fully connected layer anew; their biases become zero.

    >>> network = nn.Sequential(nn.Conv2d(16, 32, 3), nn.ReLU())
    >>> initialise(network, "he")
    >>> weight, bias = network.parameters()
    >>> torch.allclose(weight.std(), torch.tensor(2 / (16 * 3 * 3)).sqrt(), rtol=0.1), bool(bias.any())
    (True, False)

    - `own`: leaves the network as it was built, which its own file decides.
    - `he`: normal, variance 2 / fan-in. He et al. 2015, equation 10; the fan-in of the forward pass, not the
      fan-out of equation 14, which the paper finds as good.
    - `xavier`: uniform within ±√6 / √(fan-in + fan-out). Glorot & Bengio 2010, equation 16.

    - `identity`: as `he`, but the first kernels of a convolution each copy one map that comes in: as many as there are
      maps to copy. Jordan 2024, 94% on CIFAR-10 in 3.29 Seconds on a Single GPU, section 3.3.

    Takes torch's default generator; scales and shifts of normalisation are left alone. Raises ModelError for
    any other name.
    """
    if how == "own":
        return
    if how not in RULES:
        raise ModelError(f"There is no initialisation {how!r}; {suggestion(how, ('own', *RULES))}")
    with torch.no_grad():
        for weight, bias, fan_in, fan_out in _weighted_layers(network):
            RULES[how](weight, fan_in, fan_out)
            if bias is not None:
                bias.zero_()


def small_output(layer: nn.Module, deviation: float = 0.01) -> None:
    """Start an output layer near zero, so that an untrained network holds all classes equally likely.

    Normal with this standard deviation, biases zero. Krizhevsky et al. 2012, section 5.
    """
    nn.init.normal_(layer.get_parameter("weight"), std=deviation)
    nn.init.zeros_(layer.get_parameter("bias"))


def _weighted_layers(network: nn.Module) -> Iterator[tuple[Tensor, Tensor | None, float, float]]:
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            units_out, units_in, *window = layer.weight.shape
            groups = layer.groups if isinstance(layer, nn.Conv2d) else 1
            cells = math.prod(window)
            yield layer.weight, layer.bias, float(units_in * cells), units_out * cells / groups
        elif isinstance(layer, Layer) and layer.fans is not None:
            yield layer.get_parameter("weight"), layer.get_parameter("bias"), *layer.fans
