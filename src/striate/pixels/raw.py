"""A decoded picture as an exported model takes it: its raw values, and the largest that its depth can hold."""

import numpy as np
from jaxtyping import Float32

from striate.pixels.picture import Picture
from striate.pixels.preparation import FILE_WINDOW, Preparation
from striate.pixels.windowing import apply_window, full_window

LARGEST = {"uint8": 255.0, "uint16": 65535.0, "int16": 1.0, "float32": 1.0}
"""What `full_scale` is for each depth: floating-point pixels and measured units are taken as they are."""


def raw_values(
    picture: Picture, preparation: Preparation
) -> tuple[Float32[np.ndarray, "height width channel"], float]:
    """The pixels as float32 without any scaling, and `full_scale`.

    >>> from striate.pixels.picture import Description
    >>> grey = Preparation(height=2, width=2, channels=1, depth="uint8")
    >>> values, full_scale = raw_values(Picture(np.full((4, 3, 1), 7, np.uint16), Description(4, 3, 1, "uint16")), grey)
    >>> values.shape, values.max(), full_scale
    ((4, 3, 1), np.float32(7.0), 65535.0)

    Where the preparation asks for each file's own window, grey pixels go through it here: no exported graph can know
    it. 16 bits fit into float32 exactly.
    """
    pixels, own = picture.pixels, picture.description.window
    if preparation.window == FILE_WINDOW and pixels.shape[2] == 1:
        if own is None and pixels.dtype == np.int16:
            own = full_window(-32768.0, 32767.0)
        pixels = pixels if own is None else apply_window(pixels, own)
    return pixels.astype(np.float32), LARGEST[str(pixels.dtype)]
