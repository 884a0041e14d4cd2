"""Sheets of small pictures, each with its name and its range: filters, feature maps, pictures made by ascent.

One layout in points, drawn twice: as a PNG for reports and as an SVG whose text stays text.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Shaped, UInt8

from striate.drawing.scales import diverging, sequential
from striate.drawing.text import visible
from striate.drawing.tiles import caption_font

if TYPE_CHECKING:
    from PIL.Image import Image

MARGIN, GAP, LINE, HEADING = 16, 12, 16, 24
SIDE = 96
"""Points of a tile's longer side, or a little more where whole factors ask for it."""
LARGEST = 128
NARROWEST, NARROWEST_PANEL = 560, 160
TITLE, NAME, TEXT = 16, 13, 12
LETTER = 6.9
"""Points of an average letter of 12 points, for breaking lines."""


@dataclass(frozen=True, eq=False)
class Tile:
    """One picture in colours 0..255, its name, and a line under it that says its range."""

    picture: UInt8[np.ndarray, "_height _width 3"]
    name: str = ""
    line: str = ""


@dataclass(frozen=True, eq=False)
class Panel:
    """Tiles in rows under a heading; `side` is about how many points the longer side of a tile has."""

    tiles: Sequence[Tile]
    title: str = ""
    lines: tuple[str, ...] = ()
    columns: int = 8
    side: int = SIDE


@dataclass(frozen=True, eq=False)
class TileSheet:
    """Panels under each other, or `across`: beside each other, under a title and what there is to say of all.

    >>> grey = Tile(np.full((3, 3, 3), 127, np.uint8), "17", "-0.3 … 0.4")
    >>> sheet = TileSheet("stem.conv", ("3 × 3 pixels",), [Panel([grey] * 8)])
    >>> sheet.to_image(scale=1).size, sheet.to_svg().count("<image")
    ((884, 216), 8)
    """

    title: str
    lines: tuple[str, ...]
    panels: Sequence[Panel]
    across: bool = False

    def to_image(self, scale: int = 2) -> "Image":
        """As a Pillow image, `scale` pixels a point."""
        from striate.drawing.tile_rendering import as_image

        return as_image(laid_out(self), scale)

    def to_png(self, scale: int = 2) -> bytes:
        """As the bytes of a PNG file."""
        from striate.drawing.tiles import png_bytes

        return png_bytes(np.asarray(self.to_image(scale)))

    def to_svg(self) -> str:
        """As the text of an SVG file that needs nothing else, light or dark as the reader's screen is."""
        from striate.drawing.tile_rendering import as_svg

        return as_svg(laid_out(self), " · ".join((self.title, *self.lines)))


@dataclass(frozen=True, eq=False)
class PlacedPicture:
    """A picture and the rectangle it fills, in points."""

    picture: UInt8[np.ndarray, "_height _width 3"]
    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class PlacedText:
    """A line of text and its upper left corner, in points; a `size` of 13 or more is a heading."""

    text: str
    left: int
    top: int
    size: int


@dataclass(eq=False)
class Layout:
    """All that is drawn, and the size of the paper."""

    width: int = 0
    height: int = 0
    pictures: list[PlacedPicture] = field(default_factory=list)
    texts: list[PlacedText] = field(default_factory=list)


def brief(value: float) -> str:
    """A number for a small place: two digits, whole from 10 on.

    >>> brief(3.214), brief(-0.0312), brief(128.4), brief(0.0), brief(1.23e-5)
    ('3.2', '−0.031', '128', '0', '1.2e−05')
    """
    written = f"{value:.0f}" if 9.95 <= abs(value) < 1e5 else f"{value:.2g}"
    return "0" if written == "-0" else written.replace("-", "−")


def range_of(values: Shaped[np.ndarray, "..."]) -> str:
    """The smallest and the largest value, or the only one.

    >>> range_of(np.array([0.0, 3.21])), range_of(np.zeros(4)), range_of(np.ones(1))
    ('0 … 3.2', '0 everywhere', '1')
    """
    low, high = float(values.min()), float(values.max())
    if values.size == 1:
        return brief(low)
    return f"{brief(low)} everywhere" if low == high else f"{brief(low)} … {brief(high)}"


