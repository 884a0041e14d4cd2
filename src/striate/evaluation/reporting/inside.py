"""The page beside the report: the filters of the first layer, and what each stage makes of one test image."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from striate.drawing import html, tiles
from striate.drawing.tile_sheet import TileSheet
from striate.evaluation.reporting.report import environment

BYTES = 4_000_000
LARGEST = 96
"""Pixels of the longer side of a tile."""


@dataclass(frozen=True, kw_only=True)
class Inside:
    """What the page shows; where there are no filters or no maps, the sentence says why."""

    title: str
    filters: TileSheet | str
    picture: UInt8[np.ndarray, "height width channel"]
    picture_words: str
    maps: Sequence[TileSheet] | str
    command: str
    created: str


@dataclass(frozen=True)
class ShownTile:
    """A tile as markup needs it."""

    name: str
    line: str
    uri: str


@dataclass(frozen=True)
class ShownSheet:
    """A sheet whose tiles are data URIs; `left_out` counts those that the page had no room for."""

    title: str
    lines: tuple[str, ...]
    panels: Sequence[tuple[str, Sequence[ShownTile]]]
    left_out: int


def render_inside(inside: Inside) -> str:
    """The page as one HTML file under 5 MB: no script, no request, light and dark, prints on A4."""
    room = [BYTES]
    filters = inside.filters if isinstance(inside.filters, str) else fitting(inside.filters, room)
    maps = inside.maps if isinstance(inside.maps, str) else [fitting(sheet, room) for sheet in inside.maps]
    body = (
        environment()
        .get_template("inside.html")
        .render(inside=inside, picture=_uri(inside.picture, 224), filters=filters, maps=maps)
    )
    return html.page(f"Inside {inside.title}", body)


def fitting(sheet: TileSheet, room: list[int]) -> ShownSheet:
    """The tiles of a sheet that there is still room for; what they take is taken from `room`, in bytes."""
    panels, left_out = [], 0
    for panel in sheet.panels:
        shown = []
        for tile in panel.tiles:
            uri = _uri(tile.picture, LARGEST)
            room[0] -= len(uri)
            if room[0] >= 0:
                shown.append(ShownTile(tile.name, tile.line, uri))
            else:
                left_out += 1
        panels.append((panel.title, shown))
    return ShownSheet(sheet.title, sheet.lines, panels, left_out)


def _uri(picture: UInt8[np.ndarray, "height width channel"], largest: int) -> str:
    encoded = base64.b64encode(tiles.png_bytes(picture, largest=largest)).decode("ascii")
    return f"data:image/png;base64,{encoded}"
