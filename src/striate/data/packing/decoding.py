"""One picture after another, decoded, named by its pixels and prepared, or refused with a reason."""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from striate.data.packing.digest import pixel_digest
from striate.data.packing.facts import FACTS, facts_of
from striate.data.packing.moments import moments_dtype, moments_of
from striate.data.sources.door import Source
from striate.errors import ImageError
from striate.pixels.limits import limits_held
from striate.pixels.picture import ImageArray, Picture
from striate.pixels.preparation import Preparation

DIGEST = np.dtype("S32")
MEAN = list(FACTS.fields or ()).index("mean")


@dataclass(frozen=True)
class Decoding:
    """The job of decoding a source: where pictures come from, what becomes of them, which file they go to.

    Without a file no pixels are kept, and what a stream must know of them is.
    """

    source: Source
    preparation: Preparation
    path: Path | None = None

    def open(self) -> Shaped[np.ndarray, "image height width channel"] | None:
        """The file of pixels, to be written."""
        return None if self.path is None else np.load(self.path, mmap_mode="r+")

    def work(self, opened: Shaped[np.ndarray, "image height width channel"] | None, task: range) -> "Decoded":
        """Decodes some rows."""
        return decode_rows(self, opened, task)


@dataclass
class Decoded:
    """What became of some rows: digests and facts of the pictures as read, reasons for the rest, kinds met.

    `seals` are digests of the prepared pixels and `moments` their sums and sums of squares, channel by
    channel: what a stream, which keeps no pixels, needs to know. A failed row has nothing but zeros.
    """

    rows: range
    digests: Shaped[np.ndarray, " image"]
    facts: Shaped[np.ndarray, " image"]
    seals: Shaped[np.ndarray, " image"]
    moments: Shaped[np.ndarray, "image 2 channel"]
    failures: dict[int, str] = field(default_factory=dict)
    channels: int = 1
    depths: set[str] = field(default_factory=set)
    seconds: float = 0.0

    @classmethod
    def of(cls, rows: range, preparation: Preparation) -> "Decoded":
        """Nothing known yet of these rows."""
        count = len(rows)
        moments = np.zeros((count, 2, preparation.channels), moments_dtype(preparation.depth))
        return cls(rows, np.zeros(count, DIGEST), np.zeros(count, FACTS), np.zeros(count, DIGEST), moments)

    def add(self, part: "Decoded") -> None:
        """Takes over what another one found out about a part of these rows."""
        start = part.rows.start - self.rows.start
        for name in ("digests", "facts", "seals", "moments"):
            getattr(self, name)[start : start + len(part.rows)] = getattr(part, name)
        self.failures.update(part.failures)
        self.channels = max(self.channels, part.channels)
        self.depths |= part.depths


def decode_rows(
    job: Decoding, pixels: Shaped[np.ndarray, "image height width channel"] | None, rows: range
) -> Decoded:
    """Decodes, measures, digests and prepares some rows in this process."""
    started = time.perf_counter()
    part = Decoded.of(rows, job.preparation)
    with limits_held():
        for index, row in enumerate(rows):
            try:
                _decode_row(job, part, pixels, index)
            except ImageError as error:
                part.failures[row] = str(error)
            except MemoryError:
                part.failures[row] = "there is not enough memory to decode it"
    part.seconds = time.perf_counter() - started
    return part


def _decode_row(
    job: Decoding,
    part: Decoded,
    pixels: Shaped[np.ndarray, "image height width channel"] | None,
    index: int,
) -> None:
    row = part.rows[index]
    picture = load_picture(job.source, row, job.preparation)
    facts = facts_of(picture)
    if math.isfinite(facts[MEAN]):
        part.channels = max(part.channels, picture.pixels.shape[2])
        part.depths.add(_name_of(picture.pixels.dtype))
    image = prepared(picture, job.preparation)
    if pixels is not None:
        pixels[row] = image
    else:
        part.seals[index], part.moments[index] = pixel_digest(image), moments_of(image[None])[0]
    part.digests[index], part.facts[index] = pixel_digest(picture.pixels), facts


@cache
def _name_of(dtype: np.dtype) -> str:
    return str(dtype)


def redecode(
    job: Decoding,
    pixels: Shaped[np.ndarray, "slot height width channel"],
    rows: Iterable[int],
    slots: Iterable[int],
) -> tuple[Shaped[np.ndarray, " row"], dict[int, str]]:
    """Decodes and prepares pictures into slots; their seals, and reasons for those that cannot be read."""
    seals, failures = [], {}
    with limits_held():
        for row, slot in zip(rows, slots, strict=True):
            try:
                image = prepared(load_picture(job.source, row, job.preparation), job.preparation)
                pixels[slot] = image
                seals.append(pixel_digest(image))
            except (ImageError, OSError) as error:
                failures[row] = str(error)
            except MemoryError:
                failures[row] = "there is not enough memory to decode it"
            if row in failures:
                seals.append("")
    return np.array(seals, DIGEST), failures


def load_picture(source: Source, row: int, preparation: Preparation) -> Picture:
    """One picture of a listing, decoded as large as the preparation asks for."""
    return source.load(source.names[row], preparation.draft_size())


def prepared(picture: Picture, preparation: Preparation) -> ImageArray:
    """The pixels that go into the network, seen through the file's own window where that is asked for."""
    return preparation.pixels(picture.pixels, picture.description.window)
