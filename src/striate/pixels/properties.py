"""Why convolution: equivariance and invariance measured on a picture, connections and parameters counted.

>>> count_dense((28, 28), units=100).connections, count_convolution((28, 28), filters=8, window=3).parameters
(78400, 80)
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Shaped

from striate.errors import UsageError
from striate.pixels.convolution import Array
from striate.pixels.sliding import Padding, Whole, slides

Shift = tuple[int, int]


@dataclass(frozen=True)
class Shifted:
    """What became of a function's output when its input was moved.

    `cells` is how far the output was moved before it was compared; `largest` the largest difference, as a share of
    the output's largest magnitude; `equal` the share of cells that agree to within 1e-6 of it; `margin` how many
    cells in from the border the last disagreement lies, the number of cells that the border has spoilt.
    """

    cells: tuple[float, float]
    largest: float
    equal: float
    margin: int
    size: tuple[int, int]

    @property
    def holds(self) -> bool:
        """Whether the middle half of the map agrees throughout, along both axes."""
        return 4 * self.margin <= min(self.size)


def equivariance(
    function: Callable[[Array], Array],
    image: Shaped[np.ndarray, "_height _width ..."],
    shift: Shift,
    *,
    stride: Whole | None = None,
) -> Shifted:
    """Is the function of the moved image the moved function of the image? Measured, for any function of arrays.

    >>> from striate.pixels.convolution import convolve
    >>> image = np.random.default_rng(0).normal(size=(32, 32))
    >>> answer = equivariance(lambda x: convolve(x, np.ones((3, 3)), padding="same"), image, (2, 3))
    >>> answer.holds, answer.margin, equivariance(lambda x: x.cumsum(axis=1), image, (2, 3)).holds
    (True, 4, False)

    The image is moved by whole pixels down and to the right, and what leaves it enters on the other side; so the
    border disagrees, and the result says how far in. `stride`, the pixels between neighbouring cells, is taken from the
    sizes unless given; the output is moved by `shift / stride`, to the nearest cell. Raises UsageError for a
    shift beyond a quarter of the image, which would leave no middle to judge.
    """
    return _compared(function, image, shift, stride, move_output=True)


def invariance(
    function: Callable[[Array], Array],
    image: Shaped[np.ndarray, "_height _width ..."],
    shift: Shift,
    *,
    stride: Whole | None = None,
) -> Shifted:
    """Does the function's output stay where it is when the image moves? `equal` says how much of it does.

    >>> from striate.pixels.pooling import pool
    >>> image = np.zeros((32, 32))
    >>> image[::4, ::4] = 1
    >>> invariance(lambda x: x, image, (0, 1)).equal, invariance(lambda x: pool(x, "max"), image, (0, 1)).equal
    (0.875, 1.0)
    """
    return _compared(function, image, shift, stride, move_output=False)


@dataclass(frozen=True)
class LayerCount:
    """What one layer costs: numbers in and out, products of a weight with an input, and weights with biases."""

    inputs: int
    outputs: int
    connections: int
    parameters: int


def count_dense(shape: tuple[int, ...], units: int) -> LayerCount:
    """A dense layer on a flattened image: every unit has a weight for every input, and a bias.

    >>> [count_dense(shape, 1).inputs for shape in ((28, 28), (28, 28, 3), (400, 400, 3), (1000, 1000, 3))]
    [784, 2352, 480000, 3000000]
    >>> count_dense((400, 400, 3), units=1000).parameters
    480001000
    """
    inputs = int(np.prod(shape))
    if min(*shape, units) < 1:
        raise UsageError(f"an image of {shape} and {units} units cannot be; all are at least 1.")
    return LayerCount(inputs, units, inputs * units, (inputs + 1) * units)


def count_convolution(
    shape: tuple[int, ...],
    filters: int,
    window: Whole,
    *,
    stride: Whole = 1,
    padding: Padding = "valid",
    dilation: Whole = 1,
) -> LayerCount:
    """A convolution on the same image: each cell sees one window, and all cells of a map share their weights.

    >>> count_convolution((400, 400, 3), filters=1, window=3)
    LayerCount(inputs=480000, outputs=158404, connections=4276908, parameters=28)

    The image is `height width` or `height width channel`. Connections into the padding are counted.
    """
    if not 2 <= len(shape) <= 3 or min(*shape, filters) < 1:
        raise UsageError(
            f"an image of {shape} and {filters} filters cannot be; all are at least 1, of 2 or 3 axes."
        )
    windows = (window, window) if isinstance(window, int) else tuple(window)
    rows, columns = slides(shape[:2], windows, stride, padding, dilation)
    weights = rows.window * columns.window * (shape[2] if len(shape) == 3 else 1)
    outputs = rows.cells * columns.cells * filters
    return LayerCount(int(np.prod(shape)), outputs, outputs * weights, (weights + 1) * filters)


def _compared(
    function: Callable[[Array], Array], image: Array, shift: Shift, stride: Whole | None, move_output: bool
) -> Shifted:
    if any(abs(step) * 4 > size for step, size in zip(shift, image.shape, strict=False)):
        raise UsageError(
            f"a shift of {shift} is more than a quarter of an image of {image.shape[0]} × {image.shape[1]}."
        )
    before = np.asarray(function(image), np.float64)
    after = np.asarray(function(np.roll(image, shift, axis=(0, 1))), np.float64)
    if before.ndim < 2 or before.shape != after.shape:
        raise UsageError(
            f"the function must give a map `height width …` of one shape; got {before.shape} and {after.shape}."
        )
    if stride is None:
        steps = [
            max(1, round(size / cells)) for size, cells in zip(image.shape, before.shape[:2], strict=False)
        ]
    else:
        steps = [stride, stride] if isinstance(stride, int) else list(stride)
    cells = tuple(step / each if move_output else 0.0 for step, each in zip(shift, steps, strict=True))
    expected = np.roll(before, tuple(int(np.floor(cell + 0.5)) for cell in cells), axis=(0, 1))
    largest = float(np.abs(before).max()) or 1.0
    difference = np.abs(after - expected).reshape(*before.shape[:2], -1).max(axis=2) / largest
    agree = difference <= 1e-6
    return Shifted(
        cells=(cells[0], cells[1]),
        largest=float(difference.max()),
        equal=float(agree.mean()),
        margin=_margin(agree, difference),
        size=(before.shape[0], before.shape[1]),
    )


def _margin(agree: Bool[np.ndarray, "height width"], difference: Float64[np.ndarray, "height width"]) -> int:
    """Rings of cells from the border inwards, up to the innermost one with a disagreement in it."""
    height, width = difference.shape
    down = np.minimum(np.arange(height), np.arange(height)[::-1])
    across = np.minimum(np.arange(width), np.arange(width)[::-1])
    rings = np.minimum(down[:, None], across[None, :]) + 1
    return int(np.where(agree, 0, rings).max())
