"""Sheets of tiles: where everything goes, what is written, and that both drawings agree."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from striate.drawing.scales import diverging
from striate.drawing.tile_sheet import (
    LARGEST,
    MARGIN,
    Panel,
    Tile,
    TileSheet,
    brief,
    laid_out,
    range_of,
    value_tile,
)

RED = Tile(np.full((4, 4, 3), (200, 0, 0), np.uint8), "17", "0 … 3.2")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (3.25, "3.2"),
        (9.96, "10"),
        (9.94, "9.9"),
        (128.4, "128"),
        (-0.0312, "−0.031"),
        (1e-7, "1e−07"),
        (123456.0, "1.2e+05"),
    ],
)
def test_numbers_for_small_places(value: float, written: str) -> None:
    assert brief(value) == written


def test_a_range_says_both_ends_or_the_only_value() -> None:
    assert range_of(np.array([[-0.5, 0.25]])) == "−0.5 … 0.25"
    assert range_of(np.full((2, 2), 1.5)) == "1.5 everywhere"


def test_signed_values_are_neutral_at_zero_and_share_a_limit_where_one_is_given() -> None:
    values = np.array([[-1.0, 0.0, 0.5]])
    tile = value_tile("3", values, signed=True, limit=2.0)
    assert tile.picture.tolist() == diverging(values, 2.0).tolist()
    assert tile.picture[0, 1].tolist() == [247, 247, 247]
    assert (tile.name, tile.line) == ("3", "−1 … 0.5")
    own = value_tile("3", np.array([[0.0, 1.0]]), signed=False)
    shared = value_tile("3", np.array([[0.0, 1.0]]), signed=False, limit=4.0)
    assert own.picture[0, 1].sum() > shared.picture[0, 1].sum()


def overlap(boxes: list[tuple[float, float, float, float]]) -> bool:
    return any(
        a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
        for at, a in enumerate(boxes)
        for b in boxes[at + 1 :]
    )


@settings(deadline=None, max_examples=25)
@given(
    sides=st.lists(st.tuples(st.integers(1, 300), st.integers(1, 300)), min_size=1, max_size=9),
    columns=st.integers(1, 5),
    panels=st.integers(1, 3),
    across=st.booleans(),
)
def test_nothing_lies_on_anything_else_nor_beyond_the_paper(
    sides: list[tuple[int, int]], columns: int, panels: int, across: bool
) -> None:
    tiles = [Tile(np.zeros((*side, 3), np.uint8), str(n), "−0.031 … 0.42") for n, side in enumerate(sides)]
    panel = Panel(tiles, "a panel", ("with a line that is rather long, so that it must be broken",), columns)
    layout = laid_out(TileSheet("a title", ("a sentence",), [panel] * panels, across))
    assert len(layout.pictures) == panels * len(tiles)
    boxes = [(p.left, p.top, p.left + p.width, p.top + p.height) for p in layout.pictures]
    words = [(t.left, t.top, t.left + 6 * len(t.text), t.top + t.size) for t in layout.texts]
    assert not overlap(boxes + words)
    assert all(box[2] <= layout.width - MARGIN and box[3] <= layout.height for box in boxes)
    assert all(box[3] <= layout.height for box in words)
    assert all(max(p.width, p.height) <= LARGEST for p in layout.pictures)


def test_small_pictures_are_enlarged_by_a_whole_factor() -> None:
    for side in range(1, LARGEST + 1):
        tile = Tile(np.zeros((side, side, 3), np.uint8))
        (placed,) = laid_out(TileSheet("", (), [Panel([tile])])).pictures
        assert placed.width % side == 0, side
        assert 64 < placed.width <= LARGEST


def test_the_pixels_of_both_drawings_are_the_tile() -> None:
    sheet = TileSheet("title", (), [Panel([RED])])
    (placed,) = laid_out(sheet).pictures
    drawn = np.asarray(sheet.to_image(scale=2))
    inside = drawn[placed.top * 2 : (placed.top + placed.height) * 2, placed.left * 2 :][
        :, : placed.width * 2
    ]
    assert inside.reshape(-1, 3).tolist() == [[200, 0, 0]] * (placed.width * 2) ** 2
    encoded = re.search(r"base64,([^\"]+)", sheet.to_svg())
    assert encoded is not None
    embedded = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded[1]))))
    assert embedded.tolist() == RED.picture.tolist()


def test_the_svg_is_xml_with_hostile_names_and_says_what_it_shows() -> None:
    hostile = Tile(RED.picture, "<script>", "a & b\u202e")
    drawn = TileSheet("maps of <b>", ("64 × 14 × 14",), [Panel([hostile])]).to_svg()
    root = ElementTree.fromstring(drawn)
    assert root.attrib["aria-label"] == "maps of <b> · 64 × 14 × 14"
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["maps of <b>", "64 × 14 × 14", "<script>", "a & b\\u202e"]
    assert min(int(size) for size in re.findall(r'font-size="(\d+)"', drawn)) >= 12
