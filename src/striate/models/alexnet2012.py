"""AlexNet as published: Krizhevsky, Sutskever & Hinton 2012, ImageNet classification with deep convolutional
neural networks. Two groups that once were two GPUs, response normalisation, overlapping pooling; 60,965,224
parameters at 3×224×224 and a thousand classes.
"""

from torch import nn

from striate.models.geometry import feature_shape
from striate.models.heads import hidden_head
from striate.models.initialise import initialise, small_output
from striate.models.layers import sequence
from striate.models.network import Network

DEPARTURES = (
    "224×224 images are padded with two pixels of zeros: the paper's figures give 54×54 maps without, and its"
    " 55×55 needs an image of 227×227.",
    "Maps larger than 6×6 are averaged down to 6×6 before the hidden layers, smaller ones are left as they are.",
    "Initial weights are He's, the output near zero; the paper's are normal with deviation 0.01, and the biases"
    " of conv2, conv4, conv5 and the hidden layers begin at one.",
)
DISAGREEMENTS = (
    "The paper says 60 million parameters; its figure 2 has 60,965,224.",
    "The paper's figure 2 has 253,440 neurons in the first convolution; 55 × 55 × 96 is 290,400.",
)
# maps, window, stride, padding, groups
CONVOLUTIONS = {
    "conv1": (96, 11, 4, 2, 1),
    "conv2": (256, 5, 1, 2, 2),
    "conv3": (384, 3, 1, 1, 1),
    "conv4": (384, 3, 1, 1, 2),
    "conv5": (256, 3, 1, 1, 2),
}
NORMALISED = ("conv1", "conv2")
POOLED = {"conv1": "pool1", "conv2": "pool2", "conv5": "pool5"}


def alexnet2012(*, classes: int, channels: int, size: tuple[int, int], dropout: float) -> Network:
    """Five convolutions, three of them in two groups that see only their own half of the maps.

    >>> import torch
    >>> with torch.device("meta"):
    ...     network = alexnet2012(classes=1000, channels=3, size=(224, 224), dropout=0.5)
    >>> sum(parameter.numel() for parameter in network.parameters())
    60965224

    Images `batch channel height width` to logits `batch class`. Initial weights: He; the output near zero.
    Raises ModelError below 63×63.
    """
    stages: dict[str, nn.Module] = {}
    maps = channels
    for name, (width, window, stride, padding, groups) in CONVOLUTIONS.items():
        layers: dict[str, nn.Module] = {
            "conv": nn.Conv2d(maps, width, window, stride, padding, groups=groups),
            "relu": nn.ReLU(),
        }
        if name in NORMALISED:
            layers["norm"] = response_normalisation()
        stages[name] = sequence(**layers)
        if name in POOLED:
            stages[POOLED[name]] = nn.MaxPool2d(3, stride=2)
        maps = width
    head = hidden_head(feature_shape(stages, (channels, *size)), 6, classes, dropout)
    network = Network(stages, head)
    initialise(network, "he")
    small_output(head.get_submodule("output"), deviation=0.002)
    return network


def response_normalisation() -> nn.LocalResponseNorm:
    """Each cell divided by (2 + 10⁻⁴ Σ a²)^0.75, the sum over five neighbouring maps. Section 3.3.

    torch divides alpha by the number of maps, the paper does not: 5 × 10⁻⁴ here is the paper's 10⁻⁴.
    """
    return nn.LocalResponseNorm(size=5, alpha=5e-4, beta=0.75, k=2.0)
