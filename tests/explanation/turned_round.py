"""A deconvnet built a second time, without gradients: unpooling by loops over windows, transposed convolutions."""

import functools
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.models import Network, compact, googlenet2014, resnet, resnet_cifar

Down = Callable[[Tensor], Tensor]


def up(module: nn.Module, x: Tensor, pick: Callable[[Tensor], Tensor] | None = None) -> tuple[Tensor, Down]:
    """What a module makes of maps, and the way back of a signal; `pick` finds the switch among a window's cells."""
    if isinstance(module, nn.Sequential):
        return _in_order(list(module), x, pick)
    for kind, way in BRANCHED.items():
        if type(module) is kind:
            return way(module, x, pick)
    for kind, turned in LAYERS.items():
        if isinstance(module, kind):
            return module(x), turned(module, x)
    if isinstance(module, nn.MaxPool2d):
        return module(x), _unpool(module, x, pick or (lambda window: window.argmax(dim=2)))
    raise NotImplementedError(type(module).__name__)


def up_to(
    network: Network, x: Tensor, stage: str | None, pick: Callable[[Tensor], Tensor] | None = None
) -> tuple[Tensor, Down]:
    """The same for the stages of a network up to one of them, or for all of it."""
    names = list(network.stages)
    parts = [network.stages[name] for name in (names if stage is None else names[: names.index(stage) + 1])]
    return _in_order([*parts, network.head] if stage is None else parts, x, pick)


def _in_order(
    layers: list[nn.Module], x: Tensor, pick: Callable[[Tensor], Tensor] | None
) -> tuple[Tensor, Down]:
    ways: list[Down] = []
    for layer in layers:
        x, way = up(layer, x, pick)
        ways.append(way)

    def down(signal: Tensor) -> Tensor:
        for way in reversed(ways):
            signal = way(signal)
        return signal

    return x, down


