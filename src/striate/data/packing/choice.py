"""Which preparation suits a source, told by the headers of a few of its pictures."""

from collections.abc import Collection, Sequence

import numpy as np
from pydantic import ValidationError

from striate.data.sources.door import Source
from striate.errors import ImageError, SourceError, UsageError
from striate.pixels.picture import Description
from striate.pixels.preparation import Preparation

LOOKED_AT = 256
LARGEST_SIDE = 128
"""Up to which pictures keep their size unasked: `compact` steps by 2 above 64, and costs at 128 what it costs at 64."""
SMALL_SIDE = 64
"""The same for networks whose cost grows with the pixels, and for an audit, which looks at small pictures."""
UNSIGNED = ("uint8", "uint16")
MEASURED = "int16"


def choose_preparation(
    source: Source,
    *,
    size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    fit: str = "pad",
    patch: tuple[int, int] | None = None,
    window: str | None = None,
    draft: bool = False,
    small: bool = False,
) -> Preparation:
    """A preparation for the source, from at most 256 evenly spaced pictures.

    Pictures all of one size up to 128 pixels, 64 where they are wanted `small`, keep it; otherwise the side is the
    median of the longer sides, and at most that. Three channels if any is in colour, else one; the depth is
    `common_depth`. What is given is kept. Raises SourceError when none of those pictures can be read, UsageError for
    what cannot be prepared.
    """
    seen = _described(source)
    if size is None:
        size = _usual_size(seen, SMALL_SIDE if small else LARGEST_SIDE)
    height, width = (size, size) if isinstance(size, int) else size
    wanted = {
        "height": height,
        "width": width,
        "channels": channels or max(picture.channels for picture in seen),
        "depth": "uint16" if window is not None else common_depth([picture.depth for picture in seen]),
        "fit": fit,
        "patch": patch,
        "window": window,
        "draft": draft,
    }
    try:
        return Preparation.model_validate(wanted)
    except ValidationError as error:
        said = [str(detail["msg"]).removeprefix("Value error, ") for detail in error.errors()]
        raise UsageError("; ".join(said)) from None


def common_depth(depths: Sequence[str]) -> str:
    """The depth that suits pictures of several.

    >>> common_depth(["uint8", "uint16", "uint8"]), common_depth(["int16", "int16", "uint8"])
    ('uint16', 'int16')

    Floating-point numbers take in all others. Without them the majority decides between measured values
    (int16) and shades (as deep as the deepest): neither can become the other without a window.
    """
    if "float32" in depths:
        return "float32"
    measured = depths.count(MEASURED)
    if 2 * measured > len(depths):
        return MEASURED
    return max((depth for depth in depths if depth != MEASURED), key=UNSIGNED.index, default=MEASURED)


def widened(preparation: Preparation, channels: int, depths: Collection[str]) -> Preparation:
    """The preparation with at least so many channels, and deep enough for what was met.

    Measured values stay measured and shades stay shades, unless there are floating-point numbers; behind a
    window all is uint16.
    """
    known = preparation.depth
    if preparation.window is not None:
        depth = known
    elif "float32" in depths:
        depth = "float32"
    elif known in UNSIGNED:
        depth = max((known, *(met for met in depths if met in UNSIGNED)), key=UNSIGNED.index)
    else:
        depth = known
    return preparation.model_copy(update={"channels": max(preparation.channels, channels), "depth": depth})


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


def _usual_size(seen: list[Description], largest: int) -> tuple[int, int]:
    sizes = {(picture.height, picture.width) for picture in seen}
    if len(sizes) == 1:
        height, width = sizes.pop()
        if max(height, width) <= largest:
            return height, width
    longer = np.median([max(picture.height, picture.width) for picture in seen])
    side = min(largest, round(float(longer)))
    return side, side
