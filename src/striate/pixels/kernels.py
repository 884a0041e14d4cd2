"""Named kernels, each with what it answers to and where it comes from, and kernels typed as rows of numbers.

Conventions, told once. A kernel is written as it is laid over the picture, row by row from the top, and slid
without flipping (`convolve`'s default, and what OpenCV's `filter2D` does). `_x` answers to a change to the right:
its sum is positive where the picture grows brighter to the right, so `sobel_x` finds *vertical* edges and is also
called `sobel_vertical`; `sobel_y` answers to a change downwards and is also called `sobel_horizontal`. OpenCV's
`Sobel`, `Scharr` and `Laplacian` use the same signs and weights. Prewitt's and Roberts's pairs have the signs in
which they are taught: `prewitt_y` answers to a change *upwards*, Roberts's pair to the two diagonals. Who flips a
kernel before sliding it (true convolution) turns the sign of each of these derivatives round.

>>> sobel_x
array([[-1,  0,  1],
       [-2,  0,  2],
       [-1,  0,  1]])
>>> read("sobel_vertical") is sobel_x, read("0 -1 0; -1 5 -1; 0 -1 0").shape, read("gaussian:1.5").shape
(True, (3, 3), (11, 11))
"""

import math
import re
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Shaped

from striate.errors import UsageError, suggestion

Kernel = Shaped[np.ndarray, "_height _width"]


@dataclass(frozen=True, eq=False)
class Named:
    """A kernel with its name, what it does in half a sentence, and its source."""

    name: str
    weights: Kernel
    summary: str
    source: str


NAMED: dict[str, Named] = {}
"""The kernels below, in their order, without aliases."""

ALIASES = {
    "sobel_vertical": "sobel_x",
    "sobel_horizontal": "sobel_y",
    "laplacian": "laplacian_4",
    "box": "smooth",
}

_MOST_WEIGHTS = 10_000


def parse(text: str) -> Kernel:
    """A kernel typed as rows of numbers, rows parted by semicolons, numbers by spaces or commas; fractions allowed.

    >>> parse("1/9 1/9 1/9").round(3).tolist(), parse("0 -1; 1 0").tolist()
    ([[0.111, 0.111, 0.111]], [[0, -1], [1, 0]])

    Whole numbers give int64, anything else float64. UsageError for rows of unequal length, words, and numbers that
    are not finite.
    """
    rows = [row.replace(",", " ").split() for row in re.split(r"[;\n]", text.strip().strip(";"))]
    lengths = [len(row) for row in rows]
    if len(set(lengths)) > 1:
        short = next(index for index, length in enumerate(lengths) if length != lengths[0])
        raise UsageError(
            f"the rows of a kernel must be equally long; row 1 has {lengths[0]} numbers and "
            f"row {short + 1} has {lengths[short]}."
        )
    if not 0 < sum(lengths) <= _MOST_WEIGHTS:
        raise UsageError(f"a kernel has 1 to {_MOST_WEIGHTS:,} numbers; got {sum(lengths):,}.")
    weights = [[_number(word) for word in row] for row in rows]
    whole = all(isinstance(weight, int) for row in weights for weight in row)
    return _frozen(np.array(weights, np.int64 if whole else np.float64))


def _number(word: str) -> int | float:
    if re.fullmatch(r"[+-]?\d{1,15}", word, re.ASCII):
        return int(word)
    above, _, below = word.partition("/")
    try:
        value = float(above) / float(below) if below else float(word)
    except (ValueError, ZeroDivisionError):
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(
            f'{word!r} in a kernel is not a number; write rows such as "0 -1 0; -1 5 -1; 0 -1 0".'
        )
    return value


def _frozen(weights: Kernel) -> Kernel:
    weights.flags.writeable = False
    return weights


def _named(name: str, rows: str, summary: str, source: str) -> Kernel:
    NAMED[name] = Named(name, parse(rows), summary, source)
    return NAMED[name].weights


identity = _named("identity", "0 0 0; 0 1 0; 0 0 0", "the picture itself", "the unit of convolution")

