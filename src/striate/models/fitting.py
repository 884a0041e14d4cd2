"""Weights fitted to a network that differs from theirs in its input, its head or its number type, and nothing else."""

from collections.abc import Collection, Mapping
from typing import Literal

import torch
from torch import Tensor

from striate.errors import RunError
from striate.models.network import Network
from striate.models.weights import fill

HeadRule = Literal["whole", "hidden", "none"]
"""Of a head: take it if all of it fits; take its hidden layers if its output does not fit; leave it."""
HEAD_TAKEN = "The head is taken too."
"""What `fit_weights` says where nothing of the head is new."""
_GREY, _COLOUR = 1, 3
_COUNTER = ".num_batches_tracked"


def fit_weights(
    network: Network, weights: Mapping[str, Tensor], origin: str, *, head: HeadRule = "hidden"
) -> tuple[str, ...]:
    """Fill a network with weights under its own names; says in sentences what had to be adapted.

    >>> from striate.models.catalogue import create_model
    >>> trained, network = create_model("resnet20", classes=10), create_model("resnet20", classes=3, channels=1)
    >>> for note in fit_weights(network, trained.state_dict(), "cifar.safetensors"):
    ...     print(note)
    The first layer's weights were averaged over the three colours and multiplied by 3 for grey images.
    The head's output is new, for 3 classes instead of 10.

    Between grey and colour the first layer gets the mean of its weights times the channels there were over those
    there are: a grey picture is then answered as its copy in three equal colours. The head, and each auxiliary head,
    is taken by the rule `head`, and keeps its first weights where it does not fit. Numbers of other precision are
    converted. `origin` is what the sentences call the weights.

    Raises RunError where the stages do not fit, with both sides like a diff, and for numbers that are not finite;
    nothing is changed then.
    """
    own, found = network.state_dict(), dict(weights)
    notes = [*_types(own, found, origin), *_counters(own, found, origin), *_channels(own, found, origin)]
    notes += [*_head(own, found, head, origin), *_auxiliaries(own, found, head)]
    taken = [name for name in own if name in found and found[name] is not own[name]]
    for name in taken:
        if not bool(torch.isfinite(found[name]).all()):
            raise RunError(f"{origin} is damaged: {name} holds numbers that are not finite.")
    fill(network, found, origin)
    return tuple(notes)


def _types(own: Mapping[str, Tensor], found: dict[str, Tensor], origin: str) -> list[str]:
    others = [
        name
        for name, tensor in found.items()
        if name in own
        and tensor.is_floating_point()
        and own[name].is_floating_point()
        and tensor.dtype != own[name].dtype
    ]
    kinds = sorted({str(found[name].dtype).removeprefix("torch.") for name in others})
    found.update({name: found[name].to(own[name].dtype) for name in others})
    return [f"The numbers of {origin} are {' and '.join(kinds)}; they were made float32."] if others else []


def _counters(own: Mapping[str, Tensor], found: dict[str, Tensor], origin: str) -> list[str]:
    """Files older than 2018 have no counter of batches beside each normalisation; nothing depends on it."""
    missing = [name for name in own.keys() - found.keys() if name.endswith(_COUNTER)]
    if not missing or any(name.endswith(_COUNTER) for name in found):
        return []
    found.update({name: torch.zeros_like(own[name]) for name in missing})
    return [f"{origin} does not count the batches that its normalisation has seen; the counters begin at 0."]


def _channels(own: Mapping[str, Tensor], found: dict[str, Tensor], origin: str) -> list[str]:
    first = next(name for name, tensor in own.items() if tensor.ndim in (2, 4))
    here, weight = own[first], found.get(first)
    if weight is None or weight.ndim != here.ndim or weight.shape[1] == here.shape[1]:
        return []
    if weight.shape[:1] + weight.shape[2:] != here.shape[:1] + here.shape[2:]:
        return []
    there, wanted = weight.shape[1], here.shape[1]
    if weight.ndim == 2:  # a layer on flattened pixels: whole maps, one channel after the other
        cells = min(there, wanted)
        if max(there, wanted) != _COLOUR * cells:
            return []
        there, wanted = there // cells, wanted // cells
        weight = weight.unflatten(1, (there, cells))
    if there not in (_GREY, _COLOUR):
        raise RunError(
            f"{origin} takes images of {there} channels, and these have {wanted};"
            " weights can be carried over from grey and from colour only."
        )
    share = weight.mean(dim=1, keepdim=True) * (there / wanted)
    found[first] = share.repeat_interleave(wanted, dim=1).reshape(here.shape)
    return [_channel_note(there, wanted)]


def _channel_note(there: int, wanted: int) -> str:
    if there == _GREY:
        return (
            f"The first layer's weights were divided by {wanted} and repeated for each of {wanted} channels."
        )
    factor = "3 for grey images" if wanted == _GREY else f"3 / {wanted} for images of {wanted} channels"
    return f"The first layer's weights were averaged over the three colours and multiplied by {factor}."


def _head(own: Mapping[str, Tensor], found: dict[str, Tensor], rule: HeadRule, origin: str) -> list[str]:
    here, there = _classes(own), _classes(found)
    taken = _part("head.", own, found, rule)
    if taken == "whole":
        return [HEAD_TAKEN]
    if rule == "none":
        return []
    if taken == "hidden":
        return [f"The head's output is new, for {here:,} classes instead of {there:,}."]
    if not there:
        return [f"The head is new: {origin} has none."]
    other = f"is for {there:,} classes" if there != here else "has other layers"
    return [f"The head is new: that of {origin} {other}."]


def _classes(state: Mapping[str, Tensor]) -> int:
    """The classes of a head, or 0 where there is none."""
    outputs = (state[name] for name in ("head.output.weight", "head.weight") if name in state)
    return next((len(output) for output in outputs), 0)


def _auxiliaries(own: Mapping[str, Tensor], found: dict[str, Tensor], rule: HeadRule) -> list[str]:
    stages = sorted({name.split(".")[1] for name in own if name.startswith("auxiliaries.")})
    taken = {stage: _part(f"auxiliaries.{stage}.", own, found, rule) for stage in stages}
    for name in [name for name in found if name.startswith("auxiliaries.") and name not in own]:
        del found[name]  # this network has no such head
    words = {
        "none": "The auxiliary heads at {} are new.",
        "hidden": "The outputs of the auxiliary heads at {} are new.",
    }
    return [
        sentence.format(" and ".join(stage for stage in stages if taken[stage] == kind))
        for kind, sentence in words.items()
        if kind in taken.values()
    ]


def _part(prefix: str, own: Mapping[str, Tensor], found: dict[str, Tensor], rule: HeadRule) -> HeadRule:
    """Leave in `found` what of one head is taken, complete it with the network's own, and say how much was taken."""
    mine = {name: tensor for name, tensor in own.items() if name.startswith(prefix)}
    theirs = {name: found.pop(name) for name in list(found) if name.startswith(prefix)}
    output = {name for name in mine if name.startswith(f"{prefix}output.")} or set(mine)
    if rule != "none" and _shapes(mine) == _shapes(theirs):
        found.update(theirs)
        return "whole"
    found.update(mine)
    if rule != "hidden" or not theirs.keys() & output or _shapes(mine, output) != _shapes(theirs, output):
        return "none"
    found.update({name: tensor for name, tensor in theirs.items() if name not in output})
    return "hidden"


def _shapes(part: Mapping[str, Tensor], but: Collection[str] = ()) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in part.items() if name not in but}
