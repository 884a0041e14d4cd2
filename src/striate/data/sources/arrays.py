"""Arrays already in memory, and the embedded digits, as sources."""

import os
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Shaped

from striate.errors import ImageError, SourceError, UsageError, suggestion
from striate.pixels.limits import INFLATION_FREE_BYTES, limits
from striate.pixels.picture import Description, ImageArray, Picture

TAKEN = (np.uint8, np.uint16, np.int16, np.float32)
ARRAY_BYTES = 1 << 32


class ArraySource:
    """Images as one array, for `fit(X, y)` and for files that hold arrays.

    >>> source = ArraySource(np.zeros((5, 28, 28), np.uint8), [3, 1, 3, 1, 1])
    >>> source.read(source.names[0]).shape, source.labels
    ((28, 28, 1), ['3', '1', '3', '1', '1'])

    `X` is `image height width` or `image height width channel` with 1 or 3 channels: uint8, uint16, int16
    (measured units, such as Hounsfield's), or float32 and float64 (kept as float32, in their own range). Names
    are numbers below `location` unless given, in natural order; `columns` hold one text an image. Raises
    SourceError for anything else.
    """

    in_memory = True

    def __init__(
        self,
        X: Shaped[np.ndarray, "..."],
        y: Sequence[Any] | Shaped[np.ndarray, " image"] | None = None,
        *,
        location: str = "array",
        names: list[str] | None = None,
        splits: list[str] | None = None,
        groups: list[str] | None = None,
        columns: Mapping[str, list[str]] | None = None,
    ) -> None:
        self._pixels = _checked(X)
        count = len(self._pixels)
        if y is not None and len(y) != count:
            raise SourceError(f"there are {count:,} images but {len(y):,} labels; each image needs one")
        self.location = location
        self.names = numbered(location, count) if names is None else names
        self.labels: list[str] | None = None if y is None else [str(label) for label in y]
        self.splits = splits
        self.groups = groups
        self.stamps = np.array([[zlib.crc32(image), image.nbytes] for image in self._pixels], dtype=np.int64)
        self.notes: list[str] = []
        self._columns = dict(columns or {})
        self._row: dict[str, int] = {}

    @property
    def columns(self) -> tuple[str, ...]:
        """What else is known of every image, by name."""
        return tuple(self._columns)

    def column(self, name: str) -> list[str]:
        """One text an image; SourceError where there is no such column."""
        if not self._columns:
            raise SourceError(f"{self.location} has no table with columns, so none called {name!r}")
        if name not in self._columns:
            raise SourceError(f"{self.location} has no column {name!r}; {suggestion(name, self._columns)}")
        return self._columns[name]

    def load(self, name: str, draft: tuple[int, int] | None = None) -> Picture:
        """The image with this name, and its size, channels and depth; it is decoded, so `draft` changes nothing."""
        return Picture(self.read(name), self.describe(name))

    def read(self, name: str) -> ImageArray:
        """The image with this name, as `height width channel`."""
        return self._pixels[self._found(name)]

    def describe(self, name: str) -> Description:
        """Size, channels and depth of the image with this name."""
        height, width, channels = self._pixels[self._found(name)].shape
        bits = 8 * self._pixels.itemsize
        return Description(height, width, channels, str(self._pixels.dtype), bits=bits)

    def _found(self, name: str) -> int:
        if not self._row:
            self._row = {known: row for row, known in enumerate(self.names)}
        if name not in self._row:
            raise ImageError(f"there is no image {name!r} among these {len(self.names):,}")
        return self._row[name]


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


def numbered(prefix: str, count: int) -> list[str]:
    """Names in natural order for images that have none: the place in the array, counted from 1.

    >>> numbered("train", 3)
    ['train/0001', 'train/0002', 'train/0003']
    """
    width = max(4, len(str(count)))
    return [f"{prefix}/{number:0{width}d}" for number in range(1, count + 1)]


def check_size(size: int, what: str) -> None:
    """SourceError when arrays that a file's header promises would not be taken into memory.

    4 GiB is the limit unless the environment variable STRIATE_MAX_ARRAY_BYTES says otherwise.
    """
    given = os.environ.get("STRIATE_MAX_ARRAY_BYTES")
    if given is not None and not given.isdecimal():
        raise UsageError(f"STRIATE_MAX_ARRAY_BYTES is {given!r}; give a whole number of bytes")
    limit = int(given) if given else ARRAY_BYTES
    if size > limit:
        raise SourceError(
            f"{what} holds {size:,} bytes of arrays, which are taken into memory whole; the limit is {limit:,}, "
            "and STRIATE_MAX_ARRAY_BYTES raises it"
        )


def check_inflation(size: int, packed: int, what: str) -> None:
    """SourceError when packed arrays would grow more than pictures do; STRIATE_MAX_INFLATION raises the limit."""
    if size > INFLATION_FREE_BYTES and size > limits().inflation * packed:
        raise SourceError(
            f"{what} inflates to {size:,} bytes from {packed:,}, more than {limits().inflation} times: "
            "no pictures do that (STRIATE_MAX_INFLATION raises the limit)"
        )


def _checked(X: Shaped[np.ndarray, "..."]) -> Shaped[np.ndarray, "image height width channel"]:
    given = X.shape
    if not X.dtype.isnative:
        X = X.astype(X.dtype.newbyteorder("="))
    if X.dtype == np.float64:
        X = X.astype(np.float32)
    if X.dtype not in TAKEN:
        raise SourceError(
            f"images of dtype {X.dtype} are not taken; "
            "use uint8, uint16, int16 (measured units), float32 or float64"
        )
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
