"""GoogLeNet with batch normalisation, the form whose weights are published.

Szegedy et al. 2015, Going deeper with convolutions, with the normalisation of Ioffe & Szegedy 2015; 6,624,904
parameters at 3×224×224 and a thousand classes, 13,004,888 with the auxiliary classifiers. The network of the
first paper's table 1 is `googlenet2014`.
"""

import math

from torch import nn

from striate.models.geometry import stage_shapes
from striate.models.googlenet2014 import (
    AUXILIARY,
    MODULES,
    POOLED,
    Inception,
    auxiliary_dropout,
    googlenet_head,
    start,
)
from striate.models.layers import sequence
from striate.models.network import Network
from striate.shapes import same_padding

DEPARTURES = (
    "Where the paper has a 5×5 convolution this network has a 3×3, a slip in the published weights that was kept.",
    "Every convolution is followed by batch normalisation, in place of a bias and of local response normalisation.",
    "The last pooling between modules has a window of 2×2; the paper's has 3×3.",
    "The auxiliary classifiers average to 4×4 cells by windows of four; the paper's windows have five, every three.",
    "Dropout before the output is 0.2; the paper's is 0.4.",
    "Initial weights are He's, the outputs near zero; the paper does not give its own.",
)
POOLS = {"pool1": 3, "pool2": 3, "pool3": 3, "pool4": 2}


def googlenet(*, classes: int, channels: int, size: tuple[int, int], dropout: float) -> Network:
    """Two convolutions, nine Inception modules, the mean over the last maps, one linear layer.

    >>> import torch
    >>> with torch.device("meta"):
    ...     network = googlenet(classes=1000, channels=3, size=(224, 224), dropout=0.2)
    >>> sum(parameter.numel() for parameter in network.parameters())
    13004888

    Images `batch channel height width` to logits `batch class`. Initial weights: He; the outputs near zero.
    Raises ModelError for images that leave a window no room.
    """
    stages: dict[str, nn.Module] = {
        "conv1": _normalised(channels, 64, 7, stride=2),
        "pool1": _pool("pool1"),
        "conv2": sequence(reduce=_normalised(64, 64, 1), conv=_normalised(64, 192, 3)),
        "pool2": _pool("pool2"),
    }
    maps = 192
    for name, widths in MODULES.items():
        stages[name] = Inception(maps, widths, _normalised, five=3)
        maps = widths.maps
        if name in POOLED:
            stages[POOLED[name]] = _pool(POOLED[name])
    shapes = stage_shapes(stages, (channels, *size))
    auxiliaries = {name: _auxiliary(shapes[name], classes, dropout) for name in AUXILIARY}
    network = Network(stages, googlenet_head(maps, classes, dropout), auxiliaries)
    start(network)
    return network


def _normalised(maps: int, width: int, window: int, stride: int = 1) -> nn.Sequential:
    return sequence(
        conv=nn.Conv2d(maps, width, window, stride, same_padding(window), bias=False),
        norm=nn.BatchNorm2d(width, eps=0.001),
        relu=nn.ReLU(),
    )


def _pool(name: str) -> nn.MaxPool2d:
    return nn.MaxPool2d(POOLS[name], stride=2, ceil_mode=True)


def _auxiliary(shape: tuple[int, ...], classes: int, dropout: float) -> nn.Sequential:
    maps, height, width = shape
    grid = (min(4, height), min(4, width))
    return sequence(
        pool=nn.AdaptiveAvgPool2d(grid),
        conv=_normalised(maps, 128, 1),
        flatten=nn.Flatten(),
        hidden=nn.Linear(128 * math.prod(grid), 1024),
        relu=nn.ReLU(),
        dropout=nn.Dropout(auxiliary_dropout(dropout)),
        output=nn.Linear(1024, classes),
    )
