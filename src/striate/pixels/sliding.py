"""How a window slides along an axis: stride, padding, border, dilation, and the pixels that each cell sees."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int64, Shaped

from striate.errors import UsageError, suggestion

PADDINGS = ("valid", "same", "full")
BORDERS = {"zero": "constant", "edge": "edge", "reflect": "reflect", "circular": "wrap"}
"""What stands beyond the border, and what numpy calls it. `reflect` does not repeat the border itself."""

Padding = str | int | Sequence[Any]
Whole = int | Sequence[int]


@dataclass(frozen=True)
class Slide:
    """A window sliding along one axis, `before` and `after` pixels of padding at its ends.

    >>> slide = Slide(size=6, window=3, stride=2, before=1, after=1)
    >>> slide.cells, slide.pixels(0).tolist(), slide.pixels(2).tolist()
    (3, [-1, 0, 1], [3, 4, 5])
    """

    size: int
    window: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1

    @property
    def reach(self) -> int:
        """Pixels from the first to the last that one window sees."""
        return self.dilation * (self.window - 1) + 1

    @property
    def cells(self) -> int:
        """Cells of the result; none or fewer where the window does not fit once."""
        return (self.size + self.before + self.after - self.reach) // self.stride + 1

    def pixels(self, cell: int) -> Int64[np.ndarray, " window"]:
        """The pixels that a cell sees, in order; those outside 0..size-1 lie in the padding."""
        return cell * self.stride - self.before + self.dilation * np.arange(self.window, dtype=np.int64)


def slides(
    sizes: Sequence[int],
    windows: Sequence[int],
    stride: Whole = 1,
    padding: Padding = "valid",
    dilation: Whole = 1,
    flipped: bool = False,
) -> tuple[Slide, ...]:
    """One slide an axis, checked; UsageError says which number does not fit which.

    >>> [(s.before, s.after, s.cells) for s in slides((28, 28), (5, 2), padding="same")]
    [(2, 2, 28), (0, 1, 28)]

    "same" keeps the size at stride 1 and centres the window. A window of even reach has its odd pixel of padding
    at the end, as torch does; a flipped one at the start, as numpy and scipy do.
    """
    axes = len(sizes)
    strides, dilations = per_axis(stride, axes, "stride"), per_axis(dilation, axes, "dilation")
    made = []
    for axis, (size, window) in enumerate(zip(sizes, windows, strict=True)):
        reach = dilations[axis] * (window - 1) + 1
        before, after = _ends(padding, axis, axes, reach, flipped)
        made.append(Slide(size, window, strides[axis], before, after, dilations[axis]))
    if any(slide.cells < 1 for slide in made):
        window = _times(slide.reach for slide in made)
        room = _times(slide.size + slide.before + slide.after for slide in made)
        padded = " with its padding" if any(slide.before + slide.after for slide in made) else ""
        what = "a signal" if axes == 1 else "an image"
        raise UsageError(
            f"a window of {window} does not fit {what} of {room}{padded}; "
            'take a smaller window or more padding, such as padding="same".'
        )
    return tuple(made)


def per_axis(value: Whole, axes: int, word: str) -> tuple[int, ...]:
    """One whole number for every axis, or one each, at least 1; UsageError names the word."""
    values = (value,) * axes if isinstance(value, (int, np.integer)) else tuple(value)
    if len(values) != axes:
        raise UsageError(f"{word} needs 1 number or {axes}, one an axis; got {len(values)}.")
    for one in values:
        if not isinstance(one, (int, np.integer)) or one < 1:
            raise UsageError(f"{word} must be a whole number of at least 1; got {one}.")
    return tuple(map(int, values))


def check_border(border: str) -> None:
    """UsageError for a border that has no name here."""
    if border not in BORDERS:
        raise UsageError(f"there is no border {border!r}; {suggestion(border, BORDERS)}")


def padded(
    image: Shaped[np.ndarray, "_height _width channel"], sliding: Sequence[Slide], border: str
) -> Shaped[np.ndarray, "_padded_height _padded_width channel"]:
    """The image with what stands beyond its border written out; the image itself where nothing is added."""
    ends = [(slide.before, slide.after) for slide in sliding]
    if not any(map(any, ends)):
        return image
    mode: Any = BORDERS[border]
    return np.pad(image, [*ends, (0, 0)], mode=mode)


def inside(pixels: Int64[np.ndarray, " window"], size: int, border: str) -> Int64[np.ndarray, " window"]:
    """The pixel of the image that stands at each place, also beyond the border; -1 is a zero of the padding.

    >>> inside(np.arange(-2, 5), 3, "reflect").tolist(), inside(np.arange(-2, 5), 3, "circular").tolist()
    ([2, 1, 0, 1, 2, 1, 0], [1, 2, 0, 1, 2, 0, 1])
    """
    if border == "edge":
        return np.clip(pixels, 0, size - 1)
    if border == "circular":
        return pixels % size
    if border == "reflect":
        period = max(2 * (size - 1), 1)
        folded = pixels % period
        return np.minimum(folded, period - folded) if size > 1 else np.zeros_like(pixels)
    return np.where((pixels >= 0) & (pixels < size), pixels, -1)


def _ends(padding: Padding, axis: int, axes: int, reach: int, flipped: bool) -> tuple[int, int]:
    if isinstance(padding, str):
        if padding not in PADDINGS:
            raise UsageError(
                f"there is no padding {padding!r}; {suggestion(padding, PADDINGS)} Or a number of pixels."
            )
        if padding == "same":
            small, large = (reach - 1) // 2, reach // 2
            return (large, small) if flipped else (small, large)
        return (reach - 1, reach - 1) if padding == "full" else (0, 0)
    given: Any = padding
    if not isinstance(padding, (int, np.integer)):
        if len(padding) != axes:
            raise UsageError(f"padding needs 1 number or {axes}, one an axis; got {len(padding)}.")
        given = padding[axis]
    ends = (given, given) if isinstance(given, (int, np.integer)) else tuple(given)
    if len(ends) != 2 or any(not isinstance(end, (int, np.integer)) or end < 0 for end in ends):
        raise UsageError(
            f"padding must be whole numbers of pixels of at least 0, one or two an axis; got {given}."
        )
    return int(ends[0]), int(ends[1])


def _times(numbers: Any) -> str:
    return " × ".join(map(str, numbers))
