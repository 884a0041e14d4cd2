"""A layout of tiles as a Pillow image and as the text of an SVG file."""

import base64
import html
from pathlib import Path
from typing import TYPE_CHECKING

from striate.drawing.text import visible
from striate.drawing.tile_sheet import NAME, Layout, PlacedPicture, PlacedText
from striate.drawing.tiles import INK, MUTED, PAPER, png_bytes

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

LINE = "#d0d7de"
STYLE = f"""
svg {{ --paper: {PAPER}; --ink: {INK}; --muted: {MUTED}; --line: {LINE}; background: var(--paper);
  font: 12px system-ui, sans-serif; font-variant-numeric: tabular-nums; }}
@media (prefers-color-scheme: dark) {{ svg {{ --paper: #16181c; --ink: #f0f0f0; --muted: #a8a8a8; --line: #44484f; }} }}
text {{ fill: var(--muted); }} .heading {{ fill: var(--ink); font-weight: 600; }}
image {{ image-rendering: pixelated; }} rect {{ fill: none; stroke: var(--line); }}
"""


def as_image(layout: Layout, scale: int) -> "Image":
    """On white paper, `scale` pixels a point; small pictures are enlarged without smoothing."""
    from PIL import Image, ImageDraw

    paper = Image.new("RGB", (layout.width * scale, layout.height * scale), PAPER)
    draw = ImageDraw.Draw(paper)
    for one in layout.pictures:
        image = resized(one, scale)
        left, top = one.left * scale, one.top * scale
        paper.paste(image, (left, top))
        draw.rectangle((left - 1, top - 1, left + image.width, top + image.height), outline=LINE)
    for text in layout.texts:
        heading = text.size >= NAME
        font = _font("DejaVuSans-Bold" if heading else "DejaVuSans", text.size * scale)
        draw.text((text.left * scale, text.top * scale), text.text, fill=INK if heading else MUTED, font=font)
    return paper


def as_svg(layout: Layout, label: str) -> str:
    """Pictures as PNG inside the file, texts as text; `label` is read out to those who do not see it."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{layout.width}" '
            f'height="{layout.height}" viewBox="0 0 {layout.width} {layout.height}" '
            f'aria-label="{html.escape(visible(label))}">',
            f"<style>{STYLE}</style>",
            *(_picture(one) for one in layout.pictures),
            *(_text(one) for one in layout.texts),
            "</svg>",
            "",
        ]
    )


def resized(one: PlacedPicture, scale: int) -> "Image":
    """To the size of its place: enlarged without smoothing, reduced by the mean of what one pixel covers."""
    from PIL import Image

    image = Image.fromarray(one.picture)
    size = one.width * scale, one.height * scale
    smaller = size[0] < image.width
    return image.resize(size, Image.Resampling.BOX if smaller else Image.Resampling.NEAREST)


def _picture(one: PlacedPicture) -> str:
    encoded = base64.b64encode(png_bytes(one.picture, largest=512)).decode("ascii")
    place = f'x="{one.left}" y="{one.top}" width="{one.width}" height="{one.height}"'
    return (
        f'<image {place} preserveAspectRatio="none" href="data:image/png;base64,{encoded}"/><rect {place}/>'
    )


def _text(one: PlacedText) -> str:
    heading = ' class="heading"' if one.size >= NAME else ""
    # the baseline of a line is about 0.93 of its size below its upper edge, as in the font of the PNG
    place = f'x="{one.left}" y="{one.top + 0.93 * one.size:.1f}" font-size="{one.size}"'
    return f"<text{heading} {place}>{html.escape(one.text)}</text>"


def _font(name: str, pixels: int) -> "FreeTypeFont":
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf"), pixels)
