"""Networks of the catalogue at small inputs, with random weights and with weights that training has moved."""

import copy
import functools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.models import Network, create_model, initialise

SHAPES = {
    "lenet5": (1, 28, 28),
    "compact": (3, 16, 16),
    "resnet18": (3, 32, 32),
    "resnet18_small": (3, 16, 16),
    "vgg11_bn": (3, 32, 32),
    "googlenet": (3, 32, 32),
}
RECTIFIED = tuple(name for name in SHAPES if name != "lenet5")
WEIGHTS = ("random", "trained")
CLASSES = 10


def network_of(*layers: nn.Module) -> Network:
    """Stages layer1, layer2 and so on, in evaluation mode."""
    stages = {f"layer{number}": layer for number, layer in enumerate(layers, start=1)}
    return Network(stages, head=nn.Flatten()).eval()


def apart(found: Tensor, expected: Tensor) -> float:
    """The largest difference, as a share of the largest value expected."""
    difference, size = (found - expected).abs().max(), expected.abs().max()
    return difference.item() / size.item()


def images_for(name: str, images: int = 2, seed: int = 5) -> tuple[Tensor, Tensor]:
    """Smooth noise of the network's input shape, and a target for each image."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(images, *SHAPES[name], generator=generator)
    inputs = F.avg_pool2d(noise, 3, stride=1, padding=1) * 3
    return inputs, torch.randint(CLASSES, (images,), generator=generator)


@functools.cache
def network_to_explain(name: str, weights: str) -> Network:
    """In evaluation mode; to be read, never changed. Training is four steps on noise."""
    torch.manual_seed(3)
    channels, *side = SHAPES[name]
    height, width = side
    network = create_model(name, classes=CLASSES, channels=channels, size=(height, width))
    if name == "compact":
        initialise(network, "he")  # its own kernels copy maps, and equal maps hide what is wrong
    if weights == "trained":
        _train(network, name)
    return network.eval()


def in_double(name: str, weights: str) -> tuple[Network, Tensor, Tensor]:
    """A copy in double precision, with images and targets.

    Two sums of gradients agree to rounding only where no rectifier is within rounding of 0, as some are in float32.
    """
    inputs, targets = images_for(name)
    return copy.deepcopy(network_to_explain(name, weights)).double(), inputs.double(), targets


def _train(network: Network, name: str) -> None:
    inputs, targets = images_for(name, images=8, seed=6)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.02, momentum=0.9)
    for _ in range(4):
        optimiser.zero_grad()
        F.cross_entropy(network.train()(inputs), targets).backward()
        optimiser.step()
    optimiser.zero_grad()
