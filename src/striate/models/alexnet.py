"""AlexNet in one column: Krizhevsky 2014, One weird trick for parallelizing convolutional neural networks.

The form whose weights are published: 61,100,840 parameters at 3×224×224 and a thousand classes. The network of
2012, in two groups, is `alexnet2012`.
"""

from torch import nn

from striate.models.geometry import feature_shape
from striate.models.heads import HIDDEN, grid_features, grid_pool
from striate.models.initialise import initialise, small_output
from striate.models.layers import sequence
from striate.models.network import Network

DEPARTURES = (
    "The fourth convolution has 256 maps, as in the published weights; the paper's text has 384.",
    "224×224 images are padded with two pixels of zeros, which gives the 55×55 maps that the size promises.",
    "Maps larger than 6×6 are averaged down to 6×6 before the hidden layers, smaller ones are left as they are.",
    "Initial weights are He's, the output near zero; the paper's are normal with deviation 0.01.",
)
# maps, window, stride, padding
CONVOLUTIONS = {
    "conv1": (64, 11, 4, 2),
    "conv2": (192, 5, 1, 2),
    "conv3": (384, 3, 1, 1),
    "conv4": (256, 3, 1, 1),
    "conv5": (256, 3, 1, 1),
}
POOLED = {"conv1": "pool1", "conv2": "pool2", "conv5": "pool5"}


def alexnet(*, classes: int, channels: int, size: tuple[int, int], dropout: float) -> Network:
    """Five convolutions, overlapping pooling after the first, second and last, two hidden layers of 4,096.

    >>> import torch
    >>> with torch.device("meta"):
    ...     network = alexnet(classes=1000, channels=3, size=(224, 224), dropout=0.5)
    >>> sum(parameter.numel() for parameter in network.parameters())
    61100840

    Images `batch channel height width` to logits `batch class`. Initial weights: He; the output near zero.
    Raises ModelError below 63×63.
    """
    stages: dict[str, nn.Module] = {}
    maps = channels
    for name, (width, window, stride, padding) in CONVOLUTIONS.items():
        stages[name] = sequence(conv=nn.Conv2d(maps, width, window, stride, padding), relu=nn.ReLU())
        if name in POOLED:
            stages[POOLED[name]] = nn.MaxPool2d(3, stride=2)
        maps = width
    head = _head(feature_shape(stages, (channels, *size)), classes, dropout)
    network = Network(stages, head)
    initialise(network, "he")
    small_output(head.get_submodule("output"), deviation=0.002)
    return network


def _head(maps: tuple[int, ...], classes: int, dropout: float) -> nn.Sequential:
    return sequence(
        pool=grid_pool(maps, 6),
        flatten=nn.Flatten(),
        dropout5=nn.Dropout(dropout),
        fc6=nn.Linear(grid_features(maps, 6), HIDDEN),
        relu6=nn.ReLU(),
        dropout6=nn.Dropout(dropout),
        fc7=nn.Linear(HIDDEN, HIDDEN),
        relu7=nn.ReLU(),
        output=nn.Linear(HIDDEN, classes),
    )
