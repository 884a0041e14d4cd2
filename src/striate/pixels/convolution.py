"""Convolution of pictures and signals: exact in whole numbers, one definition, several fast ways to it.

An image is `height width` or `height width channel`, a signal `length` or `length channel`. The kernel's axes say
what is meant:

| kernel                          | result, for an image                                              |
|---------------------------------|-------------------------------------------------------------------|
| `height width`                  | each channel alone, as a filter on a photograph                   |
| `height width channel`          | one map `height width`: products are summed over all channels     |
| `filter height width [channel]` | a map a filter, `height width filter`, as a layer of a network    |

The channel axis stands in a kernel only where the image has one. Likewise `length` and so on for signals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Shaped

from striate.errors import UsageError, suggestion
from striate.pixels import engines
from striate.pixels.sliding import Padding, Slide, Whole, check_border, padded, slides

Array = Shaped[np.ndarray, "..."]
ArrayLike = np.ndarray | Sequence[Any]

INDEXINGS = ("cross-correlation", "convolution", "centred")
SPACE = {1: ("length",), 2: ("height", "width")}


@dataclass(frozen=True, eq=False, kw_only=True)
class Question:
    """A convolution as it was asked for, checked, with every axis in its place.

    `planes` is `height width channel` and `filters` is `filter height width channel`, slid without flipping; a signal
    lies along the height. `alone` says that the one filter has one channel and is applied to each plane by itself.
    """

    planes: Shaped[np.ndarray, "_height _width channel"]
    filters: Shaped[np.ndarray, "filter _window_h _window_w _depth"]
    slides: tuple[Slide, Slide]
    border: str
    alone: bool
    flipped: bool
    axes: int
    shape: tuple[int, ...]
    """Of the result."""


def convolve(
    image: ArrayLike,
    kernel: ArrayLike,
    *,
    stride: Whole = 1,
    padding: Padding = "valid",
    border: str = "zero",
    dilation: Whole = 1,
    indexing: str = "cross-correlation",
    axes: int | None = None,
) -> Array:
    """Slide a kernel over an image or a signal: at each place, products with what lies under it, summed.

    >>> convolve(np.ones((28, 28, 3)), np.ones((6, 5, 5, 3)), padding="same", stride=2).shape
    (14, 14, 6)
    >>> convolve([1, 2, 3, 4, 5], [3, 2, 1], padding="full", indexing="convolution").tolist()
    [3, 8, 14, 20, 26, 14, 5]

    `padding` is "valid" (none: a 3 × 3 filter makes 400 × 400 into 398 × 398), "same", "full", pixels at every
    end, or one number or pair an axis. Beyond the border stands `border`: "zero", "edge", "reflect" or "circular".
    `indexing` is "cross-correlation" (the kernel as it is, over the succeeding pixels: what networks call
    convolution), "convolution" (flipped, over the previous pixels) or "centred" (flipped, about the kernel's
    middle, so its sizes must be odd); see `definitions`. A kernel of one axis means a signal; `axes=1` says so for
    kernels that have channels or filters.

    Whole numbers in, exact int64 out, never wrapped; anything else is computed and returned as float64.

    Raises UsageError where sizes or channels do not agree. Dumoulin & Visin 2016; Goodfellow, Bengio & Courville
    2016, section 9.1.
    """
    question = ask(
        image,
        kernel,
        stride=stride,
        padding=padding,
        border=border,
        dilation=dilation,
        indexing=indexing,
        axes=axes,
    )
    return _answer(question).reshape(question.shape)


def ask(
    image: ArrayLike,
    kernel: ArrayLike,
    *,
    stride: Whole = 1,
    padding: Padding = "valid",
    border: str = "zero",
    dilation: Whole = 1,
    indexing: str = "cross-correlation",
    axes: int | None = None,
) -> Question:
    """The arguments of `convolve`, checked and put in order."""
    picture, weights = as_numbers(image, "image"), as_numbers(kernel, "kernel")
    check_border(border)
    if indexing not in INDEXINGS:
        raise UsageError(f"there is no indexing {indexing!r}; {suggestion(indexing, INDEXINGS)}")
    axes = axes if axes is not None else 1 if weights.ndim == 1 else 2
    if axes not in SPACE or not axes <= picture.ndim <= axes + 1:
        raise UsageError(
            f"a kernel of {weights.ndim} axes wants {_wanted(axes)}; got an array of shape {picture.shape}."
        )
    colour = picture.ndim == axes + 1
    filters, alone, bank = _filters(picture, weights, axes, colour)
    windows = filters.shape[1 : 1 + axes]
    flipped = indexing != "cross-correlation"
    if indexing == "centred" and any(window % 2 == 0 for window in windows):
        raise UsageError(
            f"centred indexing needs a kernel with a middle, of odd sizes; got {' × '.join(map(str, windows))}."
        )
    sliding = slides(picture.shape[:axes], windows, stride, padding, dilation, flipped)
    rows, columns = (*sliding, Slide(1, 1))[:2]
    if flipped:
        filters = filters[:, ::-1, ::-1]
    ends = (picture.shape[-1],) if alone and colour else (len(filters),) if bank else ()
    return Question(
        planes=picture.reshape(rows.size, columns.size, -1),
        filters=filters,
        slides=(rows, columns),
        border=border,
        alone=alone,
        flipped=flipped,
        axes=axes,
        shape=(*(slide.cells for slide in sliding), *ends),
    )


def as_numbers(values: ArrayLike, word: str) -> Array:
    """An array of real numbers, truth values as 0 and 1; UsageError for rows of unequal length or an empty array."""
    try:
        array = np.asarray(values)
    except ValueError:
        lengths = [len(row) if isinstance(row, (Sequence, np.ndarray)) else 1 for row in values]
        raise UsageError(
            f"the rows of the {word} must be equally long; got rows of {_listed(lengths)} numbers."
        ) from None
    if array.dtype.kind not in "buif":
        raise UsageError(f"the {word} must hold real numbers; got {array.dtype}.")
    if array.size == 0 or array.ndim == 0:
        raise UsageError(f"the {word} must hold numbers along an axis; got shape {array.shape}.")
    return array.astype(np.uint8) if array.dtype.kind == "b" else array


def _filters(picture: Array, weights: Array, axes: int, colour: bool) -> tuple[Array, bool, bool]:
    """The kernel as `filter height width channel`, whether it serves each channel alone, whether it is a bank."""
    more = weights.ndim - axes
    if not 0 <= more <= 1 + colour:
        allowed = [f"`{' '.join(names)}`" for names in _kernel_axes(axes, colour)]
        raise UsageError(
            f"a kernel for an array of shape {picture.shape} is {' or '.join(allowed)}; "
            f"got one of shape {weights.shape}."
        )
    bank = more == 1 + colour and more > 0
    deep = colour and more > 0
    if deep and weights.shape[-1] != picture.shape[-1]:
        raise UsageError(
            f"the kernel has {weights.shape[-1]} channels and the image {picture.shape[-1]}; they must agree."
        )
    windows = weights.shape[bank : bank + axes]
    height, width = (*windows, 1)[:2]
    depth = weights.shape[-1] if deep else 1
    return weights.reshape(-1, height, width, depth), more == 0, bank


def _kernel_axes(axes: int, colour: bool) -> list[tuple[str, ...]]:
    space = SPACE[axes]
    if colour:
        return [space, (*space, "channel"), ("filter", *space, "channel")]
    return [space, ("filter", *space)]


def _answer(question: Question) -> Array:
    planes = padded(question.planes, question.slides, question.border)
    (rows, columns), filters = question.slides, question.filters
    whole = planes.dtype.kind in "ui" and filters.dtype.kind in "ui"
    bound = _bound(planes, filters) if whole else 0
    if not question.alone:
        # Products and sums of whole numbers below 2**53 are exact in float64, which BLAS multiplies far faster.
        work = np.float64 if bound < 2**53 else np.int64
        maps = engines.by_patches(planes, filters, rows, columns, work)
        return maps.astype(np.int64) if whole else maps
    kernel = filters[0, :, :, 0]
    if whole:
        work = np.int16 if bound < 2**15 else np.int32 if bound < 2**31 else np.int64
        return engines.by_taps(planes, kernel, rows, columns, work)
    if planes.dtype.kind == "f" and not np.isfinite(planes).all():
        # Zero times what is not finite is not zero: only a sum of every product keeps such pixels where they are.
        return _alone_by_patches(planes, kernel, rows, columns)
    return _alone(planes, kernel, rows, columns)


def _alone(planes: Array, kernel: Array, rows: Slide, columns: Slide) -> Array:
    """Real numbers, each channel alone: the fastest of the ways that this kernel allows."""
    plain = rows.stride == columns.stride == rows.dilation == columns.dilation == 1
    if plain and kernel.size > 3:
        parts = engines.separated(kernel)
        if parts is not None:
            long = sum(kernel.shape) > 14 and planes.shape[2] <= 4
            return (engines.by_bands if long else engines.by_passes)(planes, *parts)
        if kernel.size > 100 and planes.size > 10_000:
            return engines.by_fourier(planes, kernel.astype(np.float64))
    return engines.by_taps(planes, kernel, rows, columns, np.float64)


def _alone_by_patches(planes: Array, kernel: Array, rows: Slide, columns: Slide) -> Array:
    bank = kernel[None, :, :, None]
    with np.errstate(invalid="ignore"):
        maps = [
            engines.by_patches(planes[:, :, [channel]], bank, rows, columns, np.float64)
            for channel in range(planes.shape[2])
        ]
    return np.concatenate(maps, axis=2)


def _bound(planes: Array, filters: Array) -> int:
    """No partial sum can exceed this: the largest pixel, times the weights' magnitudes added up."""
    pixel = max(int(planes.max()), -int(planes.min()), 1)
    weights = max(sum(map(abs, one.ravel().tolist())) for one in filters)
    bound = pixel * max(weights, 1)
    if bound >= 2**63:
        raise UsageError(
            f"sums of these whole numbers may reach {bound:.1e}, and int64 ends at {2.0**63:.1e}; "
            "pass the image as floating-point numbers."
        )
    return bound


def _wanted(axes: int) -> str:
    if axes not in SPACE:
        return f"axes=1 (a signal) or axes=2 (an image), not axes={axes}"
    space = " ".join(SPACE[axes])
    return f"{'a signal' if axes == 1 else 'an image'} `{space}` or `{space} channel`"


def _listed(lengths: list[int]) -> str:
    different = list(dict.fromkeys(lengths))
    return (
        " and ".join([", ".join(map(str, different[:-1])), str(different[-1])])
        if different[1:]
        else "unequal"
    )