sobel_x = _named(
    "sobel_x",
    "-1 0 1; -2 0 2; -1 0 1",
    "change to the right, smoothed downwards: vertical edges",
    "Sobel & Feldman 1968, in Duda & Hart 1973, p. 271",
)
sobel_y = _named(
    "sobel_y",
    "-1 -2 -1; 0 0 0; 1 2 1",
    "change downwards, smoothed to the side: horizontal edges",
    "Sobel & Feldman 1968, in Duda & Hart 1973, p. 271",
)
prewitt_x = _named(
    "prewitt_x", "-1 0 1; -1 0 1; -1 0 1", "change to the right, all rows equal", "Prewitt 1970"
)
prewitt_y = _named("prewitt_y", "1 1 1; 0 0 0; -1 -1 -1", "change upwards, all columns equal", "Prewitt 1970")
roberts_x = _named("roberts_x", "0 1; -1 0", "change from lower left to upper right", "Roberts 1963")
roberts_y = _named("roberts_y", "1 0; 0 -1", "change from lower right to upper left", "Roberts 1963")
scharr_x = _named(
    "scharr_x",
    "-3 0 3; -10 0 10; -3 0 3",
    "change to the right, more nearly alike in all directions",
    "Scharr 2000; the integer weights of OpenCV",
)
scharr_y = _named(
    "scharr_y",
    "-3 -10 -3; 0 0 0; 3 10 3",
    "change downwards, more nearly alike in all directions",
    "Scharr 2000; the integer weights of OpenCV",
)
laplacian_4 = _named(
    "laplacian_4",
    "0 1 0; 1 -4 1; 0 1 0",
    "second derivative: how far the four neighbours lie above the pixel",
    "Gonzalez & Woods 2018, section 3.6",
)
laplacian_8 = _named(
    "laplacian_8",
    "1 1 1; 1 -8 1; 1 1 1",
    "second derivative over eight neighbours",
    "Gonzalez & Woods 2018, section 3.6",
)
outline = _named(
    "outline",
    "-1 -1 -1; -1 8 -1; -1 -1 -1",
    "how far a pixel lies above its eight neighbours: outlines, flat parts zero",
    "the negative of laplacian_8",
)
edges = _named(
    "edges", "1 1 1; 1 -8 1; 1 1 1", "the same outlines with the other sign", "equal to laplacian_8"
)
blur = _named(
    "blur",
    "1/16 2/16 1/16; 2/16 4/16 2/16; 1/16 2/16 1/16",
    "weighted mean, the binomial approximation of a Gaussian",
    "Gonzalez & Woods 2018, section 3.5",
)
smooth = _named(
    "smooth",
    "1/9 1/9 1/9; 1/9 1/9 1/9; 1/9 1/9 1/9",
    "plain mean of nine pixels",
    "Gonzalez & Woods 2018, section 3.5",
)
sharpen = _named(
    "sharpen",
    "0 -1 0; -1 5 -1; 0 -1 0",
    "the picture less its 4-neighbour Laplacian",
    "Gonzalez & Woods 2018, section 3.6",
)
emboss = _named(
    "emboss",
    "-2 -1 0; -1 1 1; 0 1 2",
    "the picture plus its change towards the lower right: lit from one corner",
    "Powell, Image Kernels, setosa.io",
)

sobel_vertical = sobel_x
sobel_horizontal = sobel_y
laplacian = laplacian_4


def gaussian(sigma: float | int, size: int | None = None) -> Float64[np.ndarray, "size size"]:
    """A Gaussian of standard deviation `sigma` pixels, sampled at the pixels' middles, that sums to one.

    >>> gaussian(1.0).shape, gaussian(5.0).shape, gaussian(1.0, size=3).round(3).tolist()[1]
    ((7, 7), (31, 31), [0.124, 0.204, 0.124])

    `size` is odd; unless given, it reaches three standard deviations to each side. Raises UsageError for a
    sigma that is not above zero or above 1,000, and for an even size.
    """
    if not 0 < sigma <= 1000:
        raise UsageError(f"sigma must be above 0 and at most 1,000 pixels; got {sigma:g}.")
    if size is not None and (size < 1 or size % 2 == 0):
        raise UsageError(f"the size of a Gaussian must be odd, so that it has a middle; got {size}.")
    half = math.ceil(3 * sigma) if size is None else size // 2
    line = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    line /= line.sum()
    return np.outer(line, line)


def read(text: str) -> Kernel:
    """A kernel by its name, as `gaussian:SIGMA`, or typed as rows of numbers.

    >>> read("roberts_x").tolist()
    [[0, 1], [-1, 0]]

    UsageError suggests the nearest name.
    """
    word = text.strip()
    name = ALIASES.get(word, word)
    if name in NAMED:
        return NAMED[name].weights
    kind, colon, sigma = word.partition(":")
    if kind == "gaussian":
        try:
            return _frozen(gaussian(float(sigma)))
        except ValueError:
            raise UsageError(
                f"{word!r}: write the standard deviation in pixels, such as gaussian:2."
            ) from None
    if colon or re.match(r"[A-Za-z_]", word):
        names = [*NAMED, *ALIASES, "gaussian:SIGMA"]
        raise UsageError(f"there is no kernel {word!r}; {suggestion(word, names)} Or rows of numbers.")
    return parse(text)


def to_text(weights: Kernel) -> str:
    """The weights in aligned columns, a row a line; thirds, ninths and sixteenths as they are taught.

    >>> print(to_text(blur))
    1/16  2/16  1/16
    2/16  4/16  2/16
    1/16  2/16  1/16
    """
    common = next(
        (d for d in (1, 9, 16) if np.allclose(weights * d, np.rint(weights * d), rtol=0, atol=1e-9)), 0
    )
    if common:
        below = f"/{common}" if common > 1 else ""
        cells = [[f"{round(float(weight) * common)}{below}" for weight in row] for row in weights]
    else:
        cells = [[f"{float(weight):.4g}" for weight in row] for row in weights]
    width = max(len(cell) for row in cells for cell in row)
    return "\n".join("  ".join(f"{cell:>{width}}" for cell in row) for row in cells)
