"""Figure 2 of Zeiler & Fergus 2014: for each channel nine projections, and beside them the nine patches it saw."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import UInt8

from striate.drawing.text import visible
from striate.drawing.tile_rendering import as_image, as_svg
from striate.drawing.tile_sheet import (
    LETTER,
    LINE,
    MARGIN,
    NAME,
    TEXT,
    TITLE,
    Layout,
    PlacedPicture,
    PlacedText,
)
from striate.drawing.tiles import png_bytes

SIDE, CELL, INNER = 3, 48, 2
"""Pictures along a grid, the points of one, and those between two."""
GRID = SIDE * CELL + (SIDE - 1) * INNER
BETWEEN, GAP = 8, 24
"""Points between the two grids of a channel, and between channels."""
PANEL = 2 * GRID + BETWEEN
COLUMNS, NARROWEST = 4, 560


@dataclass(frozen=True, eq=False)
class Patch:
    """A part of a picture in colours 0..255, and where it lies in a frame: what a cell sees beyond the border is left.

    `frame` is height and width, `place` the patch's top and left in it, all in the picture's pixels.
    """

    picture: UInt8[np.ndarray, "_height _width 3"]
    place: tuple[int, int]
    frame: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Channel:
    """One channel: its name, a line of figures, and up to nine projections with the patches that it saw."""

    name: str
    line: str
    projections: Sequence[Patch]
    patches: Sequence[Patch]


@dataclass(frozen=True, eq=False)
class Band:
    """One stage: its name, a line about its maps, and its channels."""

    name: str
    line: str
    channels: Sequence[Channel]


@dataclass(frozen=True, eq=False)
class NineFigure:
    """Stages from the picture on, each with its channels side by side, four in a row.

    >>> grey = Patch(np.full((6, 8, 3), 127, np.uint8), (2, 0), (8, 8))
    >>> band = Band("conv1", "8 × 8", [Channel("channel 0", "2.1 to 1.4", [grey] * 9, [grey] * 9)])
    >>> figure = NineFigure("What excites", "Left: projections.", [band])
    >>> figure.png()[:4], figure.svg().count("<image")
    (b'\\x89PNG', 18)
    """

    title: str
    legend: str
    bands: Sequence[Band]

    def png(self, scale: int = 2) -> bytes:
        """On white paper, `scale` pixels a point."""
        return png_bytes(np.asarray(as_image(self.layout, scale)))

    def svg(self) -> str:
        """The text of an SVG file that needs nothing else, light or dark as the reader's screen is."""
        return as_svg(self.layout, f"{self.title}. {self.legend}")

    @cached_property
    def layout(self) -> Layout:
        """Where everything goes, in points."""
        across = min(COLUMNS, max((len(band.channels) for band in self.bands), default=1))
        layout = Layout(width=max(NARROWEST, 2 * MARGIN + across * (PANEL + GAP) - GAP))
        layout.texts.append(PlacedText(visible(self.title), MARGIN, MARGIN, TITLE))
        top = MARGIN + TITLE + 8
        for words in textwrap.wrap(visible(self.legend), int((layout.width - 2 * MARGIN) / LETTER)):
            layout.texts.append(PlacedText(words, MARGIN, top, TEXT))
            top += LINE
        for band in self.bands:
            top = _put(band, layout, top + GAP)
        layout.height = top + MARGIN
        return layout


def _put(band: Band, layout: Layout, top: int) -> int:
    """Places a stage from `top` on; where it ends."""
    layout.texts.append(PlacedText(visible(band.name), MARGIN, top, NAME))
    layout.texts.append(PlacedText(visible(band.line), MARGIN, top + LINE + 2, TEXT))
    top += 2 * LINE + 8
    for start in range(0, len(band.channels), COLUMNS):
        for column, channel in enumerate(band.channels[start : start + COLUMNS]):
            left = MARGIN + column * (PANEL + GAP)
            layout.pictures += _grid(channel.projections, left, top)
            layout.pictures += _grid(channel.patches, left + GRID + BETWEEN, top)
            layout.texts.append(PlacedText(visible(channel.name), left, top + GRID + 6, NAME))
            layout.texts.append(PlacedText(visible(channel.line), left, top + GRID + 6 + LINE + 2, TEXT))
        top += GRID + 6 + 2 * LINE + 16
    return top - 16


def _grid(patches: Sequence[Patch], left: int, top: int) -> Iterator[PlacedPicture]:
    for index, patch in enumerate(patches[: SIDE * SIDE]):
        row, column = divmod(index, SIDE)
        yield _placed(patch, left + column * (CELL + INNER), top + row * (CELL + INNER))


def _placed(patch: Patch, left: int, top: int) -> PlacedPicture:
    """In a cell, of which the longer side of the frame fills all."""
    high, wide = patch.frame
    point = CELL / max(high, wide)
    upper, start = patch.place
    rows, columns, _ = patch.picture.shape
    first, last = (round(point * (at + (max(high, wide) - high) / 2)) for at in (upper, upper + rows))
    begin, end = (round(point * (at + (max(high, wide) - wide) / 2)) for at in (start, start + columns))
    return PlacedPicture(patch.picture, left + begin, top + first, max(1, end - begin), max(1, last - first))
