"""Filtered pictures side by side, each with the name of its kernel, the weights, and what its colours mean."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from striate.drawing.text import visible
from striate.drawing.tiles import INK, MUTED, PAPER

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

GAP, LINE, NAME, SMALL = 16, 16, 15, 12
MOST_ROWS = 5
"""Kernels of more rows are told by their size alone."""


@dataclass(frozen=True, eq=False)
class Tile:
    """One picture of a sheet: colours 0..255, a name, lines of text, and the weights as they are written."""

    picture: UInt8[np.ndarray, "_height _width 3"]
    name: str
    lines: tuple[str, ...]
    weights: tuple[tuple[str, ...], ...] = ()


def kernel_sheet(tiles: Sequence[Tile], *, columns: int = 3, width: int = 300, scale: int = 2) -> "Image":
    """Tiles in rows on paper; `width` of a picture in points, `scale` pixels a point.

    >>> kernel_sheet([Tile(np.zeros((20, 30, 3), np.uint8), "outline", ("20 × 30",))] * 4, columns=2, scale=1).size
    (648, 572)
    """
    from PIL import Image, ImageDraw

    pictures = [_resized(tile, width * scale) for tile in tiles]
    columns = min(columns, len(tiles))
    height = max(picture.height for picture in pictures) // scale
    weights = max((len(tile.weights) for tile in tiles if len(tile.weights) <= MOST_ROWS), default=0)
    band = max(NAME + 5 + LINE * max(len(tile.lines) for tile in tiles), LINE * weights + 4, 54) + 8
    rows = math.ceil(len(tiles) / columns)
    size = columns * (width + GAP) + GAP, rows * (height + band + GAP) + GAP
    sheet = Image.new("RGB", (size[0] * scale, size[1] * scale), PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, (tile, picture) in enumerate(zip(tiles, pictures, strict=True)):
        left = (GAP + index % columns * (width + GAP)) * scale
        top = (GAP + index // columns * (height + band + GAP)) * scale
        sheet.paste(picture, (left, top))
        draw.rectangle((left - 1, top - 1, left + picture.width, top + picture.height), outline="#d0d7de")
        _caption(draw, tile, left, top + height * scale, width, scale)
    return sheet


def _caption(draw: "ImageDraw", tile: Tile, left: int, top: int, width: int, scale: int) -> None:
    draw.text(
        (left, top + 4 * scale), visible(tile.name), fill=INK, font=_font("DejaVuSans-Bold", NAME * scale)
    )
    for number, line in enumerate(tile.lines):
        height = top + (NAME + 9 + number * LINE) * scale
        draw.text((left, height), visible(line), fill=MUTED, font=_font("DejaVuSans", SMALL * scale))
    rows = tile.weights
    if not 0 < len(rows) <= MOST_ROWS or len(rows[0]) > MOST_ROWS:
        return
    font = _font("DejaVuSansMono", SMALL * scale)
    letter = font.getlength("0")
    cell = max(len(word) for row in rows for word in row) + 1
    start = left + width * scale - letter * (cell * len(rows[0]) - 1)
    for number, row in enumerate(rows):
        for place, word in enumerate(row):
            end = start + letter * (cell * (place + 1) - 1)
            draw.text((end, top + (4 + number * LINE) * scale), word, fill=INK, font=font, anchor="ra")


def _resized(tile: Tile, width: int) -> "Image":
    """To the width of a tile: enlarged without smoothing, reduced by the mean of what one pixel covers."""
    from PIL import Image

    image = Image.fromarray(tile.picture)
    height = max(1, round(image.height * width / image.width))
    way = Image.Resampling.BOX if image.width > width else Image.Resampling.NEAREST
    return image.resize((width, height), way)


def _font(name: str, pixels: int) -> "FreeTypeFont":
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf"), pixels)
