"""The figures of a verdict: every part drawn, colours from the page, text as text."""

import re

import pytest

from striate.drawing import evidence
from striate.drawing.figures import Series
from striate.drawing.forest import Difference, forest
from striate.drawing.matrix import cell_title, matrix

CURVE = Series("<cat>", [0.0, 0.0, 0.5, 1.0], [0.0, 0.5, 0.8, 1.0])
BAND = evidence.Band([0.0, 0.0, 0.5, 1.0], [0.0, 0.3, 0.6, 0.9], [0.2, 0.7, 0.9, 1.0])
DOT = evidence.Dot(0.5, 0.8, "from 0.61")
BARS = [evidence.Bar(0.6, 0.5, 0.3, 0.7, 0.5, 0.7), evidence.Bar(0.9, 0.95, 0.8, 1.0, 0.7, 1.0)]
DRAWN = {
    "roc": evidence.roc("roc", [CURVE], BAND, [DOT]),
    "precision": evidence.precision_recall("precision", [CURVE], 0.3, BAND, [DOT]),
    "reliability": evidence.reliability("reliability", BARS, "as stated", 0.2),
    "coverage": evidence.coverage("coverage", CURVE, Series("best", [0.1, 1.0], [1.0, 1.0], 6), 0.9, DOT),
}


@pytest.mark.parametrize("name", DRAWN)
def test_colours_are_the_pages_and_text_stays_text(name: str) -> None:
    drawn = DRAWN[name]
    assert not re.findall(r"#[0-9a-f]{6}", drawn)
    assert "http" not in drawn
    assert "var(--class-0)" in drawn
    assert f'id="{name}-' in drawn
    assert ("from 0.61</text>" in drawn) == (name != "reliability")


@pytest.mark.parametrize("name", ["roc", "precision"])
def test_a_band_is_shaded_and_a_name_escaped(name: str) -> None:
    assert DRAWN[name].count("fill-opacity: 0.2") + DRAWN[name].count('opacity="0.2"') >= 1
    assert "&lt;cat&gt;" in DRAWN[name]
    bare = {
        "roc": evidence.roc("roc", [CURVE]),
        "precision": evidence.precision_recall("precision", [CURVE], 0.3),
    }
    assert "opacity: 0.2" not in bare[name]
    assert "</text>" in bare[name]


def test_axes_of_reliability_begin_where_they_are_told() -> None:
    assert ">0.2</text>" in DRAWN["reliability"]
    assert ">0.6</text>" in DRAWN["reliability"]


def test_links_of_a_matrix_are_cells_that_are_filled() -> None:
    drawn = matrix("m", [[3, 1], [0, 2]], ["cat", "owl"], links=[(0, 1), (1, 0)])
    assert re.findall(r'href="([^"]+)"', drawn) == ["#cell-0-1"]
    assert 'role="group"' in drawn
    assert 'role="img"' in matrix("m", [[3, 1], [0, 2]], ["cat", "owl"])
    assert cell_title("cat", "owl", 1, 4, 3) in drawn


def test_a_forest_with_sides_of_its_own() -> None:
    drawn = forest(
        "f", [Difference("<n>", -3.0, -5.0, -1.0, "−3")], left="← worse", right="better →", unit="points"
    )
    assert "← worse</text>" in drawn
    assert "is better" not in drawn
    assert "&lt;n&gt;" in drawn
