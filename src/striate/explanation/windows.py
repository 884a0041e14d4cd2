"""Windows that cover an image one place after another."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from striate.errors import UsageError
from striate.explanation.gradient import at_once

Size = int | tuple[int, int] | None
Fill = float | Float[Tensor, "..."]


@dataclass(frozen=True, eq=False)
class Windows:
    """Where a window is put: from the first pixel on, by strides, until the last one is covered and cut off there.

    >>> windows = windows_over((28, 28), 8, (4, 8))
    >>> windows.grid, windows.columns.sum(dim=1).tolist()  # how many columns each covers
    ((6, 4), [8, 8, 8, 4])

    `window` and `stride` are (rows, columns) in pixels; `rows` and `columns` say which ones each place covers.
    """

    window: tuple[int, int]
    stride: tuple[int, int]
    rows: Bool[Tensor, "down height"]
    columns: Bool[Tensor, "across width"]

    @property
    def grid(self) -> tuple[int, int]:
        """How many windows there are down and across."""
        return len(self.rows), len(self.columns)

    def covered(
        self, image: Float[Tensor, "channel height width"], fill: Float[Tensor, "#channel #height #width"]
    ) -> Iterator[Float[Tensor, "places channel height width"]]:
        """Copies of an image, each with one window filled, row by row; as many at once as go through a network."""
        rows, columns = self.rows.to(image.device), self.columns.to(image.device)
        for places in torch.arange(math.prod(self.grid), device=image.device).split(at_once(image)):
            down, across = places // len(columns), places % len(columns)
            under = rows[down][:, None, :, None] & columns[across][:, None, None, :]
            yield torch.where(under, fill, image)

    def to_pixels(self, values: Float[Tensor, "batch down across"]) -> Float[Tensor, "batch height width"]:
        """At every pixel the mean value of the windows that cover it."""
        rows, columns = self.rows.to(values), self.columns.to(values)
        sums = torch.einsum("bij,ih,jw->bhw", values, rows, columns)
        return sums / (rows.sum(dim=0)[:, None] * columns.sum(dim=0))


def windows_over(size: tuple[int, int], window: Size, stride: Size) -> Windows:
    """The windows over images of a size in pixels: a quarter of each side by a third of that, where None.

    >>> windows = windows_over((224, 224), None, None)
    >>> windows.window, windows.stride, windows.grid
    ((56, 56), (18, 18), (11, 11))

    Raises UsageError for a window larger than the image, and for strides that leave pixels out.
    """
    windows = _pair(window) if window is not None else (max(1, size[0] // 4), max(1, size[1] // 4))
    strides = _pair(stride) if stride is not None else (max(1, windows[0] // 3), max(1, windows[1] // 3))
    for side, reach, step in zip(size, windows, strides, strict=True):
        if not 1 <= reach <= side:
            raise UsageError(
                f"window={window}: a window over images of {size[0]} × {size[1]} pixels has 1 to {side} pixels here;"
                f" a quarter of the side, {max(1, side // 4)}, is common."
            )
        if not 1 <= step <= reach:
            raise UsageError(
                f"stride={stride}: windows of {reach} pixels move by 1 to {reach}, so that they leave no pixel out; a"
                f" third of the window, {max(1, reach // 3)}, is common."
            )
    rows, columns = (_places(*axis) for axis in zip(size, windows, strides, strict=True))
    return Windows(windows, strides, rows, columns)


def filling(
    inputs: Float[Tensor, "batch channel height width"], fill: Fill
) -> Float[Tensor, "#channel #height #width"]:
    """What covers an image, as a tensor beside it; UsageError where it does not fit."""
    value = torch.as_tensor(fill).to(inputs)
    value = value.reshape(1, 1, 1) if value.ndim == 0 else value
    fits = value.ndim == 3 and all(
        one in (1, side) for one, side in zip(value.shape, inputs.shape[1:], strict=True)
    )
    if not fits or not bool(value.isfinite().all()):
        channels, height, width = inputs.shape[1:]
        given = tuple(value.shape) if value.numel() > 1 else value.item()
        raise UsageError(
            f"fill={given}: give one finite number, one a channel ({channels}, 1, 1) or one a pixel"
            f" ({channels}, {height}, {width}); 0 is the mean of the training images."
        )
    return value


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def _places(side: int, window: int, stride: int) -> Bool[Tensor, "places side"]:
    starts = torch.arange(0, side - window + stride, stride)[:, None]
    pixels = torch.arange(side)
    return (starts <= pixels) & (pixels < starts + window)
