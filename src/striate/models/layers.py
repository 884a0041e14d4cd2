"""Layers in order under their names, and what a layer of striate's own says about itself."""

from collections import OrderedDict
from typing import ClassVar

from torch import nn


def sequence(**layers: nn.Module) -> nn.Sequential:
    """Layers that follow each other, each under its name.

    >>> [name for name, _ in sequence(conv=nn.Conv2d(1, 6, 5), tanh=nn.Tanh()).named_children()]
    ['conv', 'tanh']
    """
    return nn.Sequential(OrderedDict(layers))


class Layer(nn.Module):
    """A layer that torch does not have: its kind in the field's words, its window, its cost.

    Summaries and initial weights ask the layer, and so need no list of such layers. It has no layers inside.
    `fans`, where it is not None, are the connections into and out of one unit, for initial weights by name.
    """

    kind: ClassVar[str]
    window: ClassVar[int] = 1
    stride: ClassVar[int] = 1
    fans: ClassVar[tuple[float, float] | None] = None

    def multiply_adds(self, output_shape: tuple[int, ...]) -> int:
        """Products summed for one image, whose `output_shape` is given; none unless a layer says more."""
        del output_shape
        return 0
