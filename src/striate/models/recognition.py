"""Whose names a file of weights uses, and which network of the catalogue it fits."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from torch import Tensor

from striate.errors import RunError
from striate.models.catalogue import create_model, model_entry, model_names
from striate.models.timm_names import TIMM_NAMES, from_timm
from striate.models.torchvision_names import RENAMINGS, from_torchvision

Library = Literal["striate", "torchvision", "timm"]
_OURS, _TIMMS = "stages.", ("pre_logits.", "head.fc.")
_NAMES: dict[Library, tuple[str, ...]] = {"torchvision": tuple(RENAMINGS), "timm": TIMM_NAMES}
_HEADS = ("head.", "auxiliaries.")
_COUNTER = ".num_batches_tracked"


def library_of(state: Mapping[str, Tensor]) -> Library:
    """Whose names a state dict uses; timm's ResNets have torchvision's.

    >>> import torch
    >>> library_of({"stages.stem.conv.weight": torch.zeros(1)}), library_of({"layer1.0.bn1.bias": torch.zeros(1)})
    ('striate', 'torchvision')
    """
    if any(name.startswith(_OURS) for name in state):
        return "striate"
    return "timm" if any(name.startswith(_TIMMS) for name in state) else "torchvision"


def in_our_names(model: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict of striate's, torchvision's or timm's network of that name, under the names of ours.

    Raises ModelError where the library whose names they are has no such network.
    """
    library = library_of(state)
    if library == "striate":
        return dict(state)
    return from_timm(model, state) if library == "timm" else from_torchvision(model, state)


def recognised(state: Mapping[str, Tensor], origin: str) -> str:
    """The one network of the catalogue whose stages have a state dict's names and shapes, whatever its head.

    >>> recognised(create_model("resnet34", classes=7, channels=1).state_dict(), "found.safetensors")
    'resnet34'

    The first layer may be for other channels. Raises RunError where no network fits or more than one does; says
    what was looked at.
    """
    library = library_of(state)
    candidates = _NAMES.get(library) or model_names()
    found = [name for name in candidates if _fits(name, in_our_names(name, state))]
    if len(found) == 1:
        return found[0]
    which = f"fits {' and '.join(found)}" if found else "fits none of striate's networks"
    raise RunError(
        f"{origin} {which}, by the names and shapes of its {len(state):,} tensors"
        f" (looked at, with {library}'s names: {', '.join(candidates)}); --model NAME says which network is meant."
    )


def _fits(name: str, state: Mapping[str, Tensor]) -> bool:
    theirs = {key: tuple(tensor.shape) for key, tensor in state.items() if not key.endswith(_COUNTER)}
    theirs = {key: shape for key, shape in theirs.items() if not key.startswith(_HEADS)}
    if not all(key.startswith(_OURS) for key in theirs):
        return False
    own = _stage_shapes(name)
    if own.keys() != theirs.keys():
        return False
    first = next(key for key, shape in own.items() if len(shape) > 1)
    # the second axis of the first layer counts what comes in: channels, or all pixels
    free = {first: own[first][:1] + theirs[first][1:2] + own[first][2:]}
    return {**own, **free} == theirs


@lru_cache(maxsize=64)
def _stage_shapes(name: str) -> dict[str, tuple[int, ...]]:
    network = create_model(name, classes=model_entry(name).default_classes, weights=False)
    shapes = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    return {
        key: shape for key, shape in shapes.items() if key.startswith(_OURS) and not key.endswith(_COUNTER)
    }
