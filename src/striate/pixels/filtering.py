"""What filters are used for, and what a picture is made of: gradients, channels, sampling, levels, storage.

>>> red, green, blue = split_channels(np.arange(12, dtype=np.uint8).reshape(2, 2, 3))
>>> green.tolist(), merge_channels(red, green, blue)[1, 1].tolist()
([[1, 4], [7, 10]], [9, 10, 11])
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Shaped

from striate.errors import UsageError, suggestion
from striate.pixels import kernels
from striate.pixels.convolution import Array, ArrayLike, as_numbers, convolve
from striate.pixels.sliding import Padding

# To the right and downwards. Prewitt's second kernel points upwards; Roberts's two point to the upper corners and are
# turned by an eighth of a circle.
PAIRS = {
    "sobel": (kernels.sobel_x, kernels.sobel_y),
    "scharr": (kernels.scharr_x, kernels.scharr_y),
    "prewitt": (kernels.prewitt_x, -kernels.prewitt_y),
    "roberts": (
        (kernels.roberts_x - kernels.roberts_y) / np.sqrt(2),
        (-kernels.roberts_x - kernels.roberts_y) / np.sqrt(2),
    ),
}

# ITU-R BT.601-7, section 2.5.1, and BT.709-6, section 3: luma of R'G'B'.
GREY_WEIGHTS = {
    "bt601": (0.299, 0.587, 0.114),
    "bt709": (0.2126, 0.7152, 0.0722),
    "mean": (1 / 3, 1 / 3, 1 / 3),
}


def gradient_magnitude(
    image: ArrayLike, method: str = "sobel", *, padding: Padding = "same", border: str = "edge"
) -> Float64[np.ndarray, "..."]:
    """How steeply the brightness changes at each pixel, in the kernel's own units, each channel alone.

    >>> step = np.array([[0, 0, 8, 8]] * 4)
    >>> gradient_magnitude(step)[1].tolist(), gradient_magnitude(step, "prewitt")[1].tolist()
    ([0.0, 32.0, 32.0, 0.0], [0.0, 24.0, 24.0, 0.0])

    The square root of the sum of both derivatives' squares, by "sobel", "scharr", "prewitt" or "roberts". A border
    that repeats the edge adds no edge of its own.
    """
    return np.hypot(*_gradient(image, method, padding, border))


def gradient_direction(
    image: ArrayLike, method: str = "sobel", *, padding: Padding = "same", border: str = "edge"
) -> Float64[np.ndarray, "..."]:
    """Whereto the brightness rises fastest: degrees 0..360, 0 to the right, 90 downwards, as OpenCV's `phase`.

    >>> float(gradient_direction([[0, 0, 8]] * 3)[1, 1]), float(gradient_direction([[9] * 3, [5] * 3, [1] * 3])[1, 1])
    (0.0, 270.0)

    0 where nothing changes.
    """
    right, down = _gradient(image, method, padding, border)
    degrees = np.degrees(np.arctan2(down, right)) % 360
    return np.where(degrees >= 360, 0.0, degrees)  # the remainder of a tiny negative angle rounds to 360


def _gradient(
    image: ArrayLike, method: str, padding: Padding, border: str
) -> list[Float64[np.ndarray, "..."]]:
    if method not in PAIRS:
        raise UsageError(f"there is no gradient {method!r}; {suggestion(method, PAIRS)}")
    return [
        convolve(image, kernel, padding=padding, border=border, axes=2).astype(np.float64, copy=False)
        for kernel in PAIRS[method]
    ]


def split_channels(image: Shaped[np.ndarray, "height width channel"]) -> tuple[Array, ...]:
    """Each channel as a map `height width` of its own: red, green and blue of a colour picture."""
    return tuple(np.ascontiguousarray(image[:, :, channel]) for channel in range(image.shape[2]))


def merge_channels(
    *channels: Shaped[np.ndarray, "_height _width"],
) -> Shaped[np.ndarray, "height width channel"]:
    """Maps of one size as the channels of one picture; UsageError for maps of different sizes."""
    shapes = list(dict.fromkeys(channel.shape for channel in channels))
    if len(shapes) != 1:
        raise UsageError(f"channels must have one size; got {' and '.join(map(str, shapes)) or 'none'}.")
    return np.stack(channels, axis=2)


def to_grey(
    image: Shaped[np.ndarray, "height width 3"], weights: str | Sequence[float | int] = "bt601"
) -> Float64[np.ndarray, "height width"]:
    """Red, green and blue as one brightness, not rounded; the weights are named or given, and sum to one.

    >>> to_grey(np.array([[[255, 0, 0], [0, 255, 0], [255, 255, 255]]], np.uint8)).round(3).tolist()
    [[76.245, 149.685, 255.0]]

    "bt601" (luma of standard television and JPEG), "bt709" (of high definition and sRGB) or "mean".
    """
    if isinstance(weights, str) and weights not in GREY_WEIGHTS:
        raise UsageError(f"there are no weights {weights!r}; {suggestion(weights, GREY_WEIGHTS)}")
    values = np.array(GREY_WEIGHTS[weights] if isinstance(weights, str) else weights, float)
    if values.shape != (3,) or not abs(values.sum() - 1) < 1e-6:
        raise UsageError(f"weights must be 3 numbers that sum to 1; got {values.tolist()}.")
    return image.astype(np.float64) @ values


def sample(image: ArrayLike, step: int) -> Array:
    """Every `step`-th pixel of every `step`-th row: fewer pixels, nothing averaged.

    >>> sample(np.zeros((400, 400, 3)), 4).shape
    (100, 100, 3)
    """
    if step < 1:
        raise UsageError(f"step must be at least 1; got {step}.")
    return np.ascontiguousarray(as_numbers(image, "image")[::step, ::step])


def quantise(image: ArrayLike, levels: int, *, full: float | int | None = None) -> Array:
    """The same pixels in fewer grey levels: 0..full in `levels` equal steps, each told by its middle one's value.

    >>> quantise(np.array([[0, 100, 150, 255]], np.uint8), 2).tolist()
    [[64, 64, 192, 192]]

    The dtype stays. `full` is the top of the range, 255 for uint8, 65,535 for uint16 and 1.0 for floats unless
    given; values beyond are held at the last level. Gonzalez & Woods 2018, section 2.4.
    """
    picture = as_numbers(image, "image")
    if levels < 1:
        raise UsageError(f"levels must be at least 1; got {levels}.")
    whole = picture.dtype.kind in "ui"
    top = full if full is not None else float(np.iinfo(picture.dtype).max) if whole else 1.0
    steps = top + 1 if whole else top
    level = np.clip(np.floor(picture * (levels / steps)), 0, levels - 1)
    middle = (level + 0.5) * (steps / levels) - (0.5 if whole else 0.0)
    return (np.rint(middle) if whole else middle).astype(picture.dtype)


def storage_bytes(height: int, width: int, channels: int = 1, bits: int = 8) -> int:
    """What a picture takes uncompressed.

    >>> storage_bytes(1000, 1000, 3), storage_bytes(28, 28), storage_bytes(512, 512, 1, bits=1)
    (3000000, 784, 32768)

    The bits of all samples in a row, rounded up to whole bytes. UsageError for a count below one.
    """
    if min(height, width, channels, bits) < 1:
        raise UsageError(
            f"a picture of {height} × {width} × {channels} at {bits} bits cannot be; all are at least 1."
        )
    return -(-height * width * channels * bits // 8)


def one_hot(labels: ArrayLike, classes: int) -> Float64[np.ndarray, "batch class"]:
    """Labels 0..classes-1 as rows with a single one.

    >>> one_hot([2, 0], classes=3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    numbers = as_numbers(labels, "labels")
    if numbers.ndim != 1 or numbers.dtype.kind not in "ui" or numbers.min() < 0 or numbers.max() >= classes:
        raise UsageError(
            f"labels must be whole numbers from 0 to {classes - 1}, one an image; got {numbers.tolist()}."
        )
    return np.eye(classes)[numbers]


def stack_images(
    images: Sequence[Shaped[np.ndarray, "_height _width _channel"]],
) -> Shaped[np.ndarray, "batch height width channel"]:
    """Pictures of one size as a batch with its four dimensions.

    >>> stack_images([np.zeros((28, 28, 3), np.uint8)] * 32).shape
    (32, 28, 28, 3)

    UsageError names the first picture whose shape or dtype differs.
    """
    if not images:
        raise UsageError("a batch needs at least one picture.")
    first = images[0]
    for number, image in enumerate(images):
        if image.shape != first.shape or image.dtype != first.dtype:
            raise UsageError(
                f"a batch needs pictures of one shape and depth; number 0 is {first.shape} {first.dtype} and "
                f"number {number} is {image.shape} {image.dtype}."
            )
    return np.stack(images)
