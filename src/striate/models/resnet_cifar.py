"""The ResNets for CIFAR-10: He, Zhang, Ren & Sun 2016, Deep residual learning, section 4.2.

Three stages of 16, 32 and 64 maps; 6n + 2 layers with n blocks a stage. Every shortcut is an identity (option
A): where the map is halved, every second cell is taken, and maps of zeros make up the number.
"""

from typing import ClassVar

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from striate.models.geometry import feature_shape
from striate.models.heads import mean_head
from striate.models.initialise import initialise, small_output
from striate.models.layers import Layer, sequence
from striate.models.network import Network
from striate.models.resnet import Residual, ResidualWithShortcut, basic, small_stem

DEPARTURES = (
    "The maps of zeros stand half before and half behind those that came in; the paper does not say where.",
    "The output begins near zero; the paper's has the same initial weights as the other layers.",
)
BLOCKS = {"resnet20": 3, "resnet32": 5, "resnet44": 7, "resnet56": 9, "resnet110": 18}
STAGES = {"stage1": 16, "stage2": 32, "stage3": 64}


class IdentityShortcut(Layer):
    """Every second cell along both axes, and as many maps of zeros as came in. Option A of section 4.1."""

    kind = "identity shortcut"
    stride: ClassVar[int] = 2

    def forward(
        self, x: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch channel*2 rows columns"]:
        """No weights: what came in is passed on."""
        half = x.shape[1] // 2
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, half))


def resnet_cifar(name: str, *, classes: int, channels: int, size: tuple[int, int]) -> Network:
    """A 3×3 stem, three stages of n residual blocks, the mean over the last maps, one linear layer.

    >>> network = resnet_cifar("resnet20", classes=10, channels=3, size=(32, 32))
    >>> sum(parameter.numel() for parameter in network.parameters())
    269722

    `name` is a key of `BLOCKS`. Images `batch channel height width` of any size to logits `batch class`.
    Initial weights: He; the output near zero.
    """
    stages: dict[str, nn.Module] = {"stem": small_stem(channels, STAGES["stage1"])}
    maps = STAGES["stage1"]
    for stage, width in STAGES.items():
        stages[stage] = _stage(maps, width, BLOCKS[name])
        maps = width
    feature_shape(stages, (channels, *size))
    head = mean_head(maps, classes)
    network = Network(stages, head)
    initialise(network, "he")
    small_output(head.get_submodule("output"))
    return network


def _stage(maps: int, width: int, depth: int) -> nn.Sequential:
    first = (
        Residual(basic(maps, width, 1))
        if maps == width
        else ResidualWithShortcut(basic(maps, width, 2), IdentityShortcut())
    )
    rest = {f"block{number}": Residual(basic(width, width, 1)) for number in range(2, depth + 1)}
    return sequence(block1=first, **rest)
