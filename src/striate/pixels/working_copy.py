"""A picture small enough to be handed about: 8 bits, no side above a number of pixels."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from striate.drawing.tiles import reduced
from striate.errors import ImageError, UsageError
from striate.pixels.picture import ImageArray, LookUpTable, Window
from striate.pixels.preview import in_eight_bits

SMALLEST, LARGEST = 8, 512
SHOWN_CHANNELS = (1, 3)


@dataclass(frozen=True, eq=False)
class WorkingCopy:
    """`pixels` are uint8 `height width channel`, 1 or 3 channels; `words` say what black and white stand for."""

    pixels: UInt8[np.ndarray, "_height _width _channel"]
    words: str


def working_copy(
    image: ImageArray, longest: int = 256, *, window: Window | LookUpTable | None = None
) -> WorkingCopy:
    """The picture in 8 bits, reduced until its longer side has at most `longest` pixels; never enlarged.

    >>> working_copy(np.zeros((300, 600, 3), np.uint8)).pixels.shape
    (128, 256, 3)
    >>> working_copy(np.array([[[7], [4095]]], np.uint16)).words
    '7 is black, 4,095 white'

    uint8 stays as it is; other depths are seen through the `window` of their file, or from their own lowest value to
    their highest. To be looked at and played with, never to be measured. Raises UsageError for `longest` outside
    8..512, ImageError for a picture that is neither grey nor red, green and blue.
    """
    if not SMALLEST <= longest <= LARGEST:
        raise UsageError(f"longest must be {SMALLEST} to {LARGEST} pixels; got {longest}.")
    if image.shape[2] not in SHOWN_CHANNELS:
        raise ImageError(
            f"it has {image.shape[2]} channels; 1 (grey) or 3 (red, green and blue) can be shown"
        )
    values, words = in_eight_bits(image, window)
    return WorkingCopy(np.ascontiguousarray(reduced(values, longest)), words)
