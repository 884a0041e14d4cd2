"""From timm's names of weights to ours: its ResNets are named as torchvision's, its VGGs end in convolutions."""

import re
from collections.abc import Mapping

from torch import Tensor

from striate.errors import ModelError, suggestion
from striate.models.torchvision_names import RENAMINGS, from_torchvision

TIMM_NAMES = tuple(name for name in RENAMINGS if name.startswith(("resnet", "vgg")))
"""The networks that timm has too, layer by layer; it has no AlexNet and no first GoogLeNet."""
_VGG = (
    (r"pre_logits\.fc1\.", "classifier.0."),
    (r"pre_logits\.fc2\.", "classifier.3."),
    (r"head\.fc\.", "classifier.6."),
)


def from_timm(name: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict of timm's network under the names, and in the shapes, of ours.

    >>> import torch
    >>> state = {"pre_logits.fc1.weight": torch.zeros(4096, 512, 7, 7), "head.fc.bias": torch.zeros(1000)}
    >>> {name: tuple(tensor.shape) for name, tensor in from_timm("vgg16", state).items()}
    {'head.fc6.weight': (4096, 25088), 'head.output.bias': (1000,)}

    A convolution over all cells is a linear layer on the flattened ones. A name that timm's network does not have is
    kept, and so shows up where the weights are compared. Raises ModelError for a network that timm does not have.
    """
    if name not in TIMM_NAMES:
        raise ModelError(f"timm publishes no weights that fit {name}; {suggestion(name, TIMM_NAMES)}")
    return from_torchvision(name, dict(_as_torchvision(*pair) for pair in state.items()))


def _as_torchvision(theirs: str, tensor: Tensor) -> tuple[str, Tensor]:
    for expression, name in _VGG:
        found, count = re.subn(f"^{expression}", name, theirs)
        if count:
            return found, tensor.flatten(1) if tensor.ndim == 4 else tensor
    return theirs, tensor
