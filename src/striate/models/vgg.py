"""VGG: Simonyan & Zisserman 2015, Very deep convolutional networks for large-scale image recognition, table 1.

Nothing but 3×3 convolutions: two in a row see 5×5, three see 7×7, with fewer weights and more rectifiers.
"""

from torch import nn

from striate.models.geometry import feature_shape
from striate.models.heads import hidden_head
from striate.models.initialise import initialise, small_output
from striate.models.layers import sequence
from striate.models.network import Network
from striate.shapes import same_padding

DEPARTURES = (
    "Maps larger than 7×7 are averaged down to 7×7 before the hidden layers, smaller ones are left as they are;"
    " the paper turns the hidden layers into convolutions for larger images.",
    "Initial weights are He's, the output near zero; the paper trained net A from normal weights with deviation"
    " 0.1 and began the deeper nets with its layers.",
)
NORMALISED_DEPARTURES = (
    *DEPARTURES,
    "Every convolution is followed by batch normalisation, which the paper, a year older, does not have.",
)
# the columns of table 1 (A, B, D, E): convolutions a stage, pooling after each
CONVOLUTIONS = {
    "vgg11": (1, 1, 2, 2, 2),
    "vgg13": (2, 2, 2, 2, 2),
    "vgg16": (2, 2, 3, 3, 3),
    "vgg19": (2, 2, 4, 4, 4),
}
WIDTHS = (64, 128, 256, 512, 512)


def vgg(name: str, *, classes: int, channels: int, size: tuple[int, int], dropout: float) -> Network:
    """Five stages of 3×3 convolutions, each pooled, two hidden layers of 4,096.

    >>> import torch
    >>> with torch.device("meta"):
    ...     network = vgg("vgg16", classes=1000, channels=3, size=(224, 224), dropout=0.5)
    >>> sum(parameter.numel() for parameter in network.parameters())
    138357544

    `name` is a column of `CONVOLUTIONS`, with `_bn` for batch normalisation. Images `batch channel height
    width` to logits `batch class`. Initial weights: He; the output near zero. Raises ModelError below 32×32.
    """
    column, _, normalised = name.partition("_")
    stages: dict[str, nn.Module] = {}
    maps = channels
    for number, (depth, width) in enumerate(zip(CONVOLUTIONS[column], WIDTHS, strict=True), start=1):
        stages[f"stage{number}"] = _stage(maps, width, depth, bool(normalised))
        stages[f"pool{number}"] = nn.MaxPool2d(2)
        maps = width
    head = hidden_head(feature_shape(stages, (channels, *size)), 7, classes, dropout)
    network = Network(stages, head)
    initialise(network, "he")
    small_output(head.get_submodule("output"), deviation=0.002)
    return network


def _stage(maps: int, width: int, depth: int, normalised: bool) -> nn.Sequential:
    layers: dict[str, nn.Module] = {}
    for number in range(1, depth + 1):
        layers[f"conv{number}"] = nn.Conv2d(maps, width, 3, padding=same_padding(3))
        if normalised:
            layers[f"norm{number}"] = nn.BatchNorm2d(width)
        layers[f"relu{number}"] = nn.ReLU()
        maps = width
    return sequence(**layers)
