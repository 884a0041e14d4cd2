"""Figures of convolution and pooling, and the sheet: the numbers they show are the numbers computed."""

import re
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import striate
from striate.drawing.kernel_sheet import Tile, kernel_sheet
from striate.errors import UsageError

IMAGE = np.random.default_rng(0).integers(0, 256, (9, 10))


def numbers(axes: Axes) -> list[str]:
    """What is written in the cells, row by row."""
    return [text.get_text() for text in axes.texts]


def panels(figure: Figure) -> list[Axes]:
    """All axes, those of sub-figures too."""
    FigureCanvasAgg(figure).draw()
    return figure.axes


def test_window_kernel_products_and_result_are_the_ones_computed() -> None:
    figure = striate.show_convolution(IMAGE, striate.kernels.sobel_x, (2, 3), stride=2)
    image, result, window, kernel, products = panels(figure)
    values = striate.convolve(IMAGE, striate.kernels.sobel_x, stride=2)
    part = IMAGE[4:7, 6:9]
    assert numbers(image) == [str(value) for value in IMAGE.ravel()]
    assert numbers(result) == [str(value) for value in values.ravel()]
    assert numbers(window) == [str(value) for value in part.ravel()]
    assert numbers(kernel) == ["-1", "0", "1", "-2", "0", "2", "-1", "0", "1"]
    assert numbers(products) == [str(value) for value in (part * striate.kernels.sobel_x).ravel()]
    assert products.get_xlabel() == f"sum {values[2, 3]}"
    (box,) = [patch for patch in image.patches if isinstance(patch, Rectangle)]
    assert (box.get_xy(), box.get_width(), box.get_height()) == ((5.5, 3.5), 3, 3)


def test_numbers_keep_inside_their_cells() -> None:
    photo = np.random.default_rng(0).integers(0, 65536, (10, 10, 3))
    kernel = np.stack([striate.kernels.blur] * 3, axis=2)
    for at, padding in (((0, 2), 1), ((3, 3), 0)):
        figure = striate.show_convolution(photo, kernel, at, padding=padding)
        for axes in panels(figure):
            cell = abs(np.diff(axes.transData.transform([(0, 0), (1, 1)]), axis=0)[0])
            for text in axes.texts:
                extent = text.get_window_extent()
                assert extent.width <= cell[0] + 1, (axes.get_title(loc="left"), text.get_text())
                assert extent.height <= cell[1] + 1


def test_padding_is_bracketed_and_the_whole_window_is_in_view() -> None:
    figure = striate.show_convolution(IMAGE, striate.kernels.blur, (0, 0), padding=1)
    image, _, window = panels(figure)[:3]
    assert numbers(window)[:4] == ["(0)", "(0)", "(0)", "(0)"]
    assert "padding in brackets" in window.get_xlabel()
    assert min(image.get_ylim()) <= -1.5
    assert image.get_xlim()[0] <= -1.5


def test_zero_is_neutral_in_the_result() -> None:
    figure = striate.show_convolution(np.eye(6), [[1, -1], [0, 0]], (0, 0))
    result = panels(figure)[1]
    values = striate.convolve(np.eye(6), [[1, -1], [0, 0]])
    drawn = np.asarray(result.images[0].get_array())
    assert (drawn[values == 0] == 247).all()
    assert (drawn[values < 0][:, 2] > drawn[values < 0][:, 0]).all()
    assert (drawn[values > 0][:, 0] > drawn[values > 0][:, 2]).all()


def test_a_large_photograph_is_shown_as_a_picture_with_a_mark_one_can_find() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    figure = striate.show_convolution(photo, striate.kernels.outline, (200, 300), channel=1)
    image, result = panels(figure)[:2]
    assert not image.texts
    assert not result.texts
    assert image.get_xlabel().startswith("values ")
    widths = sorted(patch.get_width() for patch in image.patches if isinstance(patch, Rectangle))
    assert widths[0] == 3
    assert widths[1] > 10
    limit = np.abs(striate.convolve(photo[:, :, 1], striate.kernels.outline)).max()
    assert result.get_xlabel() == f"blue -{limit} .. 0 white .. red {limit}"


def test_pooling_shows_its_windows_and_winners() -> None:
    image = np.array([[2, 2, 7, 3], [9, 4, 6, 1], [8, 5, 2, 4], [3, 1, 2, 6]])
    left, right = panels(striate.show_pooling(image))
    assert numbers(right) == ["9", "7", "8", "6"]
    corners = {patch.get_xy() for patch in left.patches if isinstance(patch, Rectangle)}
    assert corners == {(-0.5, 0.5), (1.5, -0.5), (-0.5, 1.5), (2.5, 2.5)}
    assert "16 values become 4: 75% are removed" in left.get_xlabel()
    left, right = panels(striate.show_pooling(image, "average"))
    assert numbers(right) == ["4.25", "4.25", "4.25", "3.5"]
    assert not left.patches


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: striate.show_convolution(IMAGE, np.ones((8, 8)), (0, 0)),
            "kernels up to 7 × 7; this one is 8 × 8.",
        ),
        (
            lambda: striate.show_convolution(IMAGE, np.ones((3, 3)), (9, 0)),
            "the result has 7 × 8 cells, counted from 0.",
        ),
        (
            lambda: striate.show_convolution(np.ones((5, 5, 4)), np.ones((3, 3, 4)), (0, 0)),
            "a figure shows up to 3 channels; this image has 4.",
        ),
        (
            lambda: striate.show_convolution(np.ones((5, 5, 2)), np.ones((3, 3)), (0, 0), channel=2),
            "there is no channel 2; there are 2, counted from 0.",
        ),
        (
            lambda: striate.show_convolution(IMAGE, np.ones((2, 3, 3)), (0, 0)),
            "a figure shows one filter on an image",
        ),
        (
            lambda: striate.show_pooling(np.ones((17, 4))),
            "up to 16 × 16; got shape (17, 4). Show a part of it.",
        ),
        (
            lambda: striate.show_pooling(IMAGE, "global max"),
            "a figure shows max or average pooling; got 'global max'.",
        ),
    ],
)
def test_what_cannot_be_drawn_is_said(call: Any, words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        call()


def test_the_sheet_has_a_place_for_every_kernel() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    chosen = {name: named.weights for name, named in striate.kernels.NAMED.items()}
    results = {name: (weights, striate.convolve(photo, weights)) for name, weights in chosen.items()}
    sheet = striate.filter_sheet(photo, results, columns=4, scale=1)
    rows = -(-(len(chosen) + 1) // 4)
    assert sheet.width == 4 * 316 + 16
    assert (sheet.height - 16) % rows == 0


def test_a_tile_shows_its_picture_and_its_text() -> None:
    red = np.zeros((10, 15, 3), np.uint8)
    red[:, :, 0] = 255
    bare = kernel_sheet([Tile(red, "", ("",))], scale=1)
    told = kernel_sheet([Tile(red, "red", ("10 × 15",), (("1", "-1"),))], scale=1)
    assert np.asarray(told)[100, 100].tolist() == [255, 0, 0]
    differing = (np.asarray(bare) != np.asarray(told)).any(axis=2)
    assert differing[16 + 200 :, :100].any()  # name and size, on the left
    assert differing[16 + 200 :, 250:].any()  # the weights, on the right
    assert not differing[: 16 + 200].any()
