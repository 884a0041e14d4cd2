"""From any picture to the one shape a network takes: one path, for training and for prediction alike."""

from functools import lru_cache
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32, Float64, Shaped
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from striate.errors import ImageError, UsageError
from striate.pixels.picture import ImageArray, LookUpTable, Window
from striate.pixels.windowing import apply_window, full_window, parse_window, window_name

Depth = Literal["uint8", "uint16", "int16", "float32"]
FULL_SCALE: dict[str, float] = {"uint8": 255.0, "uint16": 65535.0, "int16": 32767.0, "float32": 1.0}
FILE_WINDOW = "file"
_ADVICE = "choose a window: --set window=file, or one of your own, such as --set window=-600/1500"

# ITU-R BT.601-7, section 2.5.1: luma of R'G'B'.
LUMA = np.array([0.299, 0.587, 0.114])


class Preparation(BaseModel):
    """Size, fit, channels, depth, normalisation: all between a decoded picture and the network's input.

    >>> preparation = Preparation(height=28, width=28, channels=1, depth="uint8")
    >>> preparation.pixels(np.zeros((1200, 900, 3), np.uint8)).shape
    (28, 28, 1)
    >>> preparation.input_shape()
    (1, 28, 28)

    `fit` is "pad" (aspect kept, the border repeated outwards) or "stretch". With `patch` the network sees a
    window of that height and width: a random one in training, the centre one in prediction. `mean` and `std`
    are per channel, of pixel values scaled to 0..1 over the training split, and empty until they are learned.

    `depth` int16 means measured units, such as Hounsfield's, and mixes with no grey levels. A `window` makes grey
    levels of 16 bits out of them: "file" for each file's own, or one for all, by name or as centre/width, which
    is how it is kept. With `draft` a JPEG may be decoded at a fraction of its size, never below `draft_size`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    height: int = Field(ge=1, le=16384)
    width: int = Field(ge=1, le=16384)
    channels: Literal[1, 3]
    depth: Depth
    fit: Literal["pad", "stretch"] = "pad"
    patch: tuple[int, int] | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    window: str | None = None
    draft: bool = False

    @field_validator("window")
    @classmethod
    def _canonical(cls, window: str | None) -> str | None:
        if window is None or window == FILE_WINDOW:
            return window
        try:
            return window_name(parse_window(window))
        except UsageError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _fields_agree(self) -> "Preparation":
        if self.patch is not None and not (
            1 <= self.patch[0] <= self.height and 1 <= self.patch[1] <= self.width
        ):
            raise ValueError(
                f"a patch of {self.patch[0]} × {self.patch[1]} does not fit in {self.height} × {self.width}"
            )
        if len(self.mean) != len(self.std) or len(self.mean) not in (0, self.channels):
            raise ValueError(f"mean and std need {self.channels} values each, or none")
        if not np.isfinite(self.mean + self.std).all() or any(value <= 0 for value in self.std):
            raise ValueError("mean and std must be finite, and std above zero")
        if self.window is not None and self.depth != "uint16":
            raise ValueError(f"a window makes pixels of depth uint16, not {self.depth}; set depth=uint16")
        return self

    def pixels(self, image: ImageArray, window: Window | LookUpTable | None = None) -> ImageArray:
        """The picture at this size, with these channels, in this depth; untouched when it is so already.

        Colour becomes grey by the luma of ITU-R BT.601, grey becomes colour by copying, 8 bits become 16 by a
        factor of 257. Sizes change by an antialiased triangle filter (`resampling_matrix`), rounded to even.
        `window` is the file's own (`Description.window`), used where this preparation asks for it; a file without
        one is shown by all that its depth can hold. Colour is never windowed.
        Raises ImageError for floating-point pixels where whole numbers are wanted, for values not finite, for
        measured units and grey levels where the other is wanted, and for grey levels, which become 0..1, where the
        training images were floating-point of another scale.
        """
        if self.window is not None and image.shape[2] == 1:
            image = self._windowed(image, window)
        image = _in_channels(image, self.channels)
        if self.depth == "float32" and image.dtype.kind == "u":
            self._refuse_another_scale(image)
        image = _in_depth(image, self.depth)
        if image.shape[:2] == (self.height, self.width):
            return image
        height, width = self._fitted(image.shape[0], image.shape[1])
        resized = resize(image, height, width)
        above, left = (self.height - height) // 2, (self.width - width) // 2
        border = ((above, self.height - height - above), (left, self.width - width - left), (0, 0))
        return np.pad(resized, border, mode="edge")

    def _windowed(self, image: ImageArray, own: Window | LookUpTable | None) -> ImageArray:
        if not _finite(image):
            raise ImageError("it holds values that are not finite")
        if self.window != FILE_WINDOW:
            own = parse_window(self.window or "")
        if own is None and image.dtype == np.int16:
            own = full_window(-32768.0, 32767.0)
        return image if own is None else apply_window(image, own)

    def _fitted(self, height: int, width: int) -> tuple[int, int]:
        if self.fit == "stretch":
            return self.height, self.width
        ratio = min(self.height / height, self.width / width)
        return (
            min(self.height, max(1, round(height * ratio))),
            min(self.width, max(1, round(width * ratio))),
        )

    def _refuse_another_scale(self, image: ImageArray) -> None:
        if self.other_scale():
            means, stds = (", ".join(f"{value:.4g}" for value in values) for values in (self.mean, self.std))
            raise ImageError(
                f"its pixels are {image.dtype} levels, which become 0..1, but the training images were floating-point "
                f"of another scale (mean {means}, deviation {stds}); give it in theirs, as floating-point"
            )

    def other_scale(self) -> bool:
        """Whether the training images were not within 0..1, as grey levels become among floating-point pixels.

        >>> Preparation(height=8, width=8, channels=1, depth="float32", mean=(118.0,), std=(60.0,)).other_scale()
        True

        Values within 0..1 have a mean there and a deviation of at most 1/2.
        """
        outside = any(not 0 <= mean <= 1 for mean in self.mean) or any(std > 0.51 for std in self.std)
        return self.depth == "float32" and outside

    def affine(self) -> tuple[Float32[np.ndarray, " channel"], Float32[np.ndarray, " channel"]]:
        """Scale and offset per channel such that `pixel * scale + offset` is the network's normalised input.

        >>> grey = Preparation(height=8, width=8, channels=1, depth="uint8", mean=(0.5,), std=(0.25,))
        >>> scale, offset = grey.affine()
        >>> (np.array([0, 255]) * scale + offset).round(4).tolist()
        [-2.0, 2.0]
        """
        mean = np.array(self.mean or (0.0,) * self.channels)
        std = np.array(self.std or (1.0,) * self.channels)
        scale = 1.0 / (FULL_SCALE[self.depth] * std)
        return scale.astype(np.float32), (-mean / std).astype(np.float32)

    def input_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of what the network takes."""
        height, width = self.patch or (self.height, self.width)
        return self.channels, height, width

    def geometry(self) -> dict[str, Any]:
        """What decides the packed pixels, and so keys the pack: neither normalisation nor patch."""
        added = {name for name in ("window", "draft") if getattr(self, name)}
        return self.model_dump(include={"height", "width", "channels", "depth", "fit"} | added)

    def draft_size(self) -> tuple[int, int] | None:
        """The height and width that a JPEG must keep when it is decoded small, or None to decode it in full."""
        return (self.height, self.width) if self.draft else None

    def with_statistics(self, mean: tuple[float, ...], std: tuple[float, ...]) -> "Preparation":
        """The same preparation with its normalisation learned."""
        return Preparation(**{**self.model_dump(), "mean": tuple(mean), "std": tuple(std)})


