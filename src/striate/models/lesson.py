"""The closing project of many courses: two pairs of 3×3 convolutions, then hidden layers of 512 and 128.

The pairs of small windows before a pooling are VGG's (Simonyan & Zisserman 2015), the dropout of one half in
the hidden layers is AlexNet's (Krizhevsky et al. 2012); 2,230,186 parameters at 3×32×32 and ten classes.
"""

import math

from torch import nn

from striate.models.geometry import feature_shape
from striate.models.initialise import initialise, small_output
from striate.models.layers import sequence
from striate.models.network import Network
from striate.shapes import same_padding

STAGES = {"stage1": 32, "stage2": 64}
HIDDEN = (512, 128)


def lesson(*, classes: int, channels: int, size: tuple[int, int], dropout: float) -> Network:
    """3×3 convolutions 32, 32, pool, 64, 64, pool, same padding, ReLU; then 512 and 128 with dropout.

    >>> network = lesson(classes=10, channels=3, size=(32, 32), dropout=0.5)
    >>> sum(parameter.numel() for parameter in network.parameters())
    2230186

    Images `batch channel height width` to logits `batch class`. Initial weights: He; the output near zero.
    Raises ModelError for images too small to be pooled twice.
    """
    stages: dict[str, nn.Module] = {}
    maps = channels
    for name, width in STAGES.items():
        stages[name] = _stage(maps, width)
        maps = width
    features = math.prod(feature_shape(stages, (channels, *size)))
    output = nn.Linear(HIDDEN[1], classes)
    network = Network(stages, _head(features, dropout, output))
    initialise(network, "he")
    small_output(output)
    return network


def _stage(maps: int, width: int) -> nn.Sequential:
    return sequence(
        conv1=nn.Conv2d(maps, width, 3, padding=same_padding(3)),
        relu1=nn.ReLU(),
        conv2=nn.Conv2d(width, width, 3, padding=same_padding(3)),
        relu2=nn.ReLU(),
        pool=nn.MaxPool2d(2),
    )


def _head(features: int, dropout: float, output: nn.Linear) -> nn.Sequential:
    return sequence(
        flatten=nn.Flatten(),
        hidden1=nn.Linear(features, HIDDEN[0]),
        relu1=nn.ReLU(),
        dropout1=nn.Dropout(dropout),
        hidden2=nn.Linear(HIDDEN[0], HIDDEN[1]),
        relu2=nn.ReLU(),
        dropout2=nn.Dropout(dropout),
        output=output,
    )
