"""A map of reasons over the picture it is about: grey picture, one colour scale, opacity as asked."""

import numpy as np
from jaxtyping import Float, Shaped, UInt8

from striate.drawing.scales import DIVERGING, SEQUENTIAL, diverging, sequential
from striate.drawing.tiles import to_uint8

ALPHA = 0.6
SMALLEST = 256
"""Pixels of the longer side from which a picture is large enough to be looked at as it is."""
LUMA = np.array([0.299, 0.587, 0.114])
"""ITU-R BT.601-7, section 2.5.1."""
Box = tuple[int, int, int, int]
"""Top, left, height and width."""


def overlay(
    picture: Shaped[np.ndarray, "height width channel"],
    values: Float[np.ndarray, "height width"],
    *,
    signed: bool,
    alpha: float = ALPHA,
    box: Box | None = None,
) -> UInt8[np.ndarray, "height width 3"]:
    """The picture in grey under the colours of a map, which count for `alpha`, 0 to 1.

    >>> overlay(np.full((1, 2, 1), 100, np.uint8), np.array([[0.0, 1.0]]), signed=False, alpha=0.5).tolist()
    [[[84, 50, 92], [176, 166, 68]]]

    Values that are not signed are dark at 0 and bright at their maximum; signed ones are blue below 0, red above,
    neutral at 0. Outside `box` the picture stays as it is: the network did not see it.
    """
    grey = np.repeat(to_grey(picture)[:, :, None], 3, axis=2).astype(np.float64)
    colours = diverging(values) if signed else sequential(values)
    top, left, height, width = box or (0, 0, *values.shape)
    inside = np.s_[top : top + height, left : left + width]
    grey[inside] += alpha * (colours[inside] - grey[inside])
    return np.rint(grey).astype(np.uint8)


def to_grey(picture: Shaped[np.ndarray, "height width channel"]) -> UInt8[np.ndarray, "height width"]:
    """A picture of any depth as 8 bits of grey for the eye; colour by its luma."""
    values = to_uint8(picture)
    return np.rint(values @ LUMA).astype(np.uint8) if values.shape[2] == 3 else values[:, :, 0]


def enlarged(
    picture: Shaped[np.ndarray, "height width channel"], smallest: int = SMALLEST
) -> Shaped[np.ndarray, "rows columns channel"]:
    """A small picture with every pixel repeated until its longer side has at least `smallest`.

    >>> enlarged(np.zeros((8, 6, 3), np.uint8)).shape, enlarged(np.zeros((300, 200, 1), np.uint8)).shape
    ((256, 192, 3), (300, 200, 1))
    """
    factor = -(-smallest // max(picture.shape[:2]))
    return picture if factor < 2 else picture.repeat(factor, axis=0).repeat(factor, axis=1)


def scale_svg(*, signed: bool) -> str:
    """The colours of a map from its lowest value to its highest, as a bar for a legend in the page's own text."""
    colours, width = DIVERGING if signed else SEQUENTIAL, 6
    bars = "".join(
        f'<rect x="{width * index}" width="{width}" height="12" fill="{colour}"/>'
        for index, colour in enumerate(colours)
    )
    size = width * len(colours)
    return f'<svg width="{size}" height="12" viewBox="0 0 {size} 12" aria-hidden="true">{bars}</svg>'
