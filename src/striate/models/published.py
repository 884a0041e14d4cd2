"""Weights that torchvision has published: where they are, what they learned from, and what they fit onto."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from striate.errors import ModelError, suggestion
from striate.models.checkpoints import read_published
from striate.models.fitting import fit_weights
from striate.models.network import Network
from striate.models.torchvision_names import from_torchvision

PUBLISHED_AT = "https://download.pytorch.org/models/"
PUBLISHED_FILES = {
    "alexnet": "alexnet-owt-7be5be79.pth",
    "vgg11": "vgg11-8a719046.pth",
    "vgg11_bn": "vgg11_bn-6002323d.pth",
    "vgg13": "vgg13-19584684.pth",
    "vgg13_bn": "vgg13_bn-abd245e5.pth",
    "vgg16": "vgg16-397923af.pth",
    "vgg16_bn": "vgg16_bn-6c64b313.pth",
    "vgg19": "vgg19-dcbb9e9d.pth",
    "vgg19_bn": "vgg19_bn-c79401a0.pth",
    "googlenet": "googlenet-1378be20.pth",
    "resnet18": "resnet18-f37072fd.pth",
    "resnet34": "resnet34-b627a593.pth",
    "resnet50": "resnet50-0676ba61.pth",
    "resnet101": "resnet101-63fe2227.pth",
    "resnet152": "resnet152-394f9c45.pth",
}
"""torchvision's IMAGENET1K_V1 weights; each name ends in the first eight digits of the file's SHA-256."""
PUBLISHED_CLASSES = 1000
"""ImageNet's of 2012, on which all of them were trained."""


class Scaling(NamedTuple):
    """What was subtracted from pixels of 0..1 and what they were then divided by, a colour each."""

    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]


def published_scaling(name: str) -> Scaling:
    """How the pixels were scaled that a network's published weights have learned from.

    >>> published_scaling("resnet18").mean
    (0.485, 0.456, 0.406)

    GoogLeNet's weights come from another framework; torchvision changes its input to this scaling first.
    """
    if name == "googlenet":
        return Scaling((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    return Scaling((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def published_file(name: str) -> str:
    """The file at `PUBLISHED_AT` that holds torchvision's weights of a network.

    >>> published_file("resnet18")
    'resnet18-f37072fd.pth'

    Raises ModelError for a network of which there is none, with the nearest there is.
    """
    if name not in PUBLISHED_FILES:
        raise ModelError(f"torchvision publishes no weights of {name!r}; {suggestion(name, PUBLISHED_FILES)}")
    return PUBLISHED_FILES[name]


def load_published(
    network: Network, name: str, weights: Path | Mapping[str, Tensor], *, cache: Path | None = None
) -> tuple[str, ...]:
    """Fill a network with weights in torchvision's layout; says in sentences what had to be adapted.

    `weights` is a state dict, or a file that holds one (`.pth` or safetensors), as `read_published` reads it. What
    may differ, and what is then done, `fit_weights` tells.

    Raises RunError for a file that cannot be read, and for weights that do not fit; nothing is changed then.
    """
    origin = str(weights) if isinstance(weights, Path) else f"the state dict for {name}"
    theirs = read_published(weights, cache=cache) if isinstance(weights, Path) else weights
    return fit_weights(network, from_torchvision(name, theirs), origin)
