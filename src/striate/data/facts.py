"""What decoding a picture tells for free, one record an image: the audit reads it, and nothing is decoded twice."""

import numpy as np
from jaxtyping import Shaped

from striate.pixels.picture import Picture

FACTS = np.dtype(
    [
        ("height", "u4"),
        ("width", "u4"),
        ("channels", "u1"),
        ("bits", "u1"),
        ("depth", "U8"),
        ("format", "U8"),
        ("mode", "U16"),
        ("low", "f4"),
        ("high", "f4"),
        ("mean", "f4"),
        ("deviation", "f4"),
    ]
)
"""Size, kind and the values' range, mean and deviation, over all channels of the picture as read."""


def facts_of(picture: Picture) -> Shaped[np.ndarray, ""]:
    """The record of one picture.

    >>> from striate.pixels.picture import Description
    >>> pixels = np.array([[[0], [255]]], np.uint8)
    >>> facts = facts_of(Picture(pixels, Description(1, 2, 1, "uint8", "PNG", "L", 8)))
    >>> facts["width"].item(), facts["high"].item(), facts["mean"].item(), facts["format"].item()
    (2, 255.0, 127.5, 'PNG')
    """
    pixels, said = picture.pixels, picture.description
    wide = pixels.astype(np.float64, copy=False)
    record = (*pixels.shape, said.bits, said.depth, said.format, said.mode)
    measured = (pixels.min(), pixels.max(), wide.mean(), wide.std())
    return np.array((*record, *measured), dtype=FACTS)
