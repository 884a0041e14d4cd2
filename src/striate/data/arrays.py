"""Arrays already in memory, and the embedded digits, as sources."""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Shaped

from striate.errors import ImageError, SourceError
from striate.pixels.picture import Description, ImageArray, Picture


class ArraySource:
    """Images as one array, for `fit(X, y)`.

    >>> source = ArraySource(np.zeros((5, 28, 28), np.uint8), [3, 1, 3, 1, 1])
    >>> source.read(source.names[0]).shape, source.labels
    ((28, 28, 1), ['3', '1', '3', '1', '1'])

    `X` is `image height width` or `image height width channel` with 1 or 3 channels: uint8, uint16, or
    float32 and float64 (kept as float32, in their own range). Raises SourceError for anything else.
    """

    in_memory = True

    def __init__(
        self,
        X: Shaped[np.ndarray, "..."],
        y: Sequence[Any] | Shaped[np.ndarray, " image"] | None = None,
        *,
        location: str = "array",
    ) -> None:
        self._pixels = _checked(X)
        count = len(self._pixels)
        if y is not None and len(y) != count:
            raise SourceError(f"there are {count:,} images but {len(y):,} labels; each image needs one")
        self.location = location
        width = max(4, len(str(count)))
        self.names = [f"{location}/{number:0{width}d}" for number in range(1, count + 1)]

        self.labels: list[str] | None = None if y is None else [str(label) for label in y]
        self.splits: list[str] | None = None
        self.groups: list[str] | None = None
        self.stamps = np.array([[zlib.crc32(image), image.nbytes] for image in self._pixels], dtype=np.int64)
        self.notes: list[str] = []

    def load(self, name: str) -> Picture:
        """The image with this name, and its size, channels and depth."""
        return Picture(self.read(name), self.describe(name))

    def read(self, name: str) -> ImageArray:
        """The image with this name, as `height width channel`."""
        return self._pixels[self._row(name)]

    def describe(self, name: str) -> Description:
        """Size, channels and depth of the image with this name."""
        height, width, channels = self._pixels[self._row(name)].shape
        bits = 8 * self._pixels.itemsize
        return Description(height, width, channels, str(self._pixels.dtype), bits=bits)

    def _row(self, name: str) -> int:
        number = name.rpartition("/")[2]
        if not number.isdecimal() or not 1 <= int(number) <= len(self.names):
            raise ImageError(f"there is no image {name!r} among these {len(self.names):,}")
        return int(number) - 1


class DigitsSource(ArraySource):
    """The 1,797 handwritten digits that come with scikit-learn: 8×8, grey, ten classes, no split.

    Their values 0..16 become 0..255 by a factor of 255/16, rounded half to even. From E. Alpaydin and C.
    Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
    """

    def __init__(self) -> None:
        from sklearn.datasets import load_digits

        values, labels = load_digits(return_X_y=True)
        pixels = np.rint(values.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
        super().__init__(pixels, labels, location="digits")


def _checked(X: Shaped[np.ndarray, "..."]) -> Shaped[np.ndarray, "image height width channel"]:
    given = X.shape
    if X.dtype == np.float64:
        X = X.astype(np.float32)
    if X.dtype not in (np.uint8, np.uint16, np.float32):
        raise SourceError(f"images of dtype {X.dtype} are not taken; use uint8, uint16, float32 or float64")
    if X.ndim == 3:
        X = X[..., None]
    if X.ndim != 4 or X.shape[3] not in (1, 3) or 0 in X.shape:
        raise SourceError(
            f"an array of shape {given} is no set of images; "
            "give (images, height, width) or (images, height, width, channels) with 1 or 3 channels"
        )
    if X.dtype == np.float32:
        bad = ~np.isfinite(X).reshape(len(X), -1).all(axis=1)
        if bad.any():
            raise SourceError(
                f"{bad.sum():,} of {len(X):,} images hold values that are not finite, "
                f"the first at index {bad.argmax()}; leave them out or repair them"
            )
    return np.ascontiguousarray(X)
