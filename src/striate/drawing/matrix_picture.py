"""The confusion matrix as a picture, for where no SVG can be shown: rows are the truth, columns the prediction."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from striate.drawing.matrix import NUMBERED
from striate.drawing.scales import SEQUENTIAL, luminance, share_step
from striate.drawing.text import shorten, visible
from striate.drawing.tiles import INK, MUTED, PAPER, caption_font

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

STEPS = (PAPER, *SEQUENTIAL[::-2][1:])
"""The colour of each step of a share, as the report has it on light paper."""
LINE = "#d0d7de"
TEXT, LONGEST, GAP = 12, 18, 6
"""Height of letters and distances in pixels; letters of a name at the most."""


def matrix_picture(counts: Sequence[Sequence[int]], names: Sequence[str]) -> "Image":
    """A confusion matrix as a Pillow image: the colour of a cell is its share of the row.

    >>> matrix_picture([[3, 1], [0, 2]], ["cat", "owl"]).mode
    'RGB'

    Counts are written in the cells up to 30 classes. Empty cells keep the colour of the paper.
    """
    from PIL import Image, ImageDraw

    font = caption_font(TEXT)
    labels = [shorten(visible(name), LONGEST) for name in names]
    widest = max((font.getlength(f"{count:,}") for row in counts for count in row), default=0)
    cell = max(36 if len(names) <= 16 else 24, round(widest) + 8) if len(names) <= NUMBERED else 15
    edge = round(max(map(font.getlength, labels))) + GAP + 24
    size = edge + cell * len(names) + GAP
    picture = Image.new("RGB", (size, size), PAPER)
    draw = ImageDraw.Draw(picture)
    for row, line in enumerate(counts):
        for column, count in enumerate(line):
            if count:
                place = (edge + column * cell, edge + row * cell)
                _cell(draw, place, cell, share_step(count / sum(line)), count, font, len(names) <= NUMBERED)
    draw.rectangle((edge - 1, edge - 1, size - GAP, size - GAP), outline=LINE)
    for index, label in enumerate(labels):
        middle = edge + (index + 0.5) * cell
        draw.text((edge - GAP, middle), label, fill=INK, font=font, anchor="rm")
        _upright(picture, label, (round(middle), edge - GAP), font, INK)
    centre = edge + cell * len(names) / 2
    draw.text((centre, 4), "predicted", fill=MUTED, font=font, anchor="mt")
    width = round(font.getlength("truth"))
    _upright(picture, "truth", (10, round(centre) + width // 2), font, MUTED)
    return picture


def _cell(
    draw: "ImageDraw",
    place: tuple[int, int],
    cell: int,
    step: int,
    count: int,
    font: "FreeTypeFont",
    numbered: bool,
) -> None:
    left, top = place
    draw.rectangle((left, top, left + cell - 1, top + cell - 1), fill=STEPS[step])
    if numbered:
        ink = "#ffffff" if luminance(STEPS[step]) < 0.18 else "#000000"
        middle = (left + cell / 2, top + cell / 2)
        draw.text(middle, f"{count:,}", fill=ink, font=font, anchor="mm")


def _upright(picture: "Image", text: str, foot: tuple[int, int], font: "FreeTypeFont", colour: str) -> None:
    """A text that reads upwards, its foot centred on a point."""
    from PIL import Image, ImageDraw

    width, height = max(round(font.getlength(text)), 1), TEXT + 4
    mask = Image.new("L", (width, height))
    ImageDraw.Draw(mask).text((0, height / 2), text, fill=255, font=font, anchor="lm")
    x, y = foot
    picture.paste(colour, (x - height // 2, y - width), mask.rotate(90, expand=True))
