"""Convolutions over small maps learn faster by one matrix product: what a step does differently on a processor.

The gradient of a kernel is a sum over every cell of every map. Where maps are small and many, the processor's own
kernel for it works on a few cells at a time; the windows written out as rows of a matrix (Chellapilla et al. 2006,
High Performance Convolutional Neural Networks for Document Processing) make it one product, three times as fast at
384 maps of 4 × 4 (`python -m bench small_maps`). Values differ by rounding alone.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.overrides import TorchFunctionMode

CELLS, MAPS = 16, 64
"""The most cells of a map that comes out, and the fewest maps that go in, where the product is faster."""


_ACTIVE: ContextVar[bool] = ContextVar("small maps at once", default=False)


@contextmanager
def small_maps_at_once(precision: str, device: torch.device) -> Iterator[None]:
    """The context of a forward pass whose small convolutions take their kernels' gradients in one product.

    Only where it was measured to be faster: bfloat16 on a processor.
    """
    if precision != "bfloat16" or device.type != "cpu":
        yield
        return
    token = _ACTIVE.set(True)
    try:
        with _AtOnce():
            yield
    finally:
        _ACTIVE.reset(token)


def as_now() -> AbstractContextManager[object]:
    """For a pass that is repeated later: the same context as where this is called."""
    return _AtOnce() if _ACTIVE.get() else nullcontext()


class _AtOnce(TorchFunctionMode):
    """Sends the convolutions that gain to `_Convolution`; everything else goes its own way."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func is torch.conv2d and not kwargs and gains(*args):
            inputs, weight, bias, stride, padding, *_ = args
            low = None if bias is None else bias.to(torch.bfloat16)
            return _Convolution.apply(
                inputs.to(torch.bfloat16), weight.to(torch.bfloat16), low, tuple(stride), tuple(padding)
            )
        return func(*args, **kwargs or {})


def gains(
    inputs: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> bool:
    """Whether a convolution with these arguments is one that gains.

    >>> gains(torch.ones(1, 96, 4, 4), torch.ones(96, 96, 3, 3, requires_grad=True), None, (1, 1), (1, 1), (1, 1), 1)
    True
    """
    del bias
    if groups != 1 or not weight.requires_grad or weight.shape[1] < MAPS or inputs.ndim != 4:
        return False
    if not all(isinstance(pair, tuple) for pair in (stride, padding, dilation)) or dilation != (1, 1):
        return False
    rows, columns = output_size(inputs, weight, stride, padding)
    return rows * columns <= CELLS and weight.shape[2] * weight.shape[3] > 1


def output_size(
    inputs: Tensor, weight: Tensor, stride: Sequence[int], padding: Sequence[int]
) -> tuple[int, int]:
    """Height and width of the maps that come out."""
    height, width = (
        (size + 2 * pad - window) // step + 1
        for size, window, step, pad in zip(inputs.shape[2:], weight.shape[2:], stride, padding, strict=True)
    )
    return height, width


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
