"""A figure of accuracy against the number of training images: points, the law with its band, a prediction."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from striate.drawing.figures import CLASS_SENTINELS, INK, LINE, MUTED, as_svg, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHADE = 0.18
LAW, TOLD = CLASS_SENTINELS[:2]
ROOM = 1.12
"""The axis goes on beyond its outermost sizes by this factor."""


class Placed(NamedTuple):
    """An accuracy with its interval at a number of images, from 0 to 1."""

    images: float
    value: float
    low: float
    high: float


def learning_figure(
    identity: str, points: Sequence[Placed], band: Sequence[Placed], predicted: Placed, label: str
) -> str:
    """Measured points, the law as a line in its band, dashed beyond the last point, and the prediction as a square.

    The number of images grows by factors: a step to the right is a doubling. `label` says the finding.
    """
    figure, axes = new_axes(3.8)
    axes.set_xscale("log", base=2)
    last = points[-1].images
    axes.fill_between(
        [one.images for one in band],
        [100 * one.low for one in band],
        [100 * one.high for one in band],
        color=LAW,
        alpha=SHADE,
        linewidth=0,
    )
    for inside, dash in ((True, "solid"), (False, (0, (3, 2)))):
        part = [one for one in band if (one.images <= last * (1 + 1e-9)) == inside]
        if not inside:
            part = [one for one in band if one.images <= last * (1 + 1e-9)][-1:] + part
        axes.plot(
            [one.images for one in part],
            [100 * one.value for one in part],
            color=LAW,
            linewidth=2,
            linestyle=dash,  # pyright: ignore[reportArgumentType]
        )
    for one in points:
        _interval(axes, one, "o", INK)
    _interval(axes, predicted, "s", TOLD)
    axes.axvline(last, color=MUTED, linewidth=1, linestyle=(0, (2, 2)))
    _frame(axes, [*(one.images for one in points), predicted.images])
    axes.set_title("accuracy, %", loc="left", fontsize=12, color=INK)
    axes.set_xlabel("training images, each step a factor of 2")
    return as_svg(figure, identity, label)


def _interval(axes: "Axes", one: Placed, marker: str, colour: str) -> None:
    axes.plot([one.images] * 2, [100 * one.low, 100 * one.high], color=colour, linewidth=1.5)
    axes.plot([one.images], [100 * one.value], marker, color=colour, markersize=7, clip_on=False)


def _frame(axes: "Axes", sizes: Sequence[float]) -> None:
    from matplotlib.ticker import NullLocator

    axes.set_xlim(min(sizes) / ROOM, max(sizes) * ROOM)
    axes.set_xticks(list(sizes), [f"{size:,.0f}" for size in sizes])
    axes.xaxis.set_minor_locator(NullLocator())
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, 0), min(high, 100.5))
    axes.grid(axis="x", color=LINE, linewidth=0.5)