def _unpool(layer: nn.MaxPool2d, x: Tensor, pick: Callable[[Tensor], Tensor]) -> Down:
    window, stride, padding = int(layer.kernel_size), int(layer.stride), int(layer.padding)  # pyright: ignore
    rows, columns = layer(x).shape[2:]
    high, wide = x.shape[2:]

    def down(signal: Tensor) -> Tensor:
        result = torch.zeros_like(x)
        for row in range(rows):
            for column in range(columns):
                top, left = row * stride - padding, column * stride - padding
                bottom, right = min(top + window, high), min(left + window, wide)
                top, left = max(top, 0), max(left, 0)
                switch = pick(x[:, :, top:bottom, left:right].flatten(2))
                place = (top + switch // (right - left)) * wide + left + switch % (right - left)
                result.flatten(2).scatter_add_(2, place[:, :, None], signal[:, :, row, column, None])
        return result

    return down


def _transposed(layer: nn.Conv2d, x: Tensor) -> Down:
    def down(signal: Tensor) -> Tensor:
        sides = zip(
            x.shape[2:], signal.shape[2:], layer.kernel_size, layer.stride, layer.padding, strict=True
        )
        lost = [side - ((cells - 1) * step - 2 * pad + window) for side, cells, window, step, pad in sides]
        return F.conv_transpose2d(
            signal, layer.weight, None, layer.stride, layer.padding, tuple(lost), layer.groups
        )

    return down


def _spread(layer: nn.AvgPool2d, x: Tensor) -> Down:
    window, stride = int(layer.kernel_size), int(layer.stride)  # pyright: ignore

    def down(signal: Tensor) -> Tensor:
        result = torch.zeros_like(x)
        for row in range(signal.shape[2]):
            for column in range(signal.shape[3]):
                area = result[
                    :, :, row * stride : row * stride + window, column * stride : column * stride + window
                ]
                area += signal[:, :, row, column, None, None] / window**2
        return result

    return down


def _spread_over_all(layer: nn.AdaptiveAvgPool2d, x: Tensor) -> Down:
    assert layer.output_size in (1, (1, 1))
    return lambda signal: signal.expand_as(x) / x[0, 0].numel()


def _scaled(layer: nn.BatchNorm2d, x: Tensor) -> Down:
    assert layer.running_var is not None
    scale = layer.weight / (layer.running_var + layer.eps).sqrt()
    return lambda signal: signal * scale[:, None, None]


def _stuffed(layer: resnet_cifar.IdentityShortcut, x: Tensor) -> Down:
    def down(signal: Tensor) -> Tensor:
        result = torch.zeros_like(x)
        result[:, :, :: layer.stride, :: layer.stride] = signal[:, x.shape[1] // 2 :][:, : x.shape[1]]
        return result

    return down


def _sum_then_relu(
    block: nn.Module, x: Tensor, pick: Callable[[Tensor], Tensor] | None
) -> tuple[Tensor, Down]:
    branched, branch = up(block.get_submodule("branch"), x, pick)
    passed, shortcut = up(getattr(block, "shortcut", nn.Identity()), x, pick)

    def down(signal: Tensor) -> Tensor:
        return branch(signal.clamp(min=0)) + shortcut(signal.clamp(min=0))

    return (branched + passed).relu(), down


def _sum(block: nn.Module, x: Tensor, pick: Callable[[Tensor], Tensor] | None) -> tuple[Tensor, Down]:
    branched, branch = up(block.get_submodule("branch"), x, pick)
    return x + branched, lambda signal: signal + branch(signal)


def _concatenation(
    block: nn.Module, x: Tensor, pick: Callable[[Tensor], Tensor] | None
) -> tuple[Tensor, Down]:
    branches = [up(block.get_submodule(name), x, pick) for name in ("one", "three", "five", "pool")]
    widths = [maps.shape[1] for maps, _ in branches]

    def down(signal: Tensor) -> Tensor:
        parts = signal.split(widths, dim=1)
        return torch.stack([way(part) for (_, way), part in zip(branches, parts, strict=True)]).sum(dim=0)

    return torch.cat([maps for maps, _ in branches], dim=1), down


def _as_it_is(layer: nn.Module, x: Tensor) -> Down:
    return lambda signal: signal


LAYERS = {
    nn.Conv2d: _transposed,
    nn.Linear: lambda layer, x: lambda signal: signal @ layer.weight,
    nn.ReLU: lambda layer, x: lambda signal: signal.clamp(min=0),
    nn.AvgPool2d: _spread,
    nn.AdaptiveAvgPool2d: _spread_over_all,
    nn.BatchNorm2d: _scaled,
    nn.LocalResponseNorm: _as_it_is,
    nn.Dropout: _as_it_is,
    nn.Identity: _as_it_is,
    nn.Flatten: lambda layer, x: lambda signal: signal.view_as(x),
    resnet_cifar.IdentityShortcut: _stuffed,
}
BRANCHED = {
    resnet.Residual: _sum_then_relu,
    resnet.ResidualWithShortcut: _sum_then_relu,
    compact.Residual: _sum,
    googlenet2014.Inception: _concatenation,
}


@functools.cache
def one_layer_each() -> tuple[Network, Tensor]:
    """ZFNet in small: strides that leave pixels over, groups, overlapping pooling cut off at the border, LRN."""
    torch.manual_seed(4)
    norm = nn.BatchNorm2d(6)
    norm.weight.data, norm.bias.data = torch.randn(6), torch.randn(6)
    norm.running_mean, norm.running_var = torch.randn(6), torch.rand(6) + 0.5
    layers = [
        *(nn.Conv2d(3, 8, 5, stride=2, padding=1), nn.ReLU(inplace=True)),
        *(nn.MaxPool2d(3, stride=2, ceil_mode=True), nn.LocalResponseNorm(5, k=2.0, alpha=0.3)),
        *(nn.Conv2d(8, 12, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1)),
        *(nn.Conv2d(12, 6, 2), norm, nn.ReLU(), nn.AvgPool2d(2)),
    ]
    head = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(24, 10), nn.ReLU(), nn.Linear(10, 5))
    network = Network({f"s{number}": layer for number, layer in enumerate(layers)}, head)
    return network.eval(), F.avg_pool2d(torch.randn(3, 3, 44, 44), 3, stride=1) * 3


def sent_back(
    network: Network, inputs: Tensor, targets: Tensor, pick: Callable[[Tensor], Tensor] | None = None
) -> Tensor:
    with torch.no_grad():
        logits, down = up_to(network, inputs, None, pick)
        return down(F.one_hot(targets, logits.shape[1]).to(inputs))


def sent_back_from(network: Network, inputs: Tensor, stage: str, channel: int, which: str) -> Tensor:
    with torch.no_grad():
        maps, down = up_to(network, inputs, stage)
        signal = torch.zeros_like(maps)
        for image in range(len(inputs)):
            one = maps[image, channel].clamp(min=0)
            cell = divmod(int(one.argmax()), one.shape[1])
            signal[image, channel] = one if which == "all" else 0
            signal[image, channel][cell] = one[cell]
        return down(signal)
