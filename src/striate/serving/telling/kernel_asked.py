"""What is asked of a filter: the working copy, the kernel or pooling, how it slides; read and held within limits."""

import binascii
import re
from base64 import b64decode
from typing import Any, Literal

import numpy as np
from jaxtyping import Shaped, UInt8
from pydantic import BaseModel, ConfigDict, Field

import striate
from striate.serving.refusals import Refusal

LONGEST_SIDE, WIDEST, FARTHEST = 512, 31, 128
"""Pixels of a side of a working copy, of a kernel or window, and of padding, stride and dilation."""
LARGEST_WEIGHT = 1e9
LONGEST_TEXT = 20_000
PLANES = {"red": 0, "green": 1, "blue": 2}
Pixels = UInt8[np.ndarray, "_height _width _channel"]
Kernel = Shaped[np.ndarray, "_rows _columns"]


class WorkingPicture(BaseModel):
    """A working copy as `POST /kernels/picture` answers it: 8-bit pixels, row by row, channels last, in base64."""

    model_config = ConfigDict(extra="forbid")
    shape: tuple[int, int, int] = Field(description="height, width, channels (1 or 3)")
    base64: str = Field(description="height · width · channels bytes, row by row, channels last")
    dtype: Literal["uint8"] = "uint8"

    def array(self) -> Pixels:
        """The pixels; Refusal 422 where shape and bytes do not agree."""
        height, width, channels = self.shape
        if not (1 <= height <= LONGEST_SIDE and 1 <= width <= LONGEST_SIDE and channels in (1, 3)):
            raise Refusal(
                422,
                "A working copy of this shape is not taken.",
                given=times(self.shape),
                allowed=f"sides of 1 to {LONGEST_SIDE} pixels, 1 or 3 channels",
                advice="Send the file to /kernels/picture, and its answer here.",
            )
        try:
            content = b64decode(self.base64, validate=True)
        except (binascii.Error, ValueError):
            raise Refusal(
                422, "The pixels are not base64.", allowed="base64 of the bytes, row by row"
            ) from None
        if len(content) != height * width * channels:
            raise Refusal(
                422,
                "Shape and pixels do not agree.",
                given=f"{len(content)} bytes",
                allowed=f"{height * width * channels} bytes for {times(self.shape)}",
            )
        return np.frombuffer(content, np.uint8).reshape(self.shape)


class Asked(BaseModel):
    """A filter or a pooling of a working copy; the words are those of `striate filter`."""

    model_config = ConfigDict(extra="forbid")
    picture: WorkingPicture
    operation: Literal["kernel", "max", "average"] = "kernel"
    kernel: str = Field("identity", description="a name, gaussian:SIGMA, or rows of numbers: 1 0 -1; 2 0 -2")
    channels: Literal["each", "grey", "red", "green", "blue"] = Field(
        "each", description="each channel alone, their brightness (BT.601, rounded), or one of them"
    )
    stride: int | None = Field(None, description="pixels between windows; 1, or the window of a pooling")
    padding: str = Field("valid", description="valid, same, full, or a number of pixels")
    border: str = Field("zero", description="beyond the border: zero, edge, reflect or circular")
    indexing: str = Field("cross-correlation", description="or convolution (flipped), or centred")
    dilation: int = Field(1, description="pixels between the cells of the kernel")
    window: int = Field(2, description="side of the window of a pooling")

    @property
    def pooled(self) -> bool:
        """Whether this is a pooling."""
        return self.operation != "kernel"

    @property
    def step(self) -> int:
        """Pixels between windows."""
        return self.stride if self.stride is not None else self.window if self.pooled else 1

    def options(self) -> dict[str, Any]:
        """What `striate.convolve` and `striate.work_step` are given."""
        number = re.fullmatch(r"-?\d{1,9}", self.padding)
        padding = int(self.padding) if number else self.padding
        if number:
            within("padding", int(self.padding), 0)
        return {
            "stride": within("stride", self.step),
            "padding": padding,
            "border": self.border,
            "indexing": self.indexing,
            "dilation": within("dilation", self.dilation),
        }

    def weights(self) -> Kernel:
        """The kernel; UsageError in the words of `striate.kernels`, Refusal for one too large for a page."""
        if len(self.kernel) > LONGEST_TEXT:
            raise Refusal(
                422,
                "The kernel's text is too long.",
                given=f"{len(self.kernel)} characters",
                allowed=str(LONGEST_TEXT),
            )
        spread = re.fullmatch(r"gaussian:\s*([0-9.]{1,9})\s*", self.kernel.strip())
        if spread and 3 * float_or_zero(spread[1]) > WIDEST // 2:  # a large one is refused before it is made
            raise too_large(self.kernel.strip())
        weights = striate.kernels.read(self.kernel)
        if max(weights.shape) > WIDEST:
            raise too_large(times(weights.shape))
        if float(np.abs(weights.astype(np.float64)).max()) > LARGEST_WEIGHT:
            raise Refusal(
                422,
                "A weight of the kernel is too large.",
                allowed=f"-{LARGEST_WEIGHT:g} to {LARGEST_WEIGHT:g}",
            )
        return weights

    def side(self) -> int:
        """The side of the window of a pooling."""
        if not 1 <= self.window <= WIDEST:
            raise Refusal(
                422, "This window cannot be pooled.", given=f"window {self.window}", allowed=f"1 to {WIDEST}"
            )
        return self.window

    def seen(self) -> Pixels:
        """What the window slides over: the picture, its brightness, or one of its channels."""
        pixels = self.picture.array()
        if self.channels == "each" or (self.channels == "grey" and pixels.shape[2] == 1):
            return pixels
        if pixels.shape[2] == 1:
            raise Refusal(
                422,
                f"A grey picture has no {self.channels} channel.",
                given=self.channels,
                allowed="each, grey",
            )
        if self.channels == "grey":
            return np.rint(striate.to_grey(pixels)).astype(np.uint8)[:, :, None]
        plane = PLANES[self.channels]
        return np.ascontiguousarray(pixels[:, :, plane : plane + 1])


class AskedCell(Asked):
    """The same, and the cell of the result that is to be worked."""

    cell: tuple[int, int] = Field(description="row and column of the result, counted from 0")


def too_large(given: str) -> Refusal:
    """422: a kernel that a page cannot slide in the time it has."""
    return Refusal(
        422,
        "The kernel is too large for this page.",
        given=given,
        allowed=f"up to {WIDEST} × {WIDEST}, gaussian:5",
        advice="Filter with it on the command line: striate filter.",
    )


def float_or_zero(text: str) -> float:
    """A number; 0 for a text that is none, which `striate.kernels.read` then refuses."""
    try:
        return float(text)
    except ValueError:
        return 0.0


def within(word: str, value: int, least: int = 1) -> int:
    """A number of pixels; Refusal 422 outside what a page may ask for."""
    if not least <= value <= FARTHEST:
        raise Refusal(
            422, f"The {word} is out of range.", given=f"{word} {value}", allowed=f"{least} to {FARTHEST}"
        )
    return value


def times(numbers: Any) -> str:
    """Sizes as they are written: `28 × 28 × 1`."""
    return " × ".join(map(str, numbers))
