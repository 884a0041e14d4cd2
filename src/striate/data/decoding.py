"""One picture after another, decoded, named by its pixels and prepared, or refused with a reason."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from striate.data.digest import pixel_digest
from striate.data.sources import Source
from striate.errors import ImageError
from striate.pixels.preparation import Preparation

DEPTHS = ("uint8", "uint16", "float32")


@dataclass
class Decoded:
    """What became of some rows: digests of the pixels as read, reasons for the rest, the widest kind met."""

    rows: range
    digests: list[str] = field(default_factory=list)
    failures: dict[int, str] = field(default_factory=dict)
    channels: int = 1
    depth: str = "uint8"

    def met(self, channels: int, depth: str) -> None:
        """Widens the kind met by one picture's, or by another's result."""
        self.channels = max(self.channels, channels)
        self.depth = max(self.depth, depth, key=DEPTHS.index)


@dataclass(frozen=True)
class Job:
    """What a worker needs to know: where pictures come from, what becomes of them, where they go."""

    source: Source
    preparation: Preparation
    path: Path | None


def decode_rows(job: Job, pixels: Shaped[np.ndarray, "image height width channel"], rows: range) -> Decoded:
    """Decodes, digests and prepares some rows in this process."""
    part = Decoded(rows)
    for row in rows:
        digest = ""
        try:
            image = job.source.read(job.source.names[row])
            part.met(image.shape[2], str(image.dtype))
            pixels[row] = job.preparation.pixels(image)
            digest = pixel_digest(image)
        except ImageError as error:
            part.failures[row] = str(error)
        except MemoryError:
            part.failures[row] = "there is not enough memory to decode it"
        part.digests.append(digest)
    return part
