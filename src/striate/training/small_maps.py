"""Convolutions over small maps learn faster by one matrix product: what a step does differently on a processor.

The gradient of a kernel is a sum over every cell of every map. Where maps are small and many, the processor's own
kernel for it works on a few cells at a time; the windows written out as rows of a matrix (Chellapilla et al. 2006,
High Performance Convolutional Neural Networks for Document Processing) make it one product, three times as fast at
384 maps of 4 × 4 (`python -m bench small_maps`). Values differ by rounding alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeGuard

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from striate.shapes import output_size

CELLS, MAPS = 16, 64
"""The most cells of a map that comes out, and the fewest maps that go in, where the product is faster."""


_AT_ONCE: ContextVar[tuple[nn.Conv2d, ...]] = ContextVar("convolutions at once", default=())


@contextmanager
def small_maps_at_once(network: nn.Module, precision: str, device: torch.device) -> Iterator[None]:
    """The context of a forward pass whose small convolutions take their kernels' gradients in one product.

    Only where it was measured to be faster: bfloat16 on a processor.
    """
    faster = precision == "bfloat16" and device.type == "cpu"
    convolutions = tuple(filter(may_gain, network.modules())) if faster else ()
    token = _AT_ONCE.set(convolutions)
    try:
        with _replaced(convolutions):
            yield
    finally:
        _AT_ONCE.reset(token)


def as_now() -> AbstractContextManager[object]:
    """For a pass that is repeated later: the same context as where this is called."""
    return _replaced(_AT_ONCE.get())


@contextmanager
def _replaced(convolutions: Sequence[nn.Conv2d]) -> Iterator[None]:
    """Some layers answer by `_forward` while the block lasts; each stays what it is, under its own hooks."""
    for layer in convolutions:
        layer.__dict__["forward"] = partial(_forward, layer)
    try:
        yield
    finally:
        for layer in convolutions:
            layer.__dict__.pop("forward", None)


def _forward(layer: nn.Conv2d, inputs: Tensor) -> Tensor:
    if not gains(layer, inputs):
        return nn.Conv2d.forward(layer, inputs)
    low = None if layer.bias is None else layer.bias.to(torch.bfloat16)
    weight = layer.weight.to(torch.bfloat16)
    return _Convolution.apply(inputs.to(torch.bfloat16), weight, low, layer.stride, layer.padding)


def may_gain(module: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Whether a layer is a convolution that gains where its maps are small enough.

    >>> may_gain(nn.Conv2d(96, 96, 3)), may_gain(nn.Conv2d(3, 16, 3)), may_gain(nn.Conv2d(96, 96, 3, groups=96))
    (True, False, False)
    """
    return (
        type(module) is nn.Conv2d
        and module.in_channels >= MAPS
        and module.groups == 1
        and module.dilation == (1, 1)
        and module.kernel_size != (1, 1)
        and module.padding_mode == "zeros"
        and not isinstance(module.padding, str)
    )


def gains(layer: nn.Conv2d, inputs: Tensor) -> bool:
    """Whether a layer of which `may_gain` is true gains on these inputs.

    >>> layer = nn.Conv2d(96, 96, 3, padding=1)
    >>> gains(layer, torch.ones(1, 96, 4, 4)), gains(layer, torch.ones(1, 96, 5, 5))
    (True, False)
    """
    assert not isinstance(layer.padding, str)
    sides = zip(inputs.shape[-2:], layer.kernel_size, layer.stride, layer.padding, strict=True)
    rows, columns = (output_size(*side) for side in sides)
    return rows * columns <= CELLS and inputs.ndim == 4 and layer.weight.requires_grad


class _Convolution(torch.autograd.Function):
    """torch's convolution, but for the gradient of its kernels."""

    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any
    ) -> Tensor:
        ctx.save_for_backward(inputs, weight)
        ctx.stride, ctx.padding, ctx.biased = stride, padding, bias is not None
        return F.conv2d(inputs, weight, bias, stride, padding)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,), (inputs, weight) = grads, ctx.saved_tensors
        back = None
        if ctx.needs_input_grad[0]:
            back = torch.ops.aten.convolution_backward(
                grad,
                inputs,
                weight,
                None,
                ctx.stride,
                ctx.padding,
                (1, 1),
                False,
                (0, 0),
                1,
                (True, False, False),
            )[0]
        kernel = kernel_gradient(inputs, grad, weight.shape, ctx.stride, ctx.padding)
        return back, kernel, grad.sum((0, 2, 3)) if ctx.biased else None, None, None


def kernel_gradient(
    inputs: Float[Tensor, "batch channel height width"],
    grad: Float[Tensor, "batch out rows columns"],
    shape: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
) -> Float[Tensor, "out channel window_height window_width"]:
    """What a loss changes by for each weight of a kernel of that shape, given what it changes by for each output."""
    (_, channels, down, across), (rows, columns) = shape, grad.shape[2:]
    border = (0, 0, padding[1], padding[1], padding[0], padding[0])
    images = F.pad(
        inputs.permute(0, 2, 3, 1), border
    )  # channels last, so that a row of a window is one piece
    each, row, column, channel = images.stride()
    windows = images.as_strided(
        (len(images), rows, columns, down, across, channels),
        (each, row * stride[0], column * stride[1], row, column, channel),
    ).reshape(-1, down * across * channels)
    product = grad.permute(0, 2, 3, 1).reshape(-1, shape[0]).T @ windows
    return product.view(shape[0], down, across, channels).permute(0, 3, 1, 2)
