"""Filter results as files: numbers as they are in NPY and TIFF, 16-bit pictures in PNG with the mapping stated."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Shaped, UInt16

from striate.errors import UsageError
from striate.files import replacing

if TYPE_CHECKING:
    from PIL.Image import Image

FULL, ZERO = 65535, 32768
"""The largest value of 16 bits, and the one that stands for zero in a picture of signed values."""

FILTER_ENDINGS = (".png", ".tif", ".tiff", ".npy")
Values = Shaped[np.ndarray, "_height _width _channel"]


@dataclass(frozen=True)
class Mapping:
    """How values become the 0..65535 of a PNG: `round(offset + scale · value)`, held within them.

    >>> Mapping.signed(1020.0).apply(np.array([[[-1020.0], [0.0], [510.0]]])).ravel().tolist()
    [1, 32768, 49152]
    >>> print(Mapping.signed(1020.0))
    0 is mid-grey 32768, -1020 is 1, 1020 is 65535
    """

    offset: float
    scale: float
    words: str

    @staticmethod
    def signed(limit: float) -> "Mapping":
        """Zero neutral: mid-grey, the same distance up and down for `limit` and `-limit`."""
        limit = limit or 1.0
        words = f"0 is mid-grey {ZERO}, {-limit:.6g} is 1, {limit:.6g} is {FULL}"
        return Mapping(float(ZERO), (FULL - ZERO) / limit, words)

    @staticmethod
    def between(low: float, high: float) -> "Mapping":
        """`low` black and `high` white."""
        scale = FULL / (high - low) if high > low else 0.0
        return Mapping(-low * scale, scale, f"{low:.6g} is 0, {high:.6g} is {FULL}")

    def apply(self, values: Values) -> UInt16[np.ndarray, "_height _width _channel"]:
        """The pixels; UsageError for values that are not finite."""
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise UsageError("some values are not finite and have no grey; write them to a .npy file.")
        return np.rint(np.clip(self._scaled(values), 0, FULL)).astype(np.uint16)

    def beyond(self, values: Values) -> int:
        """How many values lie below black or above white and are held there."""
        scaled = np.rint(self._scaled(values))
        return int(((scaled < 0) | (scaled > FULL)).sum())

    def _scaled(self, values: Values) -> Float64[np.ndarray, "_height _width _channel"]:
        return self.offset + self.scale * values.astype(np.float64)

    def __str__(self) -> str:
        return self.words


def full_scale(image: Values) -> tuple[float, float]:
    """Black and white of a picture as it was read: all of 8 or 16 bits; its own range where values are measured.

    >>> full_scale(np.zeros((2, 2, 1), np.uint16)), full_scale(np.array([[[-1000], [400]]], np.int16))
    ((0.0, 65535.0), (-1000.0, 400.0))
    """
    if image.dtype.kind == "u":
        return 0.0, float(np.iinfo(image.dtype).max)
    finite = image[np.isfinite(image)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return (0.0, 1.0) if image.dtype.kind == "f" and low >= 0 and high <= 1 else (low, high)


def check_ending(path: Path, endings: tuple[str, ...] = FILTER_ENDINGS) -> None:
    """UsageError for a file whose ending says no format that can be written."""
    if path.suffix.lower() not in endings:
        raise UsageError(f"{path}: the ending says the format; it can be {', '.join(endings)}.")


def write_values(path: Path, values: Values, mapping: Mapping) -> str:
    """Write values by the file's ending, and say how: PNG through the mapping, NPY and TIFF as the numbers they are.

    TIFF holds them as 32-bit floating point, which is exact for whole numbers up to 16,777,216.
    """
    check_ending(path)
    ending = path.suffix.lower()
    with replacing(path, values.size * 2) as partial, partial.open("wb") as file:
        if ending == ".npy":
            np.save(file, values)
            return f"{values.dtype} as computed"
        if ending == ".png":
            from imagecodecs import png_encode

            pixels = mapping.apply(values)
            file.write(png_encode(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels))
            held = mapping.beyond(values)
            return f"16 bits: {mapping}" + (f"; {held:,} values beyond are held there" if held else "")
        import tifffile

        grey = values.shape[2] != 3
        tifffile.imwrite(
            file,
            (values.transpose(2, 0, 1) if grey else values).astype(np.float32),
            photometric="minisblack" if grey else "rgb",
            metadata=None,
        )
        return "32-bit floating point as computed"


def write_picture(path: str | Path, picture: "Image") -> None:
    """Write a drawn picture as PNG, atomically; UsageError for another ending."""
    target = Path(path)
    check_ending(target, (".png",))
    with replacing(target) as partial:
        picture.save(partial, format="PNG", optimize=True)
