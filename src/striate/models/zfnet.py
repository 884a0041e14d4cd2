"""ZFNet: Zeiler & Fergus 2014, Visualizing and understanding convolutional networks, figure 3.

AlexNet with a finer first layer, found by looking at what AlexNet's had learned; 62,357,608 parameters at
3×224×224 and a thousand classes.
"""

from torch import nn

from striate.models.alexnet2012 import response_normalisation
from striate.models.geometry import feature_shape
from striate.models.heads import hidden_head
from striate.models.initialise import initialise, small_output
from striate.models.layers import sequence
from striate.models.network import Network

DEPARTURES = (
    "The first convolution pads with one pixel and pooling counts a window that is cut off at the border: the"
    " paper gives the sizes 110, 55, 26, 13 and 6 without saying how they come about.",
    "Contrast normalisation across maps is AlexNet's local response normalisation; the paper has no formula.",
    "Filters are not renormalised when their root mean square exceeds 0.1.",
    "Maps larger than 6×6 are averaged down to 6×6 before the hidden layers, smaller ones are left as they are.",
    "Initial weights are He's, the output near zero; the paper's weights all begin at 0.01.",
)
# maps, window, stride, padding
CONVOLUTIONS = {
    "conv1": (96, 7, 2, 1),
    "conv2": (256, 5, 2, 0),
    "conv3": (384, 3, 1, 1),
    "conv4": (384, 3, 1, 1),
    "conv5": (256, 3, 1, 1),
}
NORMALISED = {"conv1": "pool1", "conv2": "pool2"}


def zfnet(*, classes: int, channels: int, size: tuple[int, int], dropout: float) -> Network:
    """Five convolutions, pooling after the first, second and last, two hidden layers of 4,096.

    >>> import torch
    >>> with torch.device("meta"):
    ...     network = zfnet(classes=1000, channels=3, size=(224, 224), dropout=0.5)
    >>> sum(parameter.numel() for parameter in network.parameters())
    62357608

    Images `batch channel height width` to logits `batch class`. Initial weights: He; the output near zero.
    Raises ModelError for images that leave a window no room.
    """
    stages: dict[str, nn.Module] = {}
    maps = channels
    for name, (width, window, stride, padding) in CONVOLUTIONS.items():
        stages[name] = sequence(conv=nn.Conv2d(maps, width, window, stride, padding), relu=nn.ReLU())
        if name in NORMALISED:
            stages[NORMALISED[name]] = sequence(pool=_pool(), norm=response_normalisation())
        maps = width
    stages["pool5"] = _pool()
    head = hidden_head(feature_shape(stages, (channels, *size)), 6, classes, dropout)
    network = Network(stages, head)
    initialise(network, "he")
    small_output(head.get_submodule("output"), deviation=0.002)
    return network


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)
