"""LeNet-5 as published: LeCun, Bottou, Bengio & Haffner 1998, section II.B and appendix A. 60,000 weights."""

import math
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from striate.models.digit_codes import CODE, output_codes
from striate.models.geometry import feature_shape
from striate.models.layers import Layer, sequence
from striate.models.network import Network

DEPARTURES = (
    "The paper sets digits in a field of 32×32 background pixels; here 28×28 images are continued outwards by"
    " two pixels that repeat the border, background in MNIST.",
    "The paper scales white to −0.1 and black to 1.175; here the preparation scales pixels, to mean 0.",
    "The logits are minus the squared distances; cross-entropy of them is the paper's criterion (equation 9)"
    " without its constant e^−j, which keeps distances that are already large from growing.",
    "The paper trains with the stochastic diagonal Levenberg–Marquardt method; here the recipe decides.",
    "The pictures of the digits were transcribed from figure 3 by eye, not taken from the authors' files.",
    "Class counts other than ten have fixed random ±1 codes instead of pictures of characters.",
    "Biases begin at zero; the paper draws them with the weights.",
)

# table I: the maps of S2 that each map of C3 reads
C3_INPUTS = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip


def lenet5_1998(*, classes: int, channels: int, size: tuple[int, int]) -> Network:
    """Trainable subsampling, a partly connected C3, and outputs that measure distances to fixed codes.

    >>> network = lenet5_1998(classes=10, channels=1, size=(28, 28))
    >>> sum(parameter.numel() for parameter in network.parameters())
    60000

    Images `batch channel height width` to logits `batch class`, minus a squared distance each, so never
    positive. Initial weights: uniform within ±2.4 / fan-in (appendix A). Raises ModelError below 28×28.
    """
    stages: dict[str, nn.Module] = {
        "c1": sequence(padding=nn.ReplicationPad2d(2), conv=nn.Conv2d(channels, 6, 5), squash=ScaledTanh()),
        "s2": sequence(subsampling=Subsampling(6), squash=ScaledTanh()),
        "c3": sequence(conv=TableConvolution(), squash=ScaledTanh()),
        "s4": sequence(subsampling=Subsampling(16), squash=ScaledTanh()),
        "c5": sequence(conv=nn.Conv2d(16, 120, 5), squash=ScaledTanh()),
    }
    features = math.prod(feature_shape(stages, (channels, *size)))
    head = sequence(
        flatten=nn.Flatten(), f6=nn.Linear(features, CODE), squash=ScaledTanh(), output=RadialBasis(classes)
    )
    network = Network(stages, head)
    _initialise(network)
    return network


class ScaledTanh(Layer):
    """1.7159 tanh(2a/3): takes ±1 to ±1, where its curvature is greatest. Appendix A."""

    kind = "scaled tanh"

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        return 1.7159 * torch.tanh(x * (2 / 3))


class Subsampling(Layer):
    """The sum of each 2×2 cells, times one trained coefficient a map, plus one trained bias a map."""

    kind = "trainable subsampling"
    window: ClassVar[int] = 2
    stride: ClassVar[int] = 2

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.coefficient = nn.Parameter(torch.ones(maps))
        self.bias = nn.Parameter(torch.zeros(maps))

    def forward(
        self, x: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch channel rows columns"]:
        sums = F.avg_pool2d(x, self.window) * self.window**2
        return sums * self.coefficient[:, None, None] + self.bias[:, None, None]


class TableConvolution(Layer):
    """The 5×5 convolution C3, with a kernel for each of the 60 connections of table I and no other."""

    kind = "convolution by table"
    window: ClassVar[int] = 5
    connections: ClassVar[int] = sum(map(len, C3_INPUTS))
    fans: ClassVar[tuple[float, float] | None] = (25 * connections / 16, 25 * connections / 6)

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(self.connections, self.window, self.window))
        self.bias = nn.Parameter(torch.zeros(len(C3_INPUTS)))
        places = [6 * unit + source for unit, sources in enumerate(C3_INPUTS) for source in sources]
        self.register_buffer("places", torch.tensor(places), persistent=False)

    def forward(self, x: Float[Tensor, "batch 6 height width"]) -> Float[Tensor, "batch 16 rows columns"]:
        kernels = self.weight.new_zeros(len(C3_INPUTS) * 6, self.window, self.window)
        kernels = kernels.index_copy(0, self.get_buffer("places"), self.weight)
        return F.conv2d(x, kernels.unflatten(0, (len(C3_INPUTS), 6)), self.bias)

    def multiply_adds(self, output_shape: tuple[int, ...]) -> int:
        """The products of the 60 connections; the zeros between them are not counted."""
        return self.weight.numel() * math.prod(output_shape[1:])


class RadialBasis(Layer):
    """Minus the squared Euclidean distance from what F6 says to each class's code. Equation 7."""

    kind = "radial basis"

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.register_buffer("codes", output_codes(classes))

    def forward(self, x: Float[Tensor, "batch code"]) -> Float[Tensor, "batch class"]:
        return -(x[:, None] - self.get_buffer("codes")).square().sum(dim=-1)

    def multiply_adds(self, output_shape: tuple[int, ...]) -> int:
        """One squared difference summed a component of the code."""
        return CODE * output_shape[0]


@torch.no_grad()
def _initialise(network: Network) -> None:
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            bound = 2.4 / layer.weight[0].numel()
            layer.weight.uniform_(-bound, bound)
            nn.init.zeros_(layer.get_parameter("bias"))
        elif isinstance(layer, Subsampling):
            layer.coefficient.uniform_(-2.4 / 4, 2.4 / 4)
        elif isinstance(layer, TableConvolution):
            reads = torch.tensor(
                [len(sources) for sources in C3_INPUTS for _ in sources], device=layer.weight.device
            )
            layer.weight.uniform_(-1, 1).mul_(2.4 / (25 * reads[:, None, None]))
