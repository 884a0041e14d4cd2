"""The heads of the papers, and the two that take their place when a network is adapted to other classes."""

import math

from torch import nn

from striate.models.initialise import initialise, small_output
from striate.models.layers import sequence

HIDDEN = 4096
ADAPTED = 256
"""Hidden units of the head that is called mlp."""


def grid_pool(maps: tuple[int, ...], side: int) -> nn.AdaptiveAvgPool2d:
    """Averages larger maps down to the paper's `side` × `side` cells, and leaves smaller ones as they are.

    >>> grid_pool((512, 14, 14), 7).output_size, grid_pool((512, 1, 2), 7).output_size
    ((7, 7), (1, 2))

    So the weights of the paper's size fit every larger image, and smaller images get a smaller hidden layer
    instead of repeated cells.
    """
    return nn.AdaptiveAvgPool2d((min(maps[1], side), min(maps[2], side)))


def grid_features(maps: tuple[int, ...], side: int) -> int:
    """Numbers an image that `grid_pool` leaves.

    >>> grid_features((512, 14, 14), 7)
    25088
    """
    return maps[0] * math.prod(min(cells, side) for cells in maps[1:])


def hidden_head(maps: tuple[int, ...], side: int, classes: int, dropout: float) -> nn.Sequential:
    """Two hidden layers of 4,096 ReLUs, each with dropout, then one output a class; AlexNet's, ZFNet's, VGG's.

    `maps` is the `channel height width` that arrives, `side` the paper's cells along one axis.
    """
    return sequence(
        pool=grid_pool(maps, side),
        flatten=nn.Flatten(),
        fc6=nn.Linear(grid_features(maps, side), HIDDEN),
        relu6=nn.ReLU(),
        dropout6=nn.Dropout(dropout),
        fc7=nn.Linear(HIDDEN, HIDDEN),
        relu7=nn.ReLU(),
        dropout7=nn.Dropout(dropout),
        output=nn.Linear(HIDDEN, classes),
    )


def mean_head(maps: int, classes: int) -> nn.Sequential:
    """The mean of each map, then one linear layer; ResNet's."""
    return sequence(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), output=nn.Linear(maps, classes))


def adapted_head(kind: str, features: tuple[int, ...], classes: int, dropout: float) -> nn.Sequential:
    """A fresh head over what the stages leave: the mean of each map, then one layer, or 256 ReLUs and one layer.

    >>> adapted_head("linear", (512, 7, 7), classes=3, dropout=0.5).output
    Linear(in_features=512, out_features=3, bias=True)

    `features` is `channel height width`, or one number for stages that flatten. Only "mlp" has dropout. Initial
    weights: He; the output near zero.
    """
    layers: dict[str, nn.Module] = {}
    width, *cells = features
    if cells:
        layers["pool"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    if kind == "mlp":
        layers |= {
            "hidden": nn.Linear(width, ADAPTED),
            "relu": nn.ReLU(),
            "dropout": nn.Dropout(dropout),
        }
        width = ADAPTED
    layers["output"] = nn.Linear(width, classes)
    head = sequence(**layers)
    initialise(head, "he")
    small_output(head.get_submodule("output"), deviation=0.005)  # ResNet's: 2,048 features may be large
    return head
