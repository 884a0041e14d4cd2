"""Compact, striate's own: a residual network small enough to train on a processor in a minute.

Three stages, each halving the map: convolution, max pooling, batch normalisation, ReLU, then a residual block
(He et al. 2016) whose sum follows the last ReLU. Pooling stands before normalisation, which then has a
quarter of the cells to work on; the order matters, since the maximum commutes with the normalisation only
where its scale is positive.
"""

import math

from jaxtyping import Float
from torch import Tensor, nn

from striate.models.geometry import feature_shape
from striate.models.initialise import initialise, small_output
from striate.models.layers import sequence
from striate.models.network import Network
from striate.shapes import same_padding

# whole multiples of 16: the processor's convolution kernels work on 16 maps at once
STEM = 16
STAGES = {"stage1": 16, "stage2": 32, "stage3": 96}
STEPS = ((64, 1, 3), (128, 2, 5), (math.inf, 4, 7))
"""Of the stem: up to which shorter side of the images, its stride, its window. Larger images cost little more."""


class Residual(nn.Module):
    """Two 3×3 convolutions, each normalised and rectified, added to what came in."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.branch = sequence(
            conv1=_convolution(maps, maps),
            norm1=nn.BatchNorm2d(maps),
            relu1=nn.ReLU(),
            conv2=_convolution(maps, maps),
            norm2=nn.BatchNorm2d(maps),
            relu2=nn.ReLU(),
        )

    def forward(
        self, x: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch channel height width"]:
        """Maps of the same shape; what the branch adds is never negative."""
        return x + self.branch(x)


def compact(
    *, classes: int, channels: int, size: tuple[int, int], dropout: float, width: float = 1.0
) -> Network:
    """A stem, three residual stages, the mean over the last maps, one linear layer.

    >>> network = compact(classes=10, channels=1, size=(28, 28), dropout=0.0)
    >>> network.stage_names
    ('stem', 'stage1', 'stage2', 'stage3')

    Images `batch channel height width` of any size from 8×8 up to logits `batch class`; above 64 pixels the stem steps
    by 2, above 128 by 4. Initial weights: kernels that copy a map, then He's; the output near zero. `width`
    multiplies the maps of every stage, to the nearest multiple of 16 above 0, and leaves the stem as it is. Raises
    ModelError for images too small to be halved three times.
    """
    stages: dict[str, nn.Module] = {"stem": _stem(channels, min(size))}
    maps = STEM
    for name, own in STAGES.items():
        wide = max(1, round(own * width / STEM)) * STEM
        stages[name] = _stage(maps, wide)
        maps = wide
    feature_shape(stages, (channels, *size))
    output = nn.Linear(maps, classes)
    head = sequence(
        pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), dropout=nn.Dropout(dropout), output=output
    )
    network = Network(stages, head)
    initialise(network, "identity")
    small_output(output, deviation=0.005)
    return network


def _stem(channels: int, side: int) -> nn.Sequential:
    stride, window = next(step for largest, *step in STEPS if side <= largest)
    conv = nn.Conv2d(channels, STEM, window, stride=stride, padding=same_padding(window), bias=False)
    return sequence(conv=conv, norm=nn.BatchNorm2d(STEM), relu=nn.ReLU())


def _stage(maps: int, width: int) -> nn.Sequential:
    return sequence(
        conv=_convolution(maps, width),
        pool=nn.MaxPool2d(2),
        norm=nn.BatchNorm2d(width),
        relu=nn.ReLU(),
        block=Residual(width),
    )


def _convolution(maps: int, width: int) -> nn.Conv2d:
    # a bias would be subtracted again by the normalisation that follows
    return nn.Conv2d(maps, width, 3, padding=same_padding(3), bias=False)
