"""LeNet-5 as it is taught: the sizes of LeCun et al. 1998, the parts of today. 61,706 parameters.

The network as published, with its connection table and its radial basis output, is `lenet5_1998`.
"""

import math

from torch import nn

from striate.models.geometry import feature_shape
from striate.models.initialise import initialise, small_output
from striate.models.layers import sequence
from striate.models.network import Network

DEPARTURES = (
    "C3 reads every map of S2; the paper's table I leaves 36 of the 96 connections out.",
    "S2 and S4 average 2×2 cells; the paper's have a trained coefficient, a trained bias and a sigmoid.",
    "The activation is tanh; the paper's is 1.7159 tanh(2a/3).",
    "The output is fully connected, for cross-entropy; the paper's measures distances to fixed codes.",
    "28×28 images are padded with zeros to 32×32; the paper's were set in a larger field of background.",
    "Initial weights are Xavier's, the output near zero; the paper's are uniform within ±2.4 / fan-in.",
)


def lenet5(*, classes: int, channels: int, size: tuple[int, int]) -> Network:
    """Three 5×5 convolutions with average pooling between them, then 84 hidden units.

    >>> network = lenet5(classes=10, channels=1, size=(28, 28))
    >>> sum(parameter.numel() for parameter in network.parameters())
    61706

    Images `batch channel height width` to logits `batch class`. Stages carry the paper's names (figure 2). C5
    is a convolution, as the paper insists: larger images leave it more than one cell. Raises ModelError below
    28×28.
    """
    stages: dict[str, nn.Module] = {
        "c1": _convolution(channels, 6, padding=2),
        "s2": nn.AvgPool2d(2),
        "c3": _convolution(6, 16),
        "s4": nn.AvgPool2d(2),
        "c5": _convolution(16, 120),
    }
    features = math.prod(feature_shape(stages, (channels, *size)))
    output = nn.Linear(84, classes)
    head = sequence(flatten=nn.Flatten(), f6=nn.Linear(features, 84), tanh=nn.Tanh(), output=output)
    network = Network(stages, head)
    initialise(network, "xavier")
    small_output(output)
    return network


def _convolution(maps: int, width: int, padding: int = 0) -> nn.Sequential:
    return sequence(conv=nn.Conv2d(maps, width, 5, padding=padding), tanh=nn.Tanh())
