"""A picture of any depth as a small PNG for the eye, and what its black and white stand for."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from striate.drawing.tiles import png_bytes, reduced, to_uint8
from striate.pixels.picture import ImageArray, LookUpTable, Window
from striate.pixels.windowing import apply_window, window_name


@dataclass(frozen=True)
class Preview:
    """`png` is a PNG file in 8 bits, `height` by `width`; `words` say how values became grey levels.

    Only for showing: no number is computed from it.
    """

    png: bytes
    height: int
    width: int
    words: str


def preview(
    pixels: ImageArray, *, window: Window | LookUpTable | None = None, largest: int | None = None
) -> Preview:
    """A picture for the eye, at most `largest` pixels a side.

    >>> found = preview(np.array([[[0], [2048], [4095]]], np.uint16))
    >>> found.png[:4], found.height, found.width, found.words
    (b'\\x89PNG', 1, 3, '0 is black, 4,095 white')
    >>> preview(np.zeros((300, 200, 3), np.uint8), largest=96).height
    96

    8 bits are shown as they are; other depths through the `window`, else from their own lowest value to their highest.
    Of two channels the first is shown, of more than three the first three.
    """
    channels = pixels.shape[2]
    shown = pixels if channels in (1, 3) else pixels[:, :, : 1 if channels == 2 else 3]
    words = "" if shown.shape[2] == channels else f", {shown.shape[2]} of {channels} channels"
    values, how = in_eight_bits(shown, window)
    small = values if largest is None else reduced(values, largest)
    return Preview(png_bytes(small), small.shape[0], small.shape[1], how + words)


def in_eight_bits(
    pixels: ImageArray, window: Window | LookUpTable | None
) -> tuple[UInt8[np.ndarray, "_height _width _channel"], str]:
    """A picture of 1 or 3 channels in 8 bits for the eye, and how: as it is, through a window, or stretched."""
    if window is not None and pixels.shape[2] == 1 and pixels.dtype != np.uint8:
        levels = apply_window(pixels[:, :, 0], window)[:, :, None]
        return to_uint8(levels, 0.0, 65535.0), _through(window)
    return to_uint8(pixels), _range(pixels)


def _through(window: Window | LookUpTable) -> str:
    named = f" {window_name(window)}" if isinstance(window, Window) else ""
    return f"through the file's own window{named}"


def _range(pixels: ImageArray) -> str:
    if pixels.dtype == np.uint8:
        return "0 is black, 255 white"
    finite = pixels[np.isfinite(pixels)]
    if not finite.size:
        return "no value is finite"
    low, high = finite.min().item(), finite.max().item()
    form = ",.4g" if isinstance(low, float) else ",d"
    return f"{low:{form}} is black, {high:{form}} white" if high > low else f"every value is {low:{form}}"
