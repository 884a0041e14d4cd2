"""Pictures of every kind with the pixels that must come out, by hand or from other people's writers and decoders."""

import io
from typing import NamedTuple

import numpy as np
import tifffile
from PIL import Image

RNG = np.random.default_rng(7)
SIX = np.array([[1, 2, 3], [4, 5, 6]])
GREY = RNG.integers(0, 256, (9, 13, 1), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (9, 13, 3), dtype=np.uint8)
GREY16 = RNG.integers(0, 65536, (9, 13, 1), dtype=np.uint16)
COLOUR16 = RNG.integers(0, 65536, (9, 13, 3), dtype=np.uint16)
SIGNED = RNG.integers(-32768, 32768, (9, 13, 1)).astype(np.int16)
REAL = RNG.normal(size=(9, 13, 1)).astype(np.float32) * 1000
BITS = RNG.integers(0, 2, (9, 13, 1), dtype=np.uint8)
SMOOTH = (np.indices((32, 48)).sum(axis=0) * 3)[..., None].astype(np.uint8)
SMOOTH3 = np.concatenate([SMOOTH, 255 - SMOOTH, SMOOTH // 2], axis=2)


class Golden(NamedTuple):
    """A file, what must come out of it, and what its header must say."""

    name: str
    data: bytes
    pixels: np.ndarray
    mode: str
    bits: int
    image: int = 0


def pillow(array: np.ndarray, kind: str, mode: str | None = None, **options) -> bytes:
    """The file that Pillow writes."""
    image = Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)
    file = io.BytesIO()
    (image.convert(mode) if mode else image).save(file, kind, **options)
    return file.getvalue()


def written_tiff(array: np.ndarray, **options) -> bytes:
    """The file that tifffile writes."""
    file = io.BytesIO()
    options = {
        "photometric": "rgb" if array.shape[-1] in (3, 4) else "minisblack",
        "metadata": None,
    } | options
    tifffile.imwrite(file, array[..., 0] if array.shape[-1] == 1 else array, **options)
    return file.getvalue()


def white(colour: np.ndarray, alpha: np.ndarray, full: int) -> np.ndarray:
    """Colour laid on white in exact arithmetic, rounded to the nearest; 255 and 65535 are odd, so there are no ties."""
    exact = colour.astype(object) * alpha + full * (full - alpha.astype(object))
    return np.array((2 * exact + full) // (2 * full), dtype=colour.dtype)


def light(inks: np.ndarray) -> np.ndarray:
    """(1 - ink)(1 - black) in floating point, rounded."""
    share = 1 - inks / 255
    return np.rint(255 * share[..., :3] * share[..., 3:]).astype(np.uint8)


def row(values: list[int], dtype: type = np.uint8) -> np.ndarray:
    """One row of grey."""
    return np.array(values, dtype).reshape(1, -1, 1)


def painted_with(palette: bytes, indices: np.ndarray) -> np.ndarray:
    """Colours by their indices."""
    return np.frombuffer(palette, np.uint8).reshape(-1, 3)[indices]


def together(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colour with its opacity behind it."""
    return np.concatenate([colour, alpha], axis=2)
