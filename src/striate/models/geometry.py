"""Shapes inside a network, found by sending an image without pixels through a copy without weights."""

import copy
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TypeVar

import torch
from jaxtyping import Float32
from torch import Tensor, nn

from striate.errors import ModelError

AnyModule = TypeVar("AnyModule", bound=nn.Module)
LARGEST = 256 * 256
"""Pixels of the largest image that is sent through for real to learn shapes."""


def without_weights(module: AnyModule) -> AnyModule:
    """A copy, in evaluation mode, whose parameters and buffers have shapes but no memory.

    >>> shadow = without_weights(nn.Linear(3, 2))
    >>> shadow.weight.device.type, tuple(shadow.weight.shape)
    ('meta', (2, 3))
    """
    # deepcopy takes from its memo whatever is already there, so the weights themselves are never read
    memo = {id(tensor): _shadow(tensor) for tensor in chain(module.parameters(), module.buffers())}
    return copy.deepcopy(module, memo).eval()


def for_shapes(
    module: AnyModule, input_shape: tuple[int, int, int]
) -> tuple[AnyModule, Float32[Tensor, "1 channel height width"]]:
    """A copy in evaluation mode and an image for it, to be run for the shapes alone.

    >>> copied, image = for_shapes(nn.Conv2d(3, 8, 3), (3, 32, 32))
    >>> tuple(copied(image).shape)
    (1, 8, 30, 30)

    A large image, and one for weights elsewhere than in plain memory, has no pixels and meets no weights. A small one
    is zeros and meets the weights themselves: that takes milliseconds, where torch loads a second's worth of its
    compiler before it can tell the first shape without them.
    """
    tensors = [*module.parameters(), *module.buffers()]
    plain = all(
        tensor.device.type == "cpu" and tensor.dtype in (torch.float32, torch.int64) for tensor in tensors
    )
    if not plain or input_shape[1] * input_shape[2] > LARGEST:
        return without_weights(module), torch.empty((1, *input_shape), device="meta")
    memo = {id(weight): weight for weight in module.parameters()}
    return copy.deepcopy(module, memo).eval(), torch.zeros((1, *input_shape), device="cpu")


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
    copied, image = for_shapes(nn.ModuleList(stages.values()), input_shape)
    shapes: dict[str, tuple[int, ...]] = {}
    for path, layer in _layers(dict(zip(stages, copied, strict=True))):
        try:
            with torch.no_grad():
                image_after = layer(image)
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
