"""From torchvision's names of weights to ours: AlexNet, VGG, GoogLeNet and ResNet, name by name."""

import re
from collections.abc import Iterator, Mapping

from torch import Tensor

from striate.errors import ModelError, suggestion
from striate.models.googlenet2014 import AUXILIARY
from striate.models.resnet import VARIANTS
from striate.models.vgg import CONVOLUTIONS

Renaming = tuple[tuple[str, str], ...]
"""Expressions that match the beginning of torchvision's name, and what they become here; the first match counts."""

_ALEXNET: Renaming = (
    (r"features\.0\.", "stages.conv1.conv."),
    (r"features\.3\.", "stages.conv2.conv."),
    (r"features\.6\.", "stages.conv3.conv."),
    (r"features\.8\.", "stages.conv4.conv."),
    (r"features\.10\.", "stages.conv5.conv."),
    (r"classifier\.1\.", "head.fc6."),
    (r"classifier\.4\.", "head.fc7."),
    (r"classifier\.6\.", "head.output."),
)
_GOOGLENET: Renaming = (
    (r"conv1\.conv\.", "stages.conv1.conv."),
    (r"conv1\.bn\.", "stages.conv1.norm."),
    (r"conv2\.conv\.", "stages.conv2.reduce.conv."),
    (r"conv2\.bn\.", "stages.conv2.reduce.norm."),
    (r"conv3\.conv\.", "stages.conv2.conv.conv."),
    (r"conv3\.bn\.", "stages.conv2.conv.norm."),
    *(
        (rf"inception(\w+)\.{theirs}\.{kind}\.", rf"stages.\1.{ours}.{name}.")
        for theirs, ours in (
            ("branch1", "one"),
            (r"branch2\.0", "three.reduce"),
            (r"branch2\.1", "three.conv"),
            (r"branch3\.0", "five.reduce"),
            (r"branch3\.1", "five.conv"),
            (r"branch4\.1", "pool.project"),
        )
        for kind, name in (("conv", "conv"), ("bn", "norm"))
    ),
    *(
        (rf"aux{number}\.{theirs}\.", f"auxiliaries.{stage}.{ours}.")
        for number, stage in enumerate(AUXILIARY, start=1)
        for theirs, ours in (
            (r"conv\.conv", "conv.conv"),
            (r"conv\.bn", "conv.norm"),
            ("fc1", "hidden"),
            ("fc2", "output"),
        )
    ),
    (r"fc\.", "head.output."),
)
_RESNET: Renaming = (
    (r"conv1\.", "stages.stem.conv."),
    (r"bn1\.", "stages.stem.norm."),
    (r"layer(\d)\.(\d+)\.downsample\.0\.", r"stages.stage\1.block<\2>.shortcut.conv."),
    (r"layer(\d)\.(\d+)\.downsample\.1\.", r"stages.stage\1.block<\2>.shortcut.norm."),
    (r"layer(\d)\.(\d+)\.conv(\d)\.", r"stages.stage\1.block<\2>.branch.conv\3."),
    (r"layer(\d)\.(\d+)\.bn(\d)\.", r"stages.stage\1.block<\2>.branch.norm\3."),
    (r"fc\.", "head.output."),
)


def _vgg(name: str) -> Iterator[tuple[str, str]]:
    """VGG's layers are numbered through, rectifiers and poolings included."""
    column, _, normalised = name.partition("_")
    place = 0
    for stage, depth in enumerate(CONVOLUTIONS[column], start=1):
        for number in range(1, depth + 1):
            yield rf"features\.{place}\.", f"stages.stage{stage}.conv{number}."
            if normalised:
                yield rf"features\.{place + 1}\.", f"stages.stage{stage}.norm{number}."
            place += 3 if normalised else 2
        place += 1
    for place, layer in ((0, "fc6"), (3, "fc7"), (6, "output")):
        yield rf"classifier\.{place}\.", f"head.{layer}."


RENAMINGS: dict[str, Renaming] = {
    "alexnet": _ALEXNET,
    **{column + ending: tuple(_vgg(column + ending)) for ending in ("", "_bn") for column in CONVOLUTIONS},
    "googlenet": _GOOGLENET,
    **dict.fromkeys(VARIANTS, _RESNET),
}
"""The networks whose published weights fit, and how the names of each are read."""


def from_torchvision(name: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict of torchvision's network under the names of ours.

    >>> import torch
    >>> list(from_torchvision("resnet18", {"layer1.0.bn2.bias": torch.zeros(64)}))
    ['stages.stage1.block1.branch.norm2.bias']

    A name that torchvision's network does not have is kept, and so shows up where the weights are compared.
    Raises ModelError for a network of which torchvision publishes no weights.
    """
    if name not in RENAMINGS:
        raise ModelError(f"torchvision publishes no weights that fit {name}; {suggestion(name, RENAMINGS)}")
    return {_renamed(theirs, RENAMINGS[name]): tensor for theirs, tensor in state.items()}


def _renamed(theirs: str, renaming: Renaming) -> str:
    for expression, ours in renaming:
        found, count = re.subn(f"^{expression}", ours, theirs)
        if count:
            # torchvision counts blocks from 0
            return re.sub(r"<(\d+)>", lambda number: str(int(number[1]) + 1), found)
    return theirs
