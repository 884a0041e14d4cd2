"""Pictures of every mode, depth, kind and size that a run of grey levels may meet, as files."""

import io
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F", "16-bit colour")
KINDS = {
    "1": ("PNG", "BMP", "TIFF"),
    "L": ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF"),
    "LA": ("PNG",),
    "P": ("PNG", "GIF"),
    "RGB": ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "PPM"),
    "RGBA": ("PNG", "WEBP"),
    "CMYK": ("JPEG", "TIFF"),
    "I;16": ("PNG", "TIFF"),
    "F": ("NPY",),
    "16-bit colour": ("NPY", "TIFF-16"),
}
ORIENTATION = 0x0112


def write_mixed(folder: Path, count: int, *, floats: bool) -> list[Path]:
    """So many files, in two folders as if they were classes; every mode and kind comes by turns."""
    draw = np.random.default_rng(0)
    turns = [(mode, kind) for mode in MODES for kind in KINDS[mode] if floats or mode != "F"]
    written = []
    for number in range(count):
        mode, kind = turns[number % len(turns)]
        path = folder / ("bright", "dark")[number % 2] / f"{number:04d}.{kind.split('-')[0].lower()}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(draw, mode, kind, tuple(draw.integers(1, 70, 2).tolist())))
        written.append(path)
    return written


def content(draw: np.random.Generator, mode: str, kind: str, shape: tuple[int, int]) -> bytes:
    """The bytes of one file."""
    buffer = io.BytesIO()
    if mode in ("F", "16-bit colour"):
        if mode == "F":
            np.save(buffer, draw.uniform(0, 1, (*shape, 1)).astype(np.float32))
        elif kind == "NPY":
            np.save(buffer, draw.integers(0, 65536, (*shape, 3), dtype=np.uint16))
        else:
            tifffile.imwrite(buffer, draw.integers(0, 65536, (*shape, 3), dtype=np.uint16), photometric="rgb")
        return buffer.getvalue()
    if mode == "I;16":
        picture = Image.fromarray(draw.integers(0, 65536, shape, dtype=np.uint16))
    else:
        colours = Image.fromarray(
            draw.integers(0, 256, (*shape, 4), dtype=np.uint8), "RGBA" if mode == "RGBA" else None
        )
        picture = colours if mode == "RGBA" else colours.convert("RGB").convert(mode)
    options = {}
    if kind in ("JPEG", "TIFF") and draw.integers(3) == 0:
        exif = Image.Exif()
        exif[ORIENTATION] = int(draw.integers(1, 9))
        options["exif"] = exif
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
