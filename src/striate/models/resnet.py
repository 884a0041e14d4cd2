"""ResNet: He, Zhang, Ren & Sun 2016, Deep residual learning for image recognition, table 1.

Layers learn what to add to what came in. Where the shape changes, a 1×1 convolution projects what came in
(option B of section 4.1); everywhere else it is passed on as it is.
"""

from collections.abc import Callable
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from striate.models.geometry import feature_shape
from striate.models.heads import mean_head
from striate.models.initialise import initialise, small_output
from striate.models.layers import sequence
from striate.models.network import Network
from striate.shapes import same_padding

DEPARTURES = ("The output begins near zero; the paper's has the same initial weights as the other layers.",)
DISAGREEMENTS = ('What courses call "Xavier/2" is He\'s initialisation: variance 2 / fan-in.',)
BOTTLENECK_DEPARTURES = (
    "Blocks that halve the map do so in their 3×3 convolution, as the published weights do; the paper does so in"
    " the first 1×1.",
    *DEPARTURES,
)
BOTTLENECK_DISAGREEMENTS = (
    "Table 1 gives ResNet-50 3.8 × 10⁹ multiply-adds: 3.86 with the stride in the 1×1 convolution, 4.09 in the 3×3,"
    " as here.",
    "Courses give a block of ResNet-50 two 3×3 convolutions; it has one, between two of 1×1.",
    *DISAGREEMENTS,
)
SMALL_DEPARTURE = (
    "The stem is a 3×3 convolution with stride 1 and no pooling, for small images; the paper's halves the image"
    " twice."
)


class Residual(nn.Module):
    """A branch added to what came in, then the rectifier. Equation 1."""

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch
        self.relu = nn.ReLU()

    def forward(
        self, x: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch channel height width"]:
        """Maps of the same shape."""
        return self.relu(self.branch(x) + x)


class ResidualWithShortcut(nn.Module):
    """A branch that changes the shape, added to what came in by a shortcut that does so too. Equation 2."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut
        self.relu = nn.ReLU()

    def forward(
        self, x: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch maps rows columns"]:
        """Maps of the branch's shape."""
        return self.relu(self.branch(x) + self.shortcut(x))


def basic(maps: int, width: int, stride: int) -> nn.Sequential:
    """Two 3×3 convolutions; figure 5, left."""
    return sequence(
        conv1=convolution(maps, width, 3, stride),
        norm1=nn.BatchNorm2d(width),
        relu1=nn.ReLU(),
        conv2=convolution(width, width, 3),
        norm2=nn.BatchNorm2d(width),
    )


def bottleneck(maps: int, width: int, stride: int) -> nn.Sequential:
    """A 3×3 convolution between a 1×1 that narrows to a quarter and one that widens again; figure 5, right."""
    return sequence(
        conv1=convolution(maps, width // 4, 1),
        norm1=nn.BatchNorm2d(width // 4),
        relu1=nn.ReLU(),
        conv2=convolution(width // 4, width // 4, 3, stride),
        norm2=nn.BatchNorm2d(width // 4),
        relu2=nn.ReLU(),
        conv3=convolution(width // 4, width, 1),
        norm3=nn.BatchNorm2d(width),
    )


class Variant(NamedTuple):
    """A column of table 1: the kind of block, the blocks of each stage, the maps that leave each stage."""

    branch: Callable[[int, int, int], nn.Sequential]
    blocks: tuple[int, int, int, int]
    widths: tuple[int, int, int, int]


VARIANTS = {
    "resnet18": Variant(basic, (2, 2, 2, 2), (64, 128, 256, 512)),
    "resnet34": Variant(basic, (3, 4, 6, 3), (64, 128, 256, 512)),
    "resnet50": Variant(bottleneck, (3, 4, 6, 3), (256, 512, 1024, 2048)),
    "resnet101": Variant(bottleneck, (3, 4, 23, 3), (256, 512, 1024, 2048)),
    "resnet152": Variant(bottleneck, (3, 8, 36, 3), (256, 512, 1024, 2048)),
}


def resnet(name: str, *, classes: int, channels: int, size: tuple[int, int]) -> Network:
    """A stem that halves the image twice, four stages of residual blocks, the mean over the last maps.

    >>> import torch
    >>> with torch.device("meta"):
    ...     network = resnet("resnet50", classes=1000, channels=3, size=(224, 224))
    >>> sum(parameter.numel() for parameter in network.parameters())
    25557032

    `name` is a column of `VARIANTS`, with `_small` for the stem that keeps small images as they are. Images
    `batch channel height width` of any size to logits `batch class`. Initial weights: He; the output near zero.
    """
    column, _, small = name.partition("_")
    branch, depths, widths = VARIANTS[column]
    stages: dict[str, nn.Module] = {"stem": small_stem(channels, 64) if small else _stem(channels)}
    maps = 64
    for number, (depth, width) in enumerate(zip(depths, widths, strict=True), start=1):
        stages[f"stage{number}"] = _stage(branch, maps, width, depth, stride=1 if number == 1 else 2)
        maps = width
    feature_shape(stages, (channels, *size))
    head = mean_head(maps, classes)
    network = Network(stages, head)
    initialise(network, "he")
    small_output(head.get_submodule("output"), deviation=0.005)
    return network


def convolution(maps: int, width: int, window: int, stride: int = 1) -> nn.Conv2d:
    """A convolution with the padding that keeps the size; normalisation follows, so it has no bias."""
    return nn.Conv2d(maps, width, window, stride, same_padding(window), bias=False)


def small_stem(channels: int, width: int) -> nn.Sequential:
    """One 3×3 convolution that leaves the image its size; section 4.2, and common practice for 32×32 images."""
    return sequence(conv=convolution(channels, width, 3), norm=nn.BatchNorm2d(width), relu=nn.ReLU())


def _stem(channels: int) -> nn.Sequential:
    return sequence(
        conv=convolution(channels, 64, 7, stride=2),
        norm=nn.BatchNorm2d(64),
        relu=nn.ReLU(),
        pool=nn.MaxPool2d(3, stride=2, padding=1),
    )


def _stage(
    branch: Callable[[int, int, int], nn.Sequential], maps: int, width: int, depth: int, stride: int
) -> nn.Sequential:
    blocks: dict[str, nn.Module] = {}
    for number in range(1, depth + 1):
        if number == 1 and (stride, maps) != (1, width):
            blocks["block1"] = ResidualWithShortcut(
                branch(maps, width, stride), _projection(maps, width, stride)
            )
        else:
            blocks[f"block{number}"] = Residual(branch(width, width, 1))
    return sequence(**blocks)


def _projection(maps: int, width: int, stride: int) -> nn.Sequential:
    return sequence(conv=convolution(maps, width, 1, stride), norm=nn.BatchNorm2d(width))
