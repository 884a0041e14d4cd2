"""The pictures of the report: the mistakes, and those behind each cell of the matrix, as far as there is room."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from jaxtyping import UInt8

from striate.drawing import tiles
from striate.drawing.matrix import cell_name, cell_title
from striate.evaluation.verdict import Verdict

MOST_PICTURES, LARGEST, LARGEST_IN_CELL = 48, 224, 96
A_CELL, ON_DIAGONAL = 8, 4
"""Pictures behind one cell of mistakes, and of right answers."""
ROOM, PICTURE_BYTES, CELL_BYTES = 4_300_000, 2_000_000, 1_000_000
"""Bytes of all pictures and figures of any size, and of them for the mistakes and for the cells at most."""
Cell = tuple[int, int]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class WrongImage:
    """An image and what it was taken for: where it came from, what it is, and the probability of either class."""

    source: str
    truth: str
    predicted: str
    probability: float
    truth_probability: float
    pixels: UInt8[np.ndarray, "height width channel"]


Shown = tuple[WrongImage, str]
"""An image and its picture as a data URI."""


@dataclass(frozen=True)
class ShownCell:
    """A cell of the drawn matrix with its pictures; `title` says what it counts."""

    row: int
    column: int
    title: str
    count: int
    images: tuple[Shown, ...]

    @property
    def right(self) -> bool:
        """Whether its images are classified correctly."""
        return self.row == self.column


def fitting_wrong(wrong: Sequence[WrongImage], room: int) -> list[Shown]:
    """The first of the wrong images, at most 48, whose pictures take no more than `room` bytes together."""
    shown: list[Shown] = []
    for one in wrong[:MOST_PICTURES]:
        uri = _uri(one, LARGEST)
        room -= len(uri)
        if room < 0:
            break
        shown.append((one, uri))
    return shown


def fitting_cells(
    cells: Mapping[Cell, Sequence[WrongImage]], verdict: Verdict, kept: Sequence[int], room: int
) -> list[ShownCell]:
    """Pictures of every cell, as many as there is room for: first one of each, then a second, mistakes before the rest.

    `cells` are by the numbers of the classes, those returned by their place among the classes `kept` in the matrix.
    """
    found: dict[Cell, list[Shown]] = {}
    drawn = set(kept)
    able = {cell: images for cell, images in cells.items() if drawn.issuperset(cell)}
    for cell, one in by_turns(able, verdict.confusion_matrix):
        uri = _uri(one, LARGEST_IN_CELL)
        room -= len(uri)
        if room < 0:
            break
        found.setdefault(cell, []).append((one, uri))
    counts, place = np.array(verdict.confusion_matrix), {index: at for at, index in enumerate(kept)}
    supports, called = counts.sum(axis=1), counts.sum(axis=0)
    shown = []
    for (row, column), images in sorted(found.items()):
        truth, predicted, count = verdict.classes[row], verdict.classes[column], int(counts[row, column])
        title = cell_title(
            cell_name(truth), cell_name(predicted), count, int(supports[row]), int(called[column])
        )
        shown.append(ShownCell(place[row], place[column], title, count, tuple(images)))
    return shown


def by_turns(cells: Mapping[Cell, Sequence[T]], counts: Sequence[Sequence[int]]) -> Iterator[tuple[Cell, T]]:
    """What the cells hold, one of each before a second of any, the fullest first; mistakes before right answers.

    >>> list(by_turns({(0, 0): "ab", (0, 1): "cd", (1, 0): "e"}, [[9, 2], [3, 9]]))
    [((1, 0), 'e'), ((0, 1), 'c'), ((0, 1), 'd'), ((0, 0), 'a'), ((0, 0), 'b')]
    """
    order = sorted(cells, key=lambda cell: -counts[cell[0]][cell[1]])
    for diagonal, most in ((False, A_CELL), (True, ON_DIAGONAL)):
        for turn in range(most):
            for cell in order:
                if (cell[0] == cell[1]) is diagonal and turn < len(cells[cell]):
                    yield cell, cells[cell][turn]


def _uri(one: WrongImage, largest: int) -> str:
    encoded = base64.b64encode(tiles.png_bytes(one.pixels, largest=largest)).decode("ascii")
    return f"data:image/png;base64,{encoded}"
