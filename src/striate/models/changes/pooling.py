"""Pooling windows that overlap, or do not: Krizhevsky et al. 2012, section 3.4."""

from typing import Any

import torch
from torch import nn

from striate.errors import ModelError
from striate.models.changes.flow import Step, flow_of
from striate.models.network import Network

POOLINGS = (nn.MaxPool2d, nn.AvgPool2d)
STRIDE = 2
# (padding, whether a window that is cut off counts): 2 in steps of 2 on the left leave maps of the size that 3 in
# steps of 2 on the right leave, ⌊n/2⌋, ⌈n/2⌉ and ⌊n/2⌋ + 1
WIDER = {(0, False): (0, True), (0, True): (1, False), (1, False): (1, True), (1, True): (1, True)}
# and back; the last, ⌊(n−1)/2⌋, is no size of a narrower window unless n is odd
NARROWER = {(0, True): (0, False), (1, False): (0, True), (1, True): (1, False), (0, False): (0, False)}


def overlap(network: Network, input_shape: tuple[int, int, int], *, wanted: bool) -> None:
    """Pool by windows of 3 in steps of 2, or of 2 in steps of 2, and leave maps of the same size as before.

    >>> network = Network({"conv": nn.Conv2d(1, 4, 3), "pool": nn.MaxPool2d(2)}, nn.Flatten())
    >>> overlap(network, (1, 28, 28), wanted=True)
    >>> network.stages["pool"]
    MaxPool2d(kernel_size=3, stride=2, padding=0, dilation=1, ceil_mode=True)

    A wider window may be cut off at the border; an average is then one of the cells that are there. Pooling of
    other windows and steps, global pooling and LeNet-5's trained subsampling are left alone. Raises ModelError
    where no pooling can be made to overlap, and where narrower windows leave one cell more.
    """
    steps = [step for step in flow_of(network, input_shape) if type(step.layer) in POOLINGS]
    table, old, new = (WIDER, 2, 3) if wanted else (NARROWER, 3, 2)
    if wanted and not any(_is(step.layer, 2) or _is(step.layer, 3) for step in steps):
        raise ModelError(
            "it has no max or average pooling by windows of 2 in steps of 2 to make overlapping; leave overlapping out."
        )
    for step in steps:
        if _is(step.layer, old):
            layer = _like(step.layer, new, *table[_single(step.layer.padding), bool(step.layer.ceil_mode)])
            _check_size(step, layer, old, new)
            network.set_submodule(step.path, layer)


def _is(layer: nn.Module, window: int) -> bool:
    """Whether a pooling has this window along both axes, and goes on in steps of 2."""
    dilation = getattr(layer, "dilation", 1)
    sides = (layer.kernel_size, layer.stride, dilation, layer.padding)
    return tuple(map(_single, sides)) in ((window, STRIDE, 1, 0), (window, STRIDE, 1, 1))


def _single(value: Any) -> int:
    """What holds along both axes; −1 where they differ."""
    height, width = (value, value) if isinstance(value, int) else value
    return height if height == width else -1


def _like(layer: nn.Module, window: int, padding: int, ceil_mode: bool) -> nn.Module:
    if isinstance(layer, nn.MaxPool2d):
        return nn.MaxPool2d(window, STRIDE, padding, ceil_mode=ceil_mode)
    return nn.AvgPool2d(window, STRIDE, padding, ceil_mode=ceil_mode, count_include_pad=False)


def _check_size(step: Step, layer: nn.Module, old: int, new: int) -> None:
    before, cells, after = (_sides(maps) for maps in (step.entering, step.leaving, layer(step.entering)))
    if cells != after:
        raise ModelError(
            f"{step.path.removeprefix('stages.')} makes {cells} cells of {before} by windows of {old}, and windows of"
            f" {new} would make {after}; take images of another size, or leave overlapping out."
        )


def _sides(maps: torch.Tensor) -> str:
    return " × ".join(map(str, maps.shape[2:]))