def value_tile(
    name: str,
    values: Shaped[np.ndarray, "_height _width"],
    *,
    signed: bool,
    limit: float | None = None,
) -> Tile:
    """Values as colours, with their range under them.

    >>> tile = value_tile("17", np.array([[0.0, 3.21]]), signed=False)
    >>> tile.name, tile.line, tile.picture[0, 1].tolist()
    ('17', '0 … 3.2', [253, 231, 37])

    Signed values are blue below zero and red above, the others dark at 0 and bright at `limit`: the largest
    magnitude unless given.
    """
    colours = diverging(values, limit) if signed else sequential(values, 0.0, limit)
    return Tile(colours, name, range_of(values))


def laid_out(sheet: TileSheet) -> Layout:
    """Where everything goes."""
    cells = [_cell(panel) for panel in sheet.panels]
    # under each other, the columns of all panels stand in line
    blocks = [
        _panel(panel, cell if sheet.across else max(cells))
        for panel, cell in zip(sheet.panels, cells, strict=True)
    ]
    gaps = GAP * 2 * (len(blocks) - 1)
    wide = sum(block.width for block in blocks) + gaps if sheet.across else max(b.width for b in blocks)
    layout = Layout(width=max(wide, NARROWEST) + 2 * MARGIN)
    top = MARGIN
    if sheet.title:
        layout.texts.append(PlacedText(visible(sheet.title), MARGIN, top, TITLE))
        top += HEADING
    for line in _broken(sheet.lines, layout.width - 2 * MARGIN):
        layout.texts.append(PlacedText(line, MARGIN, top, TEXT))
        top += LINE
    left, top = MARGIN, top + GAP
    for block in blocks:
        _put(block, layout, left, top)
        if sheet.across:
            left += block.width + 2 * GAP
        else:
            top += block.height + GAP
    tallest = max(block.height for block in blocks) + GAP if sheet.across else 0
    layout.height = top + tallest + MARGIN - GAP
    return layout


def _cell(panel: Panel) -> int:
    """The width of a column: that of the widest tile or caption."""
    captions = [_length(text) for tile in panel.tiles for text in _captions(tile)]
    return max([_size(tile, panel.side)[0] for tile in panel.tiles] + captions)


def _panel(panel: Panel, cell: int) -> Layout:
    sizes = [_size(tile, panel.side) for tile in panel.tiles]
    tall = max(height for _, height in sizes)
    captions = max(len(_captions(tile)) for tile in panel.tiles)
    columns = min(panel.columns, len(panel.tiles))
    layout = Layout(width=max(columns * (cell + GAP) - GAP, NARROWEST_PANEL))
    top = 0
    if panel.title:
        layout.texts.append(PlacedText(visible(panel.title), 0, 0, NAME))
        top = LINE + 4
    for line in _broken(panel.lines, layout.width):
        layout.texts.append(PlacedText(line, 0, top, TEXT))
        top += LINE
    top += 4 if top else 0
    step = tall + captions * LINE + (4 if captions else 0) + GAP
    for index, (tile, (width, height)) in enumerate(zip(panel.tiles, sizes, strict=True)):
        left, upper = index % columns * (cell + GAP), top + index // columns * step
        layout.pictures.append(PlacedPicture(tile.picture, left, upper, width, height))
        for number, text in enumerate(_captions(tile)):
            size = NAME if number == 0 and tile.name else TEXT
            layout.texts.append(PlacedText(text, left, upper + tall + 4 + number * LINE, size))
    layout.height = top + -(-len(panel.tiles) // columns) * step - GAP
    return layout


def _put(block: Layout, layout: Layout, left: int, top: int) -> None:
    for one in block.pictures:
        layout.pictures.append(
            PlacedPicture(one.picture, one.left + left, one.top + top, one.width, one.height)
        )
    for one in block.texts:
        layout.texts.append(PlacedText(one.text, one.left + left, one.top + top, one.size))


def _size(tile: Tile, side: int) -> tuple[int, int]:
    """A whole multiple of a small picture, so that every cell is equally large; a large one is reduced."""
    height, width = tile.picture.shape[:2]
    longest = max(height, width)
    if longest > LARGEST:
        share = side / longest
        return max(1, round(width * share)), max(1, round(height * share))
    factor = -(-side // longest)
    factor -= longest * factor > LARGEST
    return width * factor, height * factor


def _captions(tile: Tile) -> list[str]:
    return [visible(text) for text in (tile.name, tile.line) if text]


def _broken(lines: Sequence[str], width: int) -> Iterator[str]:
    for line in lines:
        yield from textwrap.wrap(visible(line), int(width / LETTER))


def _length(text: str) -> int:
    return int(caption_font(NAME).getlength(text)) + 1
