"""Which layer reads what which other one wrote, found by sending an image without pixels through a network."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from striate.errors import ModelError
from striate.models.geometry import without_weights
from striate.models.network import Network


@dataclass(frozen=True, eq=False)
class Step:
    """One layer at work: where it stands in the network, and the maps that enter and leave it, without memory."""

    path: str
    layer: nn.Module
    entering: Tensor
    leaving: Tensor


def flow_of(network: Network, input_shape: tuple[int, int, int]) -> list[Step]:
    """The layers in the order in which an image meets them, auxiliary heads where they branch off.

    >>> network = Network({"conv": nn.Conv2d(1, 4, 3), "pool": nn.MaxPool2d(2)}, head=nn.Flatten())
    >>> [(step.path, tuple(step.leaving.shape)) for step in flow_of(network, (1, 28, 28))]
    [('stages.conv', (1, 4, 26, 26)), ('stages.pool', (1, 4, 13, 13)), ('head', (1, 676))]

    Raises ModelError for a network that does not run on such images.
    """
    steps: list[Step] = []
    shadow = without_weights(network)

    def follow(path: str, _layer: nn.Module, entering: tuple[Any, ...], leaving: Any) -> None:
        if entering and isinstance(entering[0], Tensor) and isinstance(leaving, Tensor):
            steps.append(Step(path, network.get_submodule(path), entering[0], leaving))

    for path, layer in shadow.named_modules():
        if next(layer.children(), None) is None:
            layer.register_forward_hook(partial(follow, path))
    try:
        with torch.no_grad():
            shadow.all_logits(torch.empty((1, *input_shape), device="meta"))
    except (RuntimeError, ValueError) as error:
        size = " × ".join(map(str, input_shape))
        raise ModelError(f"it does not run on images of {size} then: {error}.") from error
    return steps


def following(steps: Sequence[Step], step: Step) -> Iterator[Step]:
    """The layers that read what this one wrote."""
    later = steps[steps.index(step) + 1 :]
    return (other for other in later if other.entering is step.leaving)


def preceding(steps: Sequence[Step], step: Step) -> Step | None:
    """The layer whose maps this one reads; None for the image itself, and where branches were joined."""
    earlier = steps[: steps.index(step)]
    return next((other for other in reversed(earlier) if other.leaving is step.entering), None)
