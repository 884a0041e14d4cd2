"""What the network looked at, as the report shows it: heat maps of the worst and of the least certain images."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from striate.drawing import tiles

WRONG, UNCERTAIN = "wrong", "uncertain"
HEADINGS = {WRONG: "Most wrong first", UNCERTAIN: "Least certain first"}
BYTES = 1_200_000
LARGEST = 128
"""Pixels of the longer side of a picture in the report."""


@dataclass(frozen=True, kw_only=True)
class Reasoned:
    """An image with the heat map of the class it was given, and the two classes that the network gave most to.

    `kind` is why it is shown; `silent` says that its map is 0 everywhere, `at_edge` that the map's strongest cell
    touches the border.
    """

    source: str
    kind: str
    truth: str
    best: tuple[tuple[str, float], ...]
    pixels: UInt8[np.ndarray, "height width channel"]
    overlay: UInt8[np.ndarray, "height width 3"]
    silent: bool = False
    at_edge: bool = False


@dataclass(frozen=True, kw_only=True)
class Reasons:
    """The images shown, the method in words (`Grad-CAM of stage3`) and rows and columns of its cells.

    `checked` says whether such maps depend on what the network has learned; `refused` why there is no map of any image.
    """

    images: Sequence[Reasoned] = ()
    method: str = ""
    cells: tuple[int, int] = (0, 0)
    checked: str = ""
    refused: str = ""


@dataclass(frozen=True)
class Shown:
    """An image of the section with its two pictures as data URIs."""

    image: Reasoned
    picture: str
    heat: str


def fitting(reasons: Reasons) -> list[Shown]:
    """The images that the section has room for, by turns of both kinds, so that neither crowds out the other."""
    kinds = [[one for one in reasons.images if one.kind == kind] for kind in HEADINGS]
    turns = [one for place in range(len(reasons.images)) for kind in kinds for one in kind[place : place + 1]]
    found, size = [], 0
    for one in turns:
        uris = [_uri(picture) for picture in (one.pixels, one.overlay)]
        size += sum(map(len, uris))
        if size > BYTES:
            break
        found.append(Shown(one, *uris))
    return found


def on_reasons(reasons: Reasons, shown: Sequence[Shown]) -> str:
    """What is shown and how, and what of the maps can be said in numbers."""
    if reasons.refused:
        return reasons.refused
    if not shown:
        return "There is no image to explain."
    images = [one.image for one in shown]
    wrong = sum(one.kind == WRONG for one in images)
    parts = [f"{wrong:,} most wrong"] * bool(wrong) + [f"{len(images) - wrong:,} least certain"] * (
        wrong < len(images)
    )
    said = f"{reasons.method} for the class it chose, of the {' and the '.join(parts)} images. "
    silent = sum(one.silent for one in images)
    if silent:
        maps = "1 map is" if silent == 1 else f"{silent:,} maps are"
        said += f"{maps} 0 everywhere: nothing there speaks for the class. "
    rows, columns = reasons.cells
    inner = max(rows - 2, 0) * max(columns - 2, 0)
    if inner and silent < len(images):
        edge, told = sum(one.at_edge and not one.silent for one in images), len(images) - silent
        said += (
            f"The strongest of the {rows} × {columns} cells touches the border of the picture in {edge:,} of {told:,}"
            f" maps, as {rows * columns - inner:,} of the {rows * columns:,} cells do. "
        )
    checked = f"{reasons.checked} " if reasons.checked else ""
    return f"{said}{checked}A bright place speaks for the class; whether it should is for the reader to say."


def _uri(picture: UInt8[np.ndarray, "height width channel"]) -> str:
    encoded = base64.b64encode(tiles.png_bytes(picture, largest=LARGEST)).decode("ascii")
    return f"data:image/png;base64,{encoded}"
