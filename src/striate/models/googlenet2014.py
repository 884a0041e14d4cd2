"""GoogLeNet as published: Szegedy et al. 2015, Going deeper with convolutions, table 1 and figure 3.

Nine Inception modules and no hidden layer: 6,998,552 parameters at 3×224×224 and a thousand classes, 13,378,280
with the two auxiliary classifiers that pull gradients in from the side while it trains.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from striate.models.alexnet2012 import response_normalisation
from striate.models.geometry import feature_shape, stage_shapes
from striate.models.initialise import initialise, small_output
from striate.models.layers import sequence
from striate.models.network import Network
from striate.shapes import same_padding

DEPARTURES = (
    "Pooling counts a window that is cut off at the border, which gives the sizes of table 1.",
    "Initial weights are He's, the output near zero; the paper does not give its own.",
)
FLATTENING = (
    "Before GoogLeNet the last maps were flattened: 7 × 7 × 1024 is 50,176 numbers at 224×224, where the global"
    " average leaves 1,024.",
)
DISAGREEMENTS = (
    "Table 1 gives conv1 2.7K parameters; its 7 × 7 × 3 × 64 weights are 9,408.",
    "Table 1 gives 4c 463K parameters; its weights are 509,440.",
    "Table 1 gives 5a 1072K parameters; its weights are 1,042,432.",
    *FLATTENING,
)


class Widths(NamedTuple):
    """A row of table 1: maps of the four branches, and of the 1×1 convolutions that reduce what enters them."""

    one: int
    reduce3: int
    three: int
    reduce5: int
    five: int
    project: int

    @property
    def maps(self) -> int:
        """Maps that leave the module.

        >>> Widths(64, 96, 128, 16, 32, 32).maps
        256
        """
        return self.one + self.three + self.five + self.project


MODULES = {
    "3a": Widths(64, 96, 128, 16, 32, 32),
    "3b": Widths(128, 128, 192, 32, 96, 64),
    "4a": Widths(192, 96, 208, 16, 48, 64),
    "4b": Widths(160, 112, 224, 24, 64, 64),
    "4c": Widths(128, 128, 256, 24, 64, 64),
    "4d": Widths(112, 144, 288, 32, 64, 64),
    "4e": Widths(256, 160, 320, 32, 128, 128),
    "5a": Widths(256, 160, 320, 32, 128, 128),
    "5b": Widths(384, 192, 384, 48, 128, 128),
}
POOLED = {"3b": "pool3", "4e": "pool4"}
AUXILIARY = ("4a", "4d")
Convolution = Callable[[int, int, int], nn.Module]


class Inception(nn.Module):
    """Four branches that look at the same maps through windows of different sizes, one above the other. Figure 2b."""

    def __init__(self, maps: int, widths: Widths, convolution: Convolution, *, five: int) -> None:
        super().__init__()
        self.one = convolution(maps, widths.one, 1)
        self.three = sequence(
            reduce=convolution(maps, widths.reduce3, 1), conv=convolution(widths.reduce3, widths.three, 3)
        )
        self.five = sequence(
            reduce=convolution(maps, widths.reduce5, 1), conv=convolution(widths.reduce5, widths.five, five)
        )
        self.pool = sequence(
            pool=nn.MaxPool2d(3, stride=1, padding=1, ceil_mode=True),
            project=convolution(maps, widths.project, 1),
        )

    def forward(
        self, x: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch maps height width"]:
        """The maps of all four branches, in the order of table 1."""
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], dim=1)


def googlenet2014(*, classes: int, channels: int, size: tuple[int, int], dropout: float) -> Network:
    """Two convolutions, nine Inception modules, the mean over the last maps, one linear layer.

    >>> with torch.device("meta"):
    ...     network = googlenet2014(classes=1000, channels=3, size=(224, 224), dropout=0.4)
    >>> sum(parameter.numel() for parameter in network.parameters())
    13378280

    Images `batch channel height width` to logits `batch class`. Initial weights: He; the outputs near zero.
    Raises ModelError for images that leave a window no room.
    """
    stages: dict[str, nn.Module] = {
        "conv1": rectified(channels, 64, 7, stride=2),
        "pool1": sequence(pool=_pool(), norm=response_normalisation()),
        "conv2": sequence(
            reduce=rectified(64, 64, 1), conv=rectified(64, 192, 3), norm=response_normalisation()
        ),
        "pool2": _pool(),
    }
    maps = 192
    for name, widths in MODULES.items():
        stages[name] = Inception(maps, widths, rectified, five=5)
        maps = widths.maps
        if name in POOLED:
            stages[POOLED[name]] = _pool()
    shapes = stage_shapes(stages, (channels, *size))
    auxiliaries = {name: _auxiliary(shapes[name], classes, dropout) for name in AUXILIARY}
    network = Network(stages, googlenet_head(maps, classes, dropout), auxiliaries)
    start(network)
    return network


def rectified(maps: int, width: int, window: int, stride: int = 1) -> nn.Sequential:
    """A convolution with the padding that keeps the size, and a rectifier; all convolutions of the paper."""
    return sequence(conv=nn.Conv2d(maps, width, window, stride, same_padding(window)), relu=nn.ReLU())


def googlenet_head(maps: int, classes: int, dropout: float) -> nn.Sequential:
    """The mean of each map, dropout, one linear layer."""
    return sequence(
        pool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        dropout=nn.Dropout(dropout),
        output=nn.Linear(maps, classes),
    )


def auxiliary_dropout(dropout: float) -> float:
    """0.7 in the auxiliary classifiers (section 5), or none where the network has none."""
    return 0.7 if dropout else 0.0


def start(network: Network) -> None:
    """First weights: He, the outputs near zero."""
    initialise(network, "he")
    for head in (network.head, *network.auxiliaries.values()):
        small_output(head.get_submodule("output"))


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)


def _auxiliary(shape: tuple[int, ...], classes: int, dropout: float) -> nn.Sequential:
    maps, height, width = shape
    layers: dict[str, nn.Module] = {
        # smaller maps than the paper's 14×14 may have no room for its window of five
        "pool": nn.AvgPool2d(min(5, height, width), stride=3),
        "conv": rectified(maps, 128, 1),
        "flatten": nn.Flatten(),
    }
    return sequence(
        **layers,
        hidden=nn.Linear(feature_shape(layers, (maps, height, width))[0], 1024),
        relu=nn.ReLU(),
        dropout=nn.Dropout(auxiliary_dropout(dropout)),
        output=nn.Linear(1024, classes),
    )
