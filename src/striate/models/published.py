"""Weights that others have published: read without running code, kept as safetensors, fitted to a network."""

import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from striate.errors import RunError
from striate.files import replacing, sha256_of
from striate.models.network import Network
from striate.models.torchvision_names import from_torchvision
from striate.models.weights import fill, read_weights, weights_bytes

FIRST_SAFE_TORCH = (2, 10)
"""Before this version `weights_only` itself could be made to run code (CVE-2025-32434, CVE-2026-24747)."""
COLOURS = 3


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


def load_published(
    network: Network, name: str, weights: Path | Mapping[str, Tensor], *, cache: Path | None = None
) -> tuple[str, ...]:
    """Fill a network with weights in torchvision's layout; says in sentences what had to be adapted.

    `weights` is a state dict, or a file that holds one (`.pth` or safetensors), as `read_published` reads it.
    An output for other classes keeps its first weights, as does an auxiliary head that the file's does not fit. For
    other than three channels every channel gets the mean of the colours' first weights times three over the
    number of channels: a grey picture is then answered as its copy in three equal colours.

    Raises RunError for a file that cannot be read, and for weights that do not fit; nothing is changed then.
    """
    origin = str(weights) if isinstance(weights, Path) else f"the state dict for {name}"
    theirs = read_published(weights, cache=cache) if isinstance(weights, Path) else weights
    found, own = from_torchvision(name, theirs), network.state_dict()
    notes = [*_counters(own, found), *_channels(own, found), *_outputs(own, found), *_auxiliaries(own, found)]
    fill(network, found, origin)
    return tuple(notes)


def read_published(path: Path, *, cache: Path | None = None) -> dict[str, Tensor]:
    """The tensors of a published file by the names it gives them; no code in it is run.

    A `.pth` file is opened as tensors alone. With a `cache` folder it is converted to safetensors there once, under
    its SHA-256, and later read from there. Where the file's name ends in digits of that sum (`-f37072fd.pth`),
    they are checked.

    Raises RunError for a file that is missing, damaged, altered, or holds anything but tensors.
    """
    if path.suffix == ".safetensors":
        return read_weights(path)
    try:
        digest = sha256_of(path)
    except OSError as error:
        raise RunError(f"The weights {path} could not be read: {error.strerror or error}.") from error
    if (said := re.search(r"-([0-9a-f]{8,64})\.pth$", path.name)) and not digest.startswith(said[1]):
        raise RunError(
            f"{path} is damaged or altered: its SHA-256 begins with {digest[: len(said[1])]}, its name says"
            f" {said[1]}; fetch it again."
        )
    kept = cache / f"{digest}.safetensors" if cache else None
    if kept and kept.exists():
        return read_weights(kept)
    state = _unpickled(path)
    if kept:
        with replacing(kept) as partial:
            partial.write_bytes(weights_bytes(state, {"source": path.name, "sha256": digest}))
    return state


def _unpickled(path: Path) -> dict[str, Tensor]:
    if tuple(map(int, torch.__version__.split(".")[:2])) < FIRST_SAFE_TORCH:
        needed = ".".join(map(str, FIRST_SAFE_TORCH))
        raise RunError(
            f"{path} is a pickle, which torch {torch.__version__} cannot open safely; install torch {needed} or later,"
            " or convert the file to safetensors."
        )
    try:
        with warnings.catch_warnings():
            # torch warns of a pickle's age before it refuses it
            warnings.simplefilter("ignore")
            found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise RunError(
            f"{path} is damaged or holds more than tensors; it was not loaded, because loading it could run its code."
        ) from error
    except Exception as error:  # a damaged archive fails in many ways, all of them before any weight is used
        raise RunError(f"{path} is damaged, or no file of weights; fetch it again.") from error
    if not isinstance(found, Mapping) or not all(map(_plain, found, found.values())):
        raise RunError(f"{path} holds no state dict: expected tensors by name and nothing else.")
    return {name: tensor.detach() for name, tensor in found.items()}


def _plain(name: object, value: object) -> bool:
    return (
        isinstance(name, str)
        and isinstance(value, Tensor)
        and value.layout == torch.strided
        and not (value.is_meta or value.is_quantized)
    )


def _counters(own: Mapping[str, Tensor], found: dict[str, Tensor]) -> list[str]:
    """Files older than 2018 have no counter of batches beside each normalisation; nothing depends on it."""
    missing = [name for name in own.keys() - found.keys() if name.endswith(".num_batches_tracked")]
    if not missing or any(name.endswith(".num_batches_tracked") for name in found):
        return []
    found.update({name: torch.zeros_like(own[name]) for name in missing})
    return ["The file does not count the batches that its normalisation has seen; the counters begin at 0."]


def _channels(own: Mapping[str, Tensor], found: dict[str, Tensor]) -> list[str]:
    first = next(name for name, tensor in own.items() if tensor.ndim == 4)
    channels, weight = own[first].shape[1], found.get(first)
    if weight is None or weight.ndim != 4 or weight.shape[1] != COLOURS or channels == COLOURS:
        return []
    mean = weight.mean(dim=1, keepdim=True)
    found[first] = (mean * (COLOURS / channels)).repeat(1, channels, 1, 1)
    return [
        f"The first layer's weights were averaged over the three colours and multiplied by {COLOURS} / {channels}"
        f" for images of {channels} channel{'s' if channels > 1 else ''}."
    ]


def _outputs(own: Mapping[str, Tensor], found: dict[str, Tensor]) -> list[str]:
    notes = []
    for name in [name for name in own if name.endswith("output.weight")]:
        theirs, layer = found.get(name), name.removesuffix(".weight")
        if theirs is None or theirs.shape[1:] != own[name].shape[1:] or len(theirs) == len(own[name]):
            continue
        found.update({key: own[key] for key in (name, f"{layer}.bias")})
        notes.append(
            f"{layer} keeps its first weights: the file has {len(theirs)} classes, the network {len(own[name])}."
        )
    return notes


def _auxiliaries(own: Mapping[str, Tensor], found: dict[str, Tensor]) -> list[str]:
    heads: dict[str, dict[str, Tensor]] = {}
    for name, tensor in own.items():
        if name.startswith("auxiliaries."):
            heads.setdefault(name.split(".")[1], {})[name] = tensor
    notes = []
    for stage, head in heads.items():
        if any(name not in found or found[name].shape != tensor.shape for name, tensor in head.items()):
            found.update(head)
            notes.append(
                f"The auxiliary head at {stage} keeps its first weights: the file's does not fit it."
            )
    return notes
