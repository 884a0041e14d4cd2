"""The cells under a window: which rows and columns it reads, which of them are padding, and their values."""

from typing import Any

import numpy as np
import torch.nn.functional as F
from jaxtyping import Bool, Float64
from torch import Tensor, nn

from striate.shapes import same_padding_ends

Pair = tuple[int, int]


def pair(value: Any) -> Pair:
    """One number for both axes, or two."""
    return (int(value[0]), int(value[1])) if isinstance(value, tuple | list) else (int(value), int(value))


def in_double(tensor: Tensor) -> Float64[np.ndarray, "..."]:
    """A tensor's values in double precision."""
    return tensor.detach().double().cpu().numpy()


def padding_before(layer: nn.Conv2d) -> tuple[Pair, Pair]:
    """Rows above and below, columns left and right, that a convolution adds.

    >>> padding_before(nn.Conv2d(1, 1, (4, 1), padding="same"))
    ((1, 2), (0, 0))
    """
    if layer.padding == "valid":
        return (0, 0), (0, 0)
    if layer.padding == "same":
        rows, columns = zip(pair(layer.kernel_size), pair(layer.dilation), strict=True)
        return same_padding_ends(*rows), same_padding_ends(*columns)
    down, across = pair(layer.padding)
    return (down, down), (across, across)


def padded(layer: nn.Conv2d, maps: Tensor) -> Float64[np.ndarray, "channel rows columns"]:
    """The maps with their padding around them, as the convolution reads them."""
    rows, columns = padding_before(layer)
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    return in_double(F.pad(maps, (*columns, *rows), mode=mode)[0])


def beyond(first: Pair, size: Pair, step: Pair, maps: tuple[int, ...]) -> Bool[np.ndarray, "rows columns"]:
    """Which cells of a window lie outside the maps.

    >>> beyond((-1, 0), (2, 2), (1, 1), (3, 1)).tolist()
    [[True, True], [False, True]]
    """
    axes = [start + apart * np.arange(count) for start, count, apart in zip(first, size, step, strict=True)]
    out = [(axis < 0) | (axis >= side) for axis, side in zip(axes, maps, strict=True)]
    return out[0][:, None] | out[1][None, :]


def under(
    maps: Float64[np.ndarray, "channel height width"], first: Pair, size: Pair, step: Pair = (1, 1)
) -> tuple[Float64[np.ndarray, "channel rows columns"], Bool[np.ndarray, "rows columns"]]:
    """The values under a window, 0 outside the maps, and what is outside."""
    outside = beyond(first, size, step, maps.shape[1:])
    rows, columns = (
        np.clip(start + apart * np.arange(count), 0, side - 1)
        for start, count, apart, side in zip(first, size, step, maps.shape[1:], strict=True)
    )
    values = maps[:, rows][:, :, columns]
    return np.where(outside, 0.0, values), outside
