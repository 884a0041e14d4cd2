"""The table of checks as rows of words, the same for a terminal and for a page."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from striate.drawing.differences import plain
from striate.drawing.numbers import MISSING, decimal_parts, percent_parts
from striate.drawing.text import visible
from striate.evaluation.intervals import Number
from striate.explanation.checks.curves import LEVEL, Curves
from striate.explanation.checks.masks import Agreement
from striate.explanation.checks.means import SHARE, mean_number
from striate.explanation.checks.randomised import Randomisation
from striate.explanation.checks.table import CheckTable, MethodChecks

MOST_PARTS = 6
"""More parts of a network than this are not told one by one: the last, the first, and some between."""


class Section(NamedTuple):
    """One check: its name, what its columns mean, its headings and its rows; the first column is the method."""

    title: str
    meaning: str
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]


def sections(table: CheckTable) -> list[Section]:
    """Removal, randomisation, and agreement with masks where there were any."""
    checked = [row for row in table.rows if row.checks]
    found = [_removal(table, checked), _randomisation(checked)]
    if any(row.checks and row.checks.agreement for row in checked):
        found.append(_agreement(checked))
    return found


def refusals(table: CheckTable) -> list[str]:
    """A sentence for each method that was refused."""
    return [visible(f"{row.title} is refused: {row.refused}.") for row in table.rows if row.refused]


def _removal(table: CheckTable, checked: list[MethodChecks]) -> Section:
    plan, random = table.random.plan, f"{table.random.areas.mean():.3f}"
    rows = [
        (row.title, *_curves(row.checks.removal.deletion), *_curves(row.checks.removal.insertion))
        for row in checked
        if row.checks
    ]
    rows.append(("Random orders", random, MISSING, MISSING, random, MISSING, MISSING))
    fill = "the mean of the training images" if plan.fill == "mean" else "the blurred picture"
    meaning = (
        f"Area under the target's probability, while blocks of {_side(checked)} pixels are taken out in the order of"
        f" the map and {fill} takes their place (deletion: lower is better), or are put back (insertion: higher is"
        f" better); by how much it is better than that of {plan.orders} random orders; in how many images"
        f" a map that knows nothing would be as good less often than {100 * LEVEL:.0f} %."
    )
    headings = ("method", "deletion", "better by", "shown %", "insertion", "better by", "shown %")
    return Section("Deletion and insertion", meaning, headings, rows)


def _randomisation(checked: list[MethodChecks]) -> Section:
    found = [(row.title, row.checks.randomisation) for row in checked if row.checks]
    example = found[0][1]
    shown = _shown(len(example.steps))
    meaning = (
        "Spearman's rank correlation of the map with that of the network after fresh weights in the parts from the"
        f" head down to the one named; * where it is above the limit below which are 95 % of {_unrelated(example)}."
        " The limit told is the last one. A map above it with all weights fresh does not show what was learned; one"
        " that is with half of the parts fresh changes late. Then the last correlation of magnitudes, and the"
        " structural similarity."
    )
    parts = [visible(example.steps[number].part) for number in shown]
    headings = ("method", *parts, "limit", "magnitudes", "SSIM", "verdict")
    rows = [(title, *_steps(one, shown), one.verdict) for title, one in found]
    return Section("Fresh weights from the top down", meaning, headings, rows)


def _agreement(checked: list[MethodChecks]) -> Section:
    found = [
        (row.title, row.checks.agreement)
        for row in checked
        if row.checks and row.checks.agreement is not None
    ]
    example = found[0][1]
    near = f" or within {example.tolerance:g} pixels of it" if example.tolerance else ""
    meaning = (
        f"How often the map's peak is on the mask{near}; the share of the map's positive values inside the mask; the"
        " intersection over union with the mask of as many pixels of the map, and of the best number of them."
    )
    headings = ("method", "peak on mask %", "energy inside", "overlap", "best overlap")
    rows = [(title, *_agreed(one)) for title, one in found]
    anywhere = (f"{100 * example.by_chance.mean():.1f}", f"{example.area.mean():.3f}", MISSING, MISSING)
    return Section("Agreement with the mask", meaning, headings, [*rows, ("Anywhere", *anywhere)])


def _curves(curves: Curves) -> Iterator[str]:
    yield f"{curves.area.value:.3f}"
    yield _ranged(curves.gain)
    yield percent_parts(curves.shown)[0]


def _steps(one: Randomisation, shown: list[int]) -> Iterator[str]:
    for number in shown[:-1]:
        step = one.steps[number]
        yield _correlation(step.signed) + ("*" if step.alike else "")
    last = one.steps[-1]
    yield _ranged(last.correlation) + ("*" if last.alike else "")
    yield f"{last.limit:.2f}"
    yield _correlation(last.absolute)
    yield _correlation(last.structure)


def _correlation(values: Float64[np.ndarray, " images"]) -> str:
    return f"{round(values.mean(), 2) + 0.0:.2f}".replace("-", "−")  # no minus before 0.00


def _agreed(one: Agreement) -> Iterator[str]:
    value, low, high = percent_parts(one.pointing)
    yield f"{value} ({low}–{high})"
    for values in (one.energy, one.overlap, one.best_overlap):
        value, low, high = decimal_parts(mean_number(values, SHARE))
        yield value if low == MISSING else f"{value} ({low}–{high})"


def _ranged(number: Number) -> str:
    value, low, high = plain(number)
    return value if number.low is None else f"{value} ({low} to {high})"


def _unrelated(example: Randomisation) -> str:
    moved = "those with its own values moved"
    return moved if example.steps[-1].pictures is None else f"those with maps of other pictures, or {moved}"


def _side(checked: list[MethodChecks]) -> str:
    sides = {row.checks.removal.side for row in checked if row.checks}
    return " × ".join([str(sides.pop())] * 2)


def _shown(parts: int) -> list[int]:
    """Which parts of a network are told: all of a few, else the first, the last and some between."""
    if parts <= MOST_PARTS:
        return list(range(parts))
    return [round(number * (parts - 1) / (MOST_PARTS - 1)) for number in range(MOST_PARTS)]
