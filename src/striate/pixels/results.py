"""What `striate filter` makes of a picture: the values of each kernel, as a file and side by side on a sheet."""

from collections.abc import Mapping as Map
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Shaped, UInt8

from striate.drawing.kernel_sheet import Tile, kernel_sheet
from striate.drawing.scales import diverging
from striate.errors import UsageError, suggestion
from striate.pixels.convolution import Array
from striate.pixels.filtering import to_grey
from striate.pixels.kernels import Kernel, to_text
from striate.pixels.writing import FULL, Mapping, full_scale, write_values

if TYPE_CHECKING:
    from PIL.Image import Image

KINDS = ("auto", "signed", "picture")
Values = Shaped[np.ndarray, "_height _width _channel"]


@dataclass(frozen=True)
class ColourScale:
    """Which values get the colours at both ends: signed values, where zero is neutral, or those of a picture."""

    signed: bool
    low: float
    high: float


def colour_scale(values: Values, image: Values, kernel: Kernel | None = None) -> ColourScale:
    """How the result of a filter is coloured for the eye, as on `filter_sheet`.

    >>> image = np.full((3, 3, 1), 255, np.uint8)
    >>> colour_scale(np.array([[[-40], [30]]]), image, np.array([[-1, 1]]))
    ColourScale(signed=True, low=-39.9, high=39.9)
    >>> colour_scale(image, image, np.array([[1, 1]]))
    ColourScale(signed=False, low=0.0, high=510.0)

    A kernel whose weights do not sum to more than zero gives signed values: the ends lie as far on either side of
    zero as the 99th percentile of the magnitudes. Any other, and none (pooling), gives a picture: the ends are what
    becomes of an all black and an all white one.
    """
    if kernel is not None and _without_sum(kernel):
        magnitudes = np.abs(values.astype(np.float64))
        limit = float(np.percentile(magnitudes, 99)) or float(magnitudes.max())
        return ColourScale(True, -limit, limit)
    total = 1.0 if kernel is None else float(kernel.sum())
    low, high = full_scale(image)
    return ColourScale(False, *sorted((low * total, high * total)))


def mapping_of(values: Values, image: Values, kernel: Kernel | None, kind: str = "auto") -> Mapping:
    """How filtered values become grey: around mid-grey, or on the scale of the picture they were made from.

    >>> image = np.full((3, 3, 1), 255, np.uint8)
    >>> print(mapping_of(image, image, None))
    0 is 0, 255 is 65535
    >>> print(mapping_of(np.array([[[-40], [30]]]), image, np.array([[-1, 1]])))
    0 is mid-grey 32768, -40 is 1, 40 is 65535

    "auto" is "signed" for a kernel whose weights do not sum to more than zero, as those of edges, and "picture" for
    the others, whose result is a picture again: black and white are then what the kernel makes of an all black and
    an all white picture. UsageError for another word.
    """
    if kind not in KINDS:
        raise UsageError(f"there is no mapping {kind!r}; {suggestion(kind, KINDS)}")
    total = 1.0 if kernel is None else float(kernel.sum())
    if kind == "signed" or (kind == "auto" and _without_sum(kernel)):
        finite = values[np.isfinite(values)]
        return Mapping.signed(float(np.abs(finite.astype(np.float64)).max()) if finite.size else 1.0)
    low, high = full_scale(image)
    return Mapping.between(*sorted((low * total, high * total)))


def write_filtered(
    path: str | Path, values: Values, image: Values, kernel: Kernel | None = None, kind: str = "auto"
) -> str:
    """Write the result of a filter by its file's ending and say how: see `mapping_of` for PNG.

    PNG has 16 bits and 1 or 3 channels; NPY and TIFF hold the numbers as they are. UsageError for another
    ending.
    """
    return write_values(Path(path), values, mapping_of(values, image, kernel, kind))


def filter_sheet(
    image: Values, results: Map[str, tuple[Kernel | None, Values]], *, columns: int = 3, scale: int = 2
) -> "Image":
    """The picture and each result side by side, with the kernel, the range and the meaning of the colours.

    >>> photo = np.zeros((20, 30, 3), np.uint8)
    >>> filter_sheet(photo, {"blur": (np.full((3, 3), 1 / 9), photo[1:-1, 1:-1])}, scale=1).width
    648

    Signed results are drawn in blue and red with zero white, colour pictures by their luma; the colours end at the
    99th percentile of the magnitudes, and the caption says where that is.
    """
    scale_of_picture = Mapping.between(*full_scale(image))
    first = Tile(_seen(image, scale_of_picture), "the picture", (*_size(image), _ends(scale_of_picture)))
    return kernel_sheet(
        [first, *(_tile(image, name, kernel, values) for name, (kernel, values) in results.items())],
        columns=columns,
        scale=scale,
    )


def _tile(image: Values, name: str, kernel: Kernel | None, values: Values) -> Tile:
    weights = () if kernel is None else tuple(tuple(line.split()) for line in to_text(kernel).splitlines())
    lines = _size(values)
    if not _without_sum(kernel):
        mapping = mapping_of(values, image, kernel)
        return Tile(_seen(values, mapping), name, (*lines, _ends(mapping)), weights)
    plane = to_grey(values) if values.shape[2] == 3 else values[:, :, 0].astype(np.float64)
    limit = colour_scale(plane[:, :, None], image, kernel).high
    words = f"blue -{limit:.4g} · white 0 · red {limit:.4g}"
    return Tile(diverging(plane, limit), name, (*lines, words), weights)


def _without_sum(kernel: Kernel | None) -> bool:
    return kernel is not None and float(kernel.sum()) <= 1e-9 * float(np.abs(kernel).sum())


def _size(values: Values) -> tuple[str, ...]:
    shape = " × ".join(map(str, values.shape))
    return (f"{shape} · {values.min():.5g} .. {values.max():.5g}",)


def _ends(mapping: Mapping) -> str:
    low, high = (
        (-mapping.offset / mapping.scale, (FULL - mapping.offset) / mapping.scale)
        if mapping.scale
        else (0, 0)
    )
    return f"black {low:.5g} · white {high:.5g}"


def _seen(values: Values, mapping: Mapping) -> UInt8[np.ndarray, "_height _width 3"]:
    shown: Array = (mapping.apply(values) / 257.0).round().astype(np.uint8)
    return shown if shown.shape[2] == 3 else np.repeat(shown[:, :, :1], 3, axis=2)
