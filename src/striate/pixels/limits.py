"""How large a picture may be before it is decoded, and the environment variables that raise each limit.

A file of a megabyte can claim, or inflate to, gigabytes; every reader asks here before it makes room for pixels.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache

from striate.errors import ImageError, UsageError

_DEFAULTS = {
    "STRIATE_MAX_PIXELS": 178_956_970,
    "STRIATE_MAX_DECODED_BYTES": 1 << 29,
    "STRIATE_MAX_FILE_BYTES": 1 << 30,
    "STRIATE_MAX_FRAMES": 10_000,
    "STRIATE_MAX_INFLATION": 200,
}
# Blank uncompressed scans in a zip inflate by 1,000 honestly, but only while they are small.
INFLATION_FREE_BYTES = 64 << 20


@dataclass(frozen=True)
class Limits:
    """The largest picture, file and number of images that are read.

    >>> Limits().check_pixels(20_000, 20_000)
    Traceback (most recent call last):
    striate.errors.ImageError: it has 20000 × 20000 pixels; the limit is 178,956,970 (STRIATE_MAX_PIXELS raises it)

    `pixels` is height times width of one image, `decoded_bytes` its samples in memory as the file stores them,
    `file_bytes` the size of a file, `frames` its pages or frames, and `inflation` how many times its packed size
    a member of an archive or a deflated data set may have, once it is above 64 MiB.
    """

    pixels: int = _DEFAULTS["STRIATE_MAX_PIXELS"]
    decoded_bytes: int = _DEFAULTS["STRIATE_MAX_DECODED_BYTES"]
    file_bytes: int = _DEFAULTS["STRIATE_MAX_FILE_BYTES"]
    frames: int = _DEFAULTS["STRIATE_MAX_FRAMES"]
    inflation: int = _DEFAULTS["STRIATE_MAX_INFLATION"]

    def check_pixels(self, height: int, width: int) -> None:
        """Raises ImageError for an image of no pixels, or of too many."""
        if height < 1 or width < 1:
            raise ImageError(f"it has {width} × {height} pixels: there is nothing to see")
        if height * width > self.pixels:
            raise ImageError(
                f"it has {width} × {height} pixels; "
                f"the limit is {self.pixels:,} (STRIATE_MAX_PIXELS raises it)"
            )

    def check_decoded(self, size: int) -> None:
        """Raises ImageError for pixels that would fill too much memory."""
        if size > self.decoded_bytes:
            raise ImageError(
                f"its pixels would fill {size:,} bytes; "
                f"the limit is {self.decoded_bytes:,} (STRIATE_MAX_DECODED_BYTES raises it)"
            )

    def check_image(self, height: int, width: int, samples: int, sample_bytes: int) -> None:
        """Both checks above, for an image of `samples` a pixel of so many bytes each."""
        self.check_pixels(height, width)
        self.check_decoded(height * width * samples * sample_bytes)

    def check_file(self, size: int) -> None:
        """Raises ImageError for a file that is too large to be read whole."""
        if size > self.file_bytes:
            raise ImageError(
                f"the file has {size:,} bytes; "
                f"the limit is {self.file_bytes:,} (STRIATE_MAX_FILE_BYTES raises it)"
            )

    def check_frames(self, count: int) -> None:
        """Raises ImageError for a file of too many pages or frames; `count` may be what was seen so far."""
        if count > self.frames:
            raise ImageError(
                f"it holds {count:,} images or more; "
                f"the limit is {self.frames:,} (STRIATE_MAX_FRAMES raises it)"
            )

    def check_inflation(self, inflated: int, packed: int) -> None:
        """Raises ImageError for data that inflate to too much, or to more than any picture's would."""
        if inflated > self.decoded_bytes:
            raise ImageError(
                f"it inflates to {inflated:,} bytes; "
                f"the limit is {self.decoded_bytes:,} (STRIATE_MAX_DECODED_BYTES raises it)"
            )
        if inflated > INFLATION_FREE_BYTES and inflated > self.inflation * packed:
            raise ImageError(
                f"it inflates to {inflated:,} bytes from {packed:,}, more than {self.inflation} times: "
                "no picture does that (STRIATE_MAX_INFLATION raises the limit)"
            )


_HELD: ContextVar[Limits | None] = ContextVar("limits held", default=None)


def limits() -> Limits:
    """The limits in force: the environment variables `STRIATE_MAX_…` where they are set, the defaults elsewhere.

    Raises UsageError for a variable that is no whole number above zero.
    """
    return _HELD.get() or _from_environment()


@contextmanager
def limits_held() -> Iterator[None]:
    """While the block lasts, the limits are those at its beginning: thousands of pictures ask for them thrice each."""
    token = _HELD.set(limits())
    try:
        yield
    finally:
        _HELD.reset(token)


def _from_environment() -> Limits:
    return _limits(tuple(os.environ.get(name) for name in _DEFAULTS))


@lru_cache(maxsize=16)
def _limits(given: tuple[str | None, ...]) -> Limits:
    values = []
    for (name, default), text in zip(_DEFAULTS.items(), given, strict=True):
        if text is None:
            values.append(default)
        elif text.isascii() and text.replace("_", "").isdigit() and int(text) > 0:
            values.append(int(text))
        else:
            raise UsageError(
                f"the environment variable {name} is {text!r}; "
                f"give a whole number above zero, such as {default}"
            )
    return Limits(*values)
