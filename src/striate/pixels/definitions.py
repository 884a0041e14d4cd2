"""Convolution and pooling as the books define them: plain loops, slow on purpose, the reference of every faster way.

Along each axis, with K of size m and I the image:

| indexing          | sum of                  | over a =       | the kernel is | and sees              |
|-------------------|-------------------------|----------------|---------------|-----------------------|
| cross-correlation | I[i + a] · K[a]         | 0 .. m-1       | as written    | the succeeding pixels |
| convolution       | I[i - a] · K[a]         | 0 .. m-1       | flipped       | the previous pixels   |
| centred           | I[i - a] · K[⌊m/2⌋ + a] | -⌊m/2⌋ .. ⌊m/2⌋ | flipped       | pixels on both sides  |

One axis or two, there is one line of arithmetic. Goodfellow, Bengio & Courville 2016, equations 9.4 to 9.6.

>>> image = np.array([[3, 5, 2, 8, 1], [9, 7, 5, 4, 3], [2, 0, 6, 1, 6], [6, 3, 7, 9, 2], [1, 4, 9, 5, 1]])
>>> kernel = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]])
>>> cross_correlation_at(image, kernel, (0, 0)), convolution_at(image, kernel, (2, 2))
(25, 21)
>>> centred_at(image, kernel, (1, 1))
21
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Shaped

from striate.pixels.sliding import Slide, inside

Place = tuple[int, ...]
Array = Shaped[np.ndarray, "..."]


def cross_correlation_at(
    image: Array, kernel: Array, at: Place, *, dilation: Place = (1, 1), border: str = "zero"
) -> Any:
    """The kernel laid over the pixels from `at` onwards, unflipped."""
    total = 0
    for a in np.ndindex(*kernel.shape):
        total += (
            pixel(image, [i + d * step for i, d, step in zip(at, dilation, a, strict=False)], border)
            * kernel[a].item()
        )
    return total


def convolution_at(
    image: Array, kernel: Array, at: Place, *, dilation: Place = (1, 1), border: str = "zero"
) -> Any:
    """The kernel's first weight on the pixel at `at`, its next ones on the pixels before it."""
    total = 0
    for a in np.ndindex(*kernel.shape):
        total += (
            pixel(image, [i - d * step for i, d, step in zip(at, dilation, a, strict=False)], border)
            * kernel[a].item()
        )
    return total


def centred_at(
    image: Array, kernel: Array, at: Place, *, dilation: Place = (1, 1), border: str = "zero"
) -> Any:
    """The kernel's middle weight on the pixel at `at`, the weights after it on the pixels before; odd sizes."""
    middle = [size // 2 for size in kernel.shape]
    total = 0
    for index in np.ndindex(*kernel.shape):
        a = [one - half for one, half in zip(index, middle, strict=True)]
        total += (
            pixel(image, [i - d * step for i, d, step in zip(at, dilation, a, strict=False)], border)
            * kernel[index].item()
        )
    return total


DEFINITIONS: dict[str, Callable[..., Any]] = {
    "cross-correlation": cross_correlation_at,
    "convolution": convolution_at,
    "centred": centred_at,
}


def convolve_by_loops(
    image: Array,
    kernel: Array,
    sliding: tuple[Slide, ...],
    *,
    border: str = "zero",
    indexing: str = "cross-correlation",
) -> Array:
    """One map: the definition at every place where `sliding` puts the window; one slide an axis of the image.

    >>> convolve_by_loops(np.array([1, 2, 3, 4, 5]), np.array([3, 2, 1]), (Slide(5, 3, 1, 2, 2),),
    ...                   indexing="convolution").tolist()
    [3, 8, 14, 20, 26, 14, 5]
    """
    # The definitions disagree about which pixel of its window a cell is named after, not about the window.
    named_after = {
        "cross-correlation": lambda m: 0,
        "convolution": lambda m: m - 1,
        "centred": lambda m: m // 2,
    }
    result = np.zeros([slide.cells for slide in sliding], np.result_type(image, kernel))
    for cell in np.ndindex(*result.shape):
        at = tuple(
            int(slide.pixels(index)[named_after[indexing](slide.window)])
            for slide, index in zip(sliding, cell, strict=True)
        )
        result[cell] = DEFINITIONS[indexing](
            image, kernel, at, dilation=tuple(slide.dilation for slide in sliding), border=border
        )
    return result


def pool_by_loops(image: Array, sliding: tuple[Slide, ...], summary: Callable[[Array], Any]) -> Array:
    """One map: `summary` (such as `np.max`) of the pixels in every window; no padding.

    >>> pool_by_loops(np.array([[1, 3, 6, 8], [4, 2, 9, 7]]), (Slide(2, 2, 2), Slide(4, 2, 2)), np.max).tolist()
    [[4.0, 9.0]]
    """
    result = np.zeros([slide.cells for slide in sliding])
    for cell in np.ndindex(*result.shape):
        window = np.ix_(*(slide.pixels(index) for slide, index in zip(sliding, cell, strict=True)))
        result[cell] = summary(image[window])
    return result


def pixel(image: Array, place: list[int], border: str) -> Any:
    """The value at a place, also beyond the border."""
    if not all(0 <= one < size for one, size in zip(place, image.shape, strict=True)):
        place = [
            int(inside(np.array([one]), size, border)[0])
            for one, size in zip(place, image.shape, strict=True)
        ]
    return 0 if -1 in place else image[tuple(place)].item()