def resize(image: ImageArray, height: int, width: int) -> ImageArray:
    """The picture at another size, antialiased: rows by one matrix, columns by another.

    >>> resize(np.array([[[0], [10]], [[20], [30]]], np.uint8), 1, 1).item()
    15
    """
    rows = _product(resampling_matrix(image.shape[0], height), image.reshape(image.shape[0], -1))
    across = rows.reshape(height, image.shape[1], image.shape[2]).swapaxes(0, 1).reshape(image.shape[1], -1)
    result = _product(resampling_matrix(image.shape[1], width), across)
    result = result.reshape(width, height, image.shape[2]).swapaxes(0, 1)
    if image.dtype == np.float32:
        return np.ascontiguousarray(result, dtype=np.float32)
    return np.ascontiguousarray(_whole(result), dtype=image.dtype)


def _whole(values: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    """Rounded, but snapped first, so that a half is a half in whatever order a machine adds up the products."""
    return np.rint(np.rint(values * 2**20) / 2**20)


@lru_cache(maxsize=256)
def resampling_matrix(size_in: int, size_out: int) -> Float64[np.ndarray, "size_out size_in"]:
    """The weights with which `size_in` pixels make `size_out`: a triangle, as wide as the reduction asks for.

    >>> resampling_matrix(4, 2)
    array([[0.42857143, 0.42857143, 0.14285714, 0.        ],
           [0.        , 0.14285714, 0.42857143, 0.42857143]])

    Every row sums to one. The same filter as Pillow's BILINEAR, which is linear interpolation when enlarging.
    """
    step = size_in / size_out
    centres = (np.arange(size_out) + 0.5) * step
    distances = np.abs(np.arange(size_in) + 0.5 - centres[:, None])
    weights = np.maximum(0.0, 1.0 - distances / max(step, 1.0))
    weights /= weights.sum(axis=1, keepdims=True)
    weights.flags.writeable = False
    return weights


def _product(
    matrix: Float64[np.ndarray, "size_out size_in"], values: Shaped[np.ndarray, "size_in other"]
) -> Float64[np.ndarray, "size_out other"]:
    """`matrix @ values`, a few rows and columns at a time: the matrix is banded, and a photograph in float64 is
    larger than the processor's cache.
    """
    result = np.empty((matrix.shape[0], values.shape[1]))
    few, piece = (4, 2**16) if values.size > 2**19 else (8, values.size)
    for start in range(0, matrix.shape[0], few):
        band = matrix[start : start + few]
        used = np.flatnonzero(band.any(axis=0))
        columns = slice(used[0], used[-1] + 1)
        width = max(256, piece // (columns.stop - columns.start))
        for left in range(0, values.shape[1], width):
            part = values[columns, left : left + width].astype(np.float64)
            result[start : start + few, left : left + width] = band[:, columns] @ part
    return result


def _in_channels(image: ImageArray, channels: int) -> ImageArray:
    if image.shape[2] == channels:
        return image
    if channels == 3 and image.shape[2] == 1:
        return np.repeat(image, 3, axis=2)
    if channels == 1 and image.shape[2] == 3:
        return _grey(image)
    raise ImageError(f"it has {image.shape[2]} channels; 1 or 3 can be prepared")


def _grey(image: ImageArray) -> ImageArray:
    """The luma, some rows at a time: a photograph in float64 is eight times as large as its file's pixels."""
    result = np.empty((*image.shape[:2], 1), image.dtype)
    rows = max(1, 2**16 // image.shape[1])
    for top in range(0, len(image), rows):
        luma = image[top : top + rows] @ LUMA
        result[top : top + rows, :, 0] = luma if image.dtype == np.float32 else _whole(luma)
    return result


def _finite(image: ImageArray) -> bool:
    return image.dtype != np.float32 or bool(np.isfinite(image).all())


def _in_depth(image: ImageArray, depth: Depth) -> ImageArray:
    if not _finite(image):
        raise ImageError("it holds values that are not finite")
    if image.dtype == depth:
        return image
    if image.dtype == np.float32:
        raise ImageError(
            f"its pixels are floating-point and have no place in {depth} pixels; give the file's own whole numbers, or "
            f"{_ADVICE}"
        )
    if depth == "float32" and image.dtype == np.int16:
        return image.astype(np.float32)
    if depth == "float32":
        return (image / FULL_SCALE[str(image.dtype)]).astype(np.float32)
    if depth == "int16":
        raise ImageError(
            f"its pixels are {image.dtype} levels and have no place in measured units; {_ADVICE}"
        )
    if image.dtype == np.int16:
        raise ImageError(f"its pixels are measured units and have no place in {depth} pixels; {_ADVICE}")
    if depth == "uint16":
        return image.astype(np.uint16) * np.uint16(257)
    return np.rint(image / 257.0).astype(np.uint8)
