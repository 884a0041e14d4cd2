"""Pictures that are at hand without a file: two drawn here, and two photographs that come with scikit-learn."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from striate.errors import ImageError, UsageError, suggestion
from striate.pixels.reading import read_image

Drawn = UInt8[np.ndarray, "_height _width _channel"]


@dataclass(frozen=True)
class ExamplePicture:
    """A picture at hand: its name, what it shows, and who made it under which licence."""

    name: str
    title: str
    credit: str
    make: Callable[[], Drawn]


def example_picture(name: str) -> Drawn:
    """One of `EXAMPLE_PICTURES`.

    >>> example_picture("roof").shape, example_picture("card").shape, example_picture("tiny").shape
    ((200, 300, 3), (160, 240, 1), (16, 16, 1))

    uint8, `height width channel`. Raises UsageError for another name, ImageError where scikit-learn came without its
    photographs.
    """
    if name not in EXAMPLE_PICTURES:
        raise UsageError(f"there is no example picture {name!r}; {suggestion(name, EXAMPLE_PICTURES)}")
    return EXAMPLE_PICTURES[name].make()


def _photograph(file: str) -> Drawn:
    found = importlib.util.find_spec("sklearn")  # found, not imported: that would take a second
    if found is None or found.origin is None:
        raise ImageError("scikit-learn, with which this photograph comes, is not installed")
    path = Path(found.origin).parent / "datasets" / "images" / file
    if not path.is_file():
        raise ImageError("the installed scikit-learn came without this photograph; choose a drawn picture")
    return read_image(path)  # type: ignore[return-value]


def _roof() -> Drawn:
    return np.ascontiguousarray(_photograph("china.jpg")[20:220, 70:370])


def _flower() -> Drawn:
    return np.ascontiguousarray(_photograph("flower.jpg")[60:420, 120:600])


def _card() -> Drawn:
    """Rings that grow finer outwards, straight edges in four directions, a ramp, a chequerboard and single lines."""
    rings = np.zeros((160, 240))
    rows, columns = np.mgrid[0:160, 0:160]
    rings[:, :160] = 127.5 + 127.5 * np.cos(((rows - 79.5) ** 2 + (columns - 79.5) ** 2) * (np.pi / 160))
    rings[:40, 160:] = np.linspace(0, 255, 80)
    rings[40:80, 160:] = _edges()
    checks = np.add.outer(np.arange(40) // 5, np.arange(40) // 5) % 2
    rings[80:120, 160:200], rings[80:120, 200:] = 255 * checks, 40
    rings[84:116, [206, 214, 222, 230]] = 230
    rings[120:, 160:] = np.where(np.hypot(rows[:40, :80] - 19.5, columns[:40, :80] - 39.5) < 16, 220, 90)
    return np.rint(rings).astype(np.uint8)[:, :, None]


def _edges() -> Float[np.ndarray, "40 80"]:
    rows, columns = np.mgrid[0:40, 0:20]
    parts = (columns >= 10, rows >= 20, rows / 2 >= columns, rows / 2 + columns >= 20)
    return np.concatenate([np.where(part, 200.0, 60.0) for part in parts], axis=1)


def _tiny() -> Drawn:
    """A letter of 16 × 16 pixels, each of which can be read."""
    rows = (
        "................", "................", "....########....", "...##########...",
        "..###......###..", "..##........##..", "..###...........", "...########.....",
        ".....########...", "...........###..", "............##..", "..##........##..",
        "..###......###..", "...##########...", "....########....", "................",
    )  # fmt: skip
    return np.array([[230 if mark == "#" else 20 for mark in row] for row in rows], np.uint8)[:, :, None]


_LICENCE = "CC BY 2.0, comes with scikit-learn"
EXAMPLE_PICTURES: dict[str, ExamplePicture] = {
    example.name: example
    for example in (
        ExamplePicture("roof", "roof of a temple", f"danielbuechele, {_LICENCE}", _roof),
        ExamplePicture("flower", "a flower", f"vultilion, {_LICENCE}", _flower),
        ExamplePicture("card", "test card: rings, edges, ramp, lines", "drawn by striate", _card),
        ExamplePicture("tiny", "a letter of 16 × 16 pixels", "drawn by striate", _tiny),
    )
}
"""The pictures at hand, by name."""
