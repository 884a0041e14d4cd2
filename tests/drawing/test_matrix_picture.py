"""The confusion matrix as a picture: each cell has the colour of its share, and every name finds its place."""

import numpy as np
import pytest

from striate.drawing.matrix_picture import STEPS, matrix_picture
from striate.drawing.scales import share_step
from striate.drawing.tiles import PAPER


def colour(text: str) -> tuple[int, int, int]:
    return tuple(int(text[at : at + 2], 16) for at in (1, 3, 5))  # pyright: ignore[reportReturnType]


@pytest.mark.parametrize("classes", [2, 10, 16, 17, 30, 31, 61])
def test_each_cell_has_the_colour_of_its_share(classes: int) -> None:
    random = np.random.default_rng(classes)
    counts = random.poisson(0.4, (classes, classes)) + np.diag(random.poisson(20, classes))
    picture = matrix_picture(counts.tolist(), [f"class {number}" for number in range(classes)])
    pixels, cell = np.asarray(picture), 36 if classes <= 16 else 24 if classes <= 30 else 15
    edge = picture.width - 6 - classes * cell
    assert picture.width == picture.height
    corners = pixels[edge + 1 : edge + classes * cell : cell, edge + 1 : edge + classes * cell : cell]
    assert corners.shape[:2] == (classes, classes)
    for row in range(classes):
        for column in range(classes):
            share = counts[row, column] / max(counts[row].sum(), 1)
            assert tuple(corners[row, column].tolist()) == colour(STEPS[share_step(share)])


def test_empty_rows_strange_names_and_large_counts_are_drawn() -> None:
    names = ["a\u202eb\n", "", "a very long name of a class that nobody should have"]
    picture = matrix_picture([[0, 0, 0], [0, 1_234_567, 1], [0, 0, 2]], names)
    assert picture.width < 600
    assert (np.asarray(picture) != np.array(colour(PAPER))).any()


def test_steps_are_those_of_the_report() -> None:
    from striate.drawing.scales import custom_properties

    light = custom_properties().partition("@media")[0]
    for step, value in enumerate(STEPS[1:], start=1):
        assert f"--share-{step}: {value};" in light
