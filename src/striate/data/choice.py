"""Which preparation suits a source, told by the headers of a few of its pictures."""

import numpy as np

from striate.data.decoding import DEPTHS
from striate.data.sources import Source
from striate.errors import ImageError, SourceError
from striate.pixels.picture import Description
from striate.pixels.preparation import Preparation

LOOKED_AT = 256
LARGEST_SIDE = 64


def choose_preparation(
    source: Source,
    *,
    size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    fit: str = "pad",
    patch: tuple[int, int] | None = None,
) -> Preparation:
    """A preparation for the source, from at most 256 evenly spaced pictures.

    Pictures all of one size up to 64 pixels keep it; otherwise the side is the median of the longer sides,
    and at most 64. Three channels if any is in colour, else one; as deep as the deepest. What is given is
    kept. Raises SourceError when none of those pictures can be read.
    """
    seen = _described(source)
    height, width = (size, size) if isinstance(size, int) else size or _usual_size(seen)
    return Preparation.model_validate(
        {
            "height": height,
            "width": width,
            "channels": channels or max(picture.channels for picture in seen),
            "depth": max((picture.depth for picture in seen), key=DEPTHS.index),
            "fit": fit,
            "patch": patch,
        }
    )


def widened(preparation: Preparation, channels: int, depth: str) -> Preparation:
    """The preparation with at least so many channels and so much depth."""
    return preparation.model_copy(
        update={
            "channels": max(preparation.channels, channels),
            "depth": max(preparation.depth, depth, key=DEPTHS.index),
        }
    )


def _described(source: Source) -> list[Description]:
    count = len(source.names)
    rows = np.unique(np.linspace(0, count - 1, min(count, LOOKED_AT)).round().astype(int))
    seen: list[Description] = []
    first = ""
    for row in rows:
        name = source.names[row]
        try:
            seen.append(source.describe(name))
        except ImageError as error:
            first = first or f"{name}: {error}"
    if not seen:
        raise SourceError(
            f"none of {len(rows):,} pictures looked at in {source.location} can be read; the first, {first}"
        )
    return seen


def _usual_size(seen: list[Description]) -> tuple[int, int]:
    sizes = {(picture.height, picture.width) for picture in seen}
    if len(sizes) == 1:
        height, width = sizes.pop()
        if max(height, width) <= LARGEST_SIDE:
            return height, width
    longer = np.median([max(picture.height, picture.width) for picture in seen])
    side = min(LARGEST_SIDE, round(float(longer)))
    return side, side
