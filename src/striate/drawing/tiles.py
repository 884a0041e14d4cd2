"""Pictures as PNG and as contact sheets: enlarged without smoothing, each with its caption."""

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Shaped, UInt8

from striate.drawing.text import shorten, visible

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

SMALLEST, LARGEST = 96, 224
PAPER, INK, MUTED = "#ffffff", "#1b1f24", "#57606a"
MARKS = {True: ("✓", "#00684a"), False: ("✗", "#b3261e")}


def to_uint8(
    picture: Shaped[np.ndarray, "height width channel"], low: float | None = None, high: float | None = None
) -> UInt8[np.ndarray, "height width channel"]:
    """A picture of any depth as 8 bits for the eye; uint8 stays as it is.

    Other depths are stretched from `low..high` (their own finite minimum and maximum unless given) to
    0..255; a picture of one value, or of none that is finite, is black. Only for showing: no number is
    computed from it.

    >>> to_uint8(np.array([[[0], [2048], [4095]]], dtype=np.uint16)).ravel().tolist()
    [0, 128, 255]
    """
    if picture.dtype == np.uint8 and low is None and high is None:
        return picture
    values = picture.astype(np.float64)
    finite = values[np.isfinite(values)]
    bottom = low if low is not None else float(finite.min(initial=np.inf))
    top = high if high is not None else float(finite.max(initial=-np.inf))
    if not top > bottom:
        return np.zeros(picture.shape, np.uint8)
    stretched = np.nan_to_num((values - bottom) / (top - bottom), nan=0.0, posinf=1.0, neginf=0.0)
    return np.rint(np.clip(stretched, 0, 1) * 255).astype(np.uint8)


def png_bytes(picture: Shaped[np.ndarray, "height width channel"], largest: int | None = None) -> bytes:
    """A picture as a PNG file; one with a side above `largest` pixels is reduced to it.

    1 channel is grey, 3 are red, green and blue, 4 have alpha; any other number is shown side by side in
    grey.

    >>> png_bytes(np.zeros((28, 28, 1), np.uint8))[:4]
    b'\\x89PNG'
    """
    image = to_image(picture)
    if largest and max(image.size) > largest:
        image.thumbnail((largest, largest))
    target = io.BytesIO()
    image.save(target, format="PNG", optimize=True)
    return target.getvalue()


def reduced(
    picture: UInt8[np.ndarray, "height width channel"], largest: int
) -> UInt8[np.ndarray, "_height _width _channel"]:
    """A picture whose longer side has at most `largest` pixels.

    >>> reduced(np.zeros((300, 200, 3), np.uint8), 96).shape
    (96, 64, 3)
    """
    if max(picture.shape[:2]) <= largest:
        return picture
    image = to_image(picture)
    image.thumbnail((largest, largest))
    values = np.asarray(image)
    return values if values.ndim == 3 else values[:, :, None]


def to_image(picture: Shaped[np.ndarray, "height width channel"]) -> "Image":
    """A picture as a Pillow image of mode L, RGB or RGBA, 8 bits."""
    from PIL import Image

    values = to_uint8(picture)
    if values.shape[2] not in (1, 3, 4):
        values = np.concatenate(np.split(values, values.shape[2], axis=2), axis=1)
    return Image.fromarray(np.ascontiguousarray(values[:, :, 0] if values.shape[2] == 1 else values))


def contact_sheet(
    pictures: list[Any],
    captions: list[str],
    columns: int = 8,
    marks: list[bool] | None = None,
    scale: int = 2,
) -> "Image":
    """Pictures in rows with a caption under each; with marks, a right one has a tick and a wrong one a cross.

    Pictures are arrays (height width channel) of any depth and need not agree in size. The small ones are
    enlarged by a whole factor without smoothing, to 96 px at least; those above 224 px are reduced. `scale`
    multiplies it all, for screens of twice the density. A caption too wide for its picture loses its
    middle.

    >>> contact_sheet([np.zeros((28, 28, 1), np.uint8)] * 3, ["a", "b", "c"], columns=2, scale=1).size
    (260, 308)
    """
    from PIL import Image, ImageDraw

    if len(captions) != len(pictures) or (marks is not None and len(marks) != len(pictures)):
        raise ValueError(f"{len(pictures)} pictures need as many captions and marks")
    if not pictures:
        raise ValueError("a contact sheet needs at least one picture")
    images = [_fitted(to_image(picture), scale) for picture in pictures]
    columns = min(columns, len(images))
    lines = [visible(caption) for caption in captions]
    width, height = max(image.width for image in images), max(image.height for image in images)
    gap, band, font = 12 * scale, 24 * scale, caption_font(13 * scale)
    rows = math.ceil(len(images) / columns)
    sheet = Image.new("RGB", (columns * (width + gap) + gap, rows * (height + band + gap) + gap), PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, (image, line) in enumerate(zip(images, lines, strict=True)):
        left, top = gap + index % columns * (width + gap), gap + index // columns * (height + band + gap)
        sheet.paste(image, (left, top), image if image.mode == "RGBA" else None)
        draw.rectangle((left - 1, top - 1, left + image.width, top + image.height), outline="#d0d7de")
        mark, colour = MARKS[marks[index]] if marks is not None else ("", INK)
        text = _fit_text(f"{mark} {line}".strip(), font, width)
        draw.text((left, top + height + 4 * scale), text, fill=colour, font=font)
    return sheet


def caption_font(pixels: int) -> "FreeTypeFont":
    """The font of captions: DejaVu Sans, which comes with matplotlib, so that no machine lacks it."""
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), pixels)


def _fitted(image: "Image", scale: int) -> "Image":
    if max(image.size) > LARGEST:
        ratio = LARGEST * scale / max(image.size)
        size = max(round(image.width * ratio), 1), max(round(image.height * ratio), 1)
        return image.resize(size, resample=1 if ratio < 1 else 0)
    factor = max(math.ceil(SMALLEST / max(image.size)), 1) * scale
    return image.resize((image.width * factor, image.height * factor), resample=0)


def _fit_text(text: str, font: "FreeTypeFont", width: int) -> str:
    length = len(text)
    while length > 1 and font.getlength(shorten(text, length)) > width:
        length -= 1
    return shorten(text, length)
