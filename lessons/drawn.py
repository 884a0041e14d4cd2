"""Images that a lesson draws for itself: coloured shapes by several painters, each with a hand of their own.

Nothing is fetched and nothing is random between two readings: the same seed draws the same pixels.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIDE, FINER = 32, 4
PAINTERS = 30
SHAPES = ("circle", "cross", "ring", "square", "star", "triangle")


def draw_shapes(
    folder: Path,
    shapes: tuple[str, ...] = SHAPES,
    *,
    each: int = 4,
    painters: int = PAINTERS,
    noise: float = 25.0,
    seed: int = 0,
) -> None:
    """Write `folder/SHAPE/SHAPE-pPAINTER-NUMBER.png`, `each` pictures of a shape by every painter.

    PNG files of 32 × 32 in colour. A painter has a palette, a stroke and a slant of their own, so that pictures by one
    hand are alike: `group_from=r"p(\\d+)"` keeps them together. `noise` is its deviation in grey levels.
    """
    for painter in range(painters):
        for shape in shapes:
            (folder / shape).mkdir(parents=True, exist_ok=True)
            for number in range(each):
                place = np.random.default_rng([seed, painter, SHAPES.index(shape), number])
                picture = draw_shape(shape, painter, place, noise=noise, seed=seed)
                picture.save(folder / shape / f"{shape}-p{painter:02d}-{number:03d}.png")


def draw_shape(
    shape: str, painter: int, place: np.random.Generator, *, noise: float = 25.0, seed: int = 0
) -> Image.Image:
    """One picture: `place` chooses where, how large, how bright; the painter chooses ground, ink, stroke and slant."""
    hand = np.random.default_rng([seed, 1000 + painter])
    ground, ink = hand.uniform(20, 110, 3), hand.uniform(130, 250, 3)
    stroke, slant = hand.uniform(0.12, 0.3), hand.uniform(-0.4, 0.4)
    side = SIDE * FINER
    sheet = Image.new("L", (side, side))
    centre = place.uniform(0.38, 0.62, 2) * side
    radius = place.uniform(0.2, 0.34) * side
    outline(ImageDraw.Draw(sheet), shape, centre, radius, stroke * radius, slant + place.uniform(-0.25, 0.25))
    cover = np.asarray(sheet.resize((SIDE, SIDE), Image.Resampling.BOX), np.float64)[..., None] / 255
    colours = ground * (1 - cover) + ink * cover + place.normal(0, 12, 3)
    pixels = colours + place.normal(0, noise, (SIDE, SIDE, 1))
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


def outline(
    pen: ImageDraw.ImageDraw, shape: str, centre: np.ndarray, radius: float, stroke: float, slant: float
) -> None:
    """Draw one shape in white."""
    x, y = centre
    if shape in {"circle", "ring"}:
        box = (x - radius, y - radius, x + radius, y + radius)
        pen.ellipse(box, fill=255 if shape == "circle" else 0, outline=255, width=max(4, int(stroke * 2)))
    elif shape == "cross":
        for turn in (np.pi / 4, 3 * np.pi / 4):
            step = radius * np.array([np.cos(turn + slant), np.sin(turn + slant)])
            pen.line((*(centre - step), *(centre + step)), fill=255, width=max(4, int(stroke * 2)))
    else:
        corners = {"square": 4, "triangle": 3, "star": 10}[shape]
        lengths = np.where(np.arange(corners) % 2, 0.45, 1.0) if shape == "star" else np.ones(corners)
        turns = slant - np.pi / 2 + 2 * np.pi * np.arange(corners) / corners
        points = centre + radius * lengths[:, None] * np.stack([np.cos(turns), np.sin(turns)], axis=1)
        pen.polygon([(float(a), float(b)) for a, b in points], fill=255)


DRAWN: dict[str, Callable[[Path], None]] = {"shapes": draw_shapes}
"""Sources that a lesson can ask for by name, drawn when first asked for."""
