"""Shapes inside a network, found by sending an image without pixels through a copy without weights."""

import copy
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TypeVar

import torch
from torch import Tensor, nn

from striate.errors import ModelError

AnyModule = TypeVar("AnyModule", bound=nn.Module)


def without_weights(module: AnyModule) -> AnyModule:
    """A copy, in evaluation mode, whose parameters and buffers have shapes but no memory.

    >>> shadow = without_weights(nn.Linear(3, 2))
    >>> shadow.weight.device.type, tuple(shadow.weight.shape)
    ('meta', (2, 3))
    """
    # deepcopy takes from its memo whatever is already there, so the weights themselves are never read
    memo = {id(tensor): _shadow(tensor) for tensor in chain(module.parameters(), module.buffers())}
    return copy.deepcopy(module, memo).eval()


def feature_shape(stages: Mapping[str, nn.Module], input_shape: tuple[int, int, int]) -> tuple[int, ...]:
    """The shape that the stages leave of one image, `channel height width` unless they flatten it.

    >>> feature_shape({"c1": nn.Conv2d(1, 6, 5, padding=2), "s2": nn.AvgPool2d(2)}, (1, 28, 28))
    (6, 14, 14)

    Raises ModelError naming the first layer whose window is larger than the maps it gets.
    """
    return stage_shapes(stages, input_shape).popitem()[1]


def stage_shapes(
    stages: Mapping[str, nn.Module], input_shape: tuple[int, int, int]
) -> dict[str, tuple[int, ...]]:
    """The shape that each stage leaves of one image, in the order of the stages.

    >>> stage_shapes({"c1": nn.Conv2d(1, 6, 5, padding=2), "s2": nn.AvgPool2d(2)}, (1, 28, 28))
    {'c1': (6, 28, 28), 's2': (6, 14, 14)}

    Raises ModelError as `feature_shape` does.
    """
    image = torch.empty((1, *input_shape), device="meta")
    shapes: dict[str, tuple[int, ...]] = {}
    for path, layer in _layers(stages):
        try:
            image_after = without_weights(layer)(image)
        except RuntimeError as error:
            seen = " × ".join(map(str, image.shape[1:]))
            raise ModelError(f"layer {path} does not fit the {seen} that reaches it") from error
        image = image_after
        shapes[path.partition(".")[0]] = tuple(image.shape[1:])
    return shapes


def _layers(stages: Mapping[str, nn.Module]) -> Iterator[tuple[str, nn.Module]]:
    for name, stage in stages.items():
        if isinstance(stage, nn.Sequential):
            yield from ((f"{name}.{inner}", layer) for inner, layer in stage.named_children())
        else:
            yield name, stage


def _shadow(tensor: Tensor) -> Tensor:
    # shapes do not depend on precision, and the images that are sent through have single
    dtype = torch.float32 if tensor.is_floating_point() else tensor.dtype
    shadow = torch.empty_like(tensor, device="meta", dtype=dtype)
    return nn.Parameter(shadow, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else shadow
