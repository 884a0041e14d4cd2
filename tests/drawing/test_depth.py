"""The figure of accuracy by depth: what is drawn is what was given, and the SVG stands alone, light and dark."""

import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from striate.drawing.depth import DARK, DepthSeries, depth_figure, depth_png, depth_svg
from striate.evaluation.intervals import undefined, wilson

STAGES = ("stem", "stage1", "stage2")
TRAINED = [wilson(hits, 100) for hits in (60, 80, 70)]
UNTRAINED = [wilson(hits, 100) for hits in (50, 55, 40)]
GUESSING = wilson(12, 100)


def made(count: int = 2) -> tuple[object, list[DepthSeries]]:
    series = [DepthSeries("these weights", TRAINED), DepthSeries("untrained", UNTRAINED)][:count]
    return depth_figure(STAGES, series, GUESSING, "stage1 is highest."), series


@pytest.mark.parametrize("count", [1, 2])
def test_points_and_intervals_are_those_given(count: int) -> None:
    figure, series = made(count)
    axes = figure.axes[0]  # pyright: ignore[reportAttributeAccessIssue]
    assert len(axes.containers) == count
    for container, one in zip(axes.containers, series, strict=True):
        line, _, (bars,) = container
        assert np.allclose(line.get_ydata(), [100 * number.value for number in one.numbers])
        assert np.abs(line.get_xdata() - np.arange(3)).max() < 0.1
        for segment, number in zip(bars.get_segments(), one.numbers, strict=True):
            assert np.allclose(segment[:, 1], [100 * number.low, 100 * number.high])
    assert [label.get_text() for label in axes.get_xticklabels()] == list(STAGES)
    assert axes.get_ylim()[0] == 0


def test_a_number_that_is_undefined_is_left_out() -> None:
    numbers = [TRAINED[0], undefined("no cases"), TRAINED[2]]
    figure = depth_figure(STAGES, [DepthSeries("one", numbers)], GUESSING, "")
    line = figure.axes[0].containers[0][0]
    assert np.allclose(line.get_xdata(), [0, 2])


def test_the_svg_stands_alone_in_both_lights() -> None:
    figure, _ = made()
    drawn = depth_svg(figure, "stage1 <is> highest & best")  # pyright: ignore[reportArgumentType]
    root = ElementTree.fromstring(drawn)
    title = next(node for node in root if node.tag.endswith("title"))
    assert title.text == "stage1 <is> highest & best"
    assert root.get("aria-label") == title.text
    style, rest = re.findall(r"<style>.*?</style>", drawn, flags=re.DOTALL)[0], drawn
    assert "prefers-color-scheme: dark" in style
    for colour, dark in DARK.items():
        assert colour in style
        assert dark in style
        assert colour not in rest.replace(style, "")
    assert 'href="http' not in drawn
    again, _ = made()
    assert depth_svg(again, "stage1 <is> highest & best") == drawn  # pyright: ignore[reportArgumentType]


def test_names_are_shown_as_names_and_the_png_is_whole() -> None:
    stages = [f"\u202e{number}" for number in range(12)]
    series = [DepthSeries("x", [wilson(number, 20) for number in range(12)])]
    figure = depth_figure(stages, series, GUESSING, "A sentence of many words, " * 12)
    assert "\u202e" not in depth_svg(figure, "x")
    with Image.open(io.BytesIO(depth_png(figure))) as picture:
        assert np.asarray(picture.convert("L"))[:, -1].min() == 255  # nothing is cut off at the right
        assert np.asarray(picture.convert("L"))[-1].min() == 255
