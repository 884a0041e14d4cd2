"""What a picture is once it has been read: its pixels, and what its file says about them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32, Int16, UInt8, UInt16

ImageArray = (
    UInt8[np.ndarray, "_height _width _channel"]
    | UInt16[np.ndarray, "_height _width _channel"]
    | Int16[np.ndarray, "_height _width _channel"]
    | Float32[np.ndarray, "_height _width _channel"]
)


@dataclass(frozen=True)
class Window:
    """The values of interest, as a centre and a width in the picture's own units, and the curve across them.

    DICOM PS3.3, section C.11.2.1.2: LINEAR, LINEAR_EXACT or SIGMOID.
    """

    centre: float
    width: float
    function: Literal["linear", "linear_exact", "sigmoid"] = "linear"


@dataclass(frozen=True)
class LookUpTable:
    """A curve given value by value: entry i stands for the value `first + i`, and both ends go on flat.

    DICOM PS3.3, section C.11.2.1.1; `full` is the largest value that an entry may have.
    """

    first: int
    entries: tuple[int, ...]
    full: int


@dataclass(frozen=True)
class Description:
    """Size, channels, depth and kind of a picture, told by its header alone.

    `format` is that of the content (PNG, JPEG, DICOM, …), whatever the file is called; `mode` is the file's own
    kind of pixels (RGBA, palette, MONOCHROME1, …) and `bits` its own bits a sample, before anything is converted.
    `images` counts the pages or frames of the whole file. `window` is the view the file itself asks for.
    `frames` counts those of an animation, of which only the first is read.
    """

    height: int
    width: int
    channels: int
    depth: str
    format: str = "array"
    mode: str = ""
    bits: int = 0
    images: int = 1
    window: Window | LookUpTable | None = None
    frames: int = 1


@dataclass(frozen=True, eq=False)
class Picture:
    """Decoded pixels `height width channel` with the description of the file they came in."""

    pixels: ImageArray
    description: Description
