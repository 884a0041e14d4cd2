"""The figures of a verdict as inline SVG: ROC and precision-recall with their bands, reliability, accuracy-coverage."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from striate.drawing.figures import CLASS_SENTINELS, INK, LINE, MUTED, PAPER, Series, as_svg, draw, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHADE = 0.2
"""How much of its colour a band has."""


@dataclass(frozen=True)
class Band:
    """The limits of a curve at each of its points."""

    x: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    style: int = 0


@dataclass(frozen=True)
class Dot:
    """A point on a curve of the same style, with what is written beside it."""

    x: float
    y: float
    text: str
    style: int = 0


@dataclass(frozen=True)
class Bar:
    """Images of similar confidence: what was stated, on average and at the ends of the bin, and what was right."""

    stated: float
    right: float
    low: float
    high: float
    lowest: float
    highest: float


def roc(identity: str, series: Sequence[Series], band: Band | None = None, dots: Sequence[Dot] = ()) -> str:
    """ROC curves: false positive rate to the right, true positive rate upwards, chance as a thin diagonal."""
    figure, axes = new_axes(4.5)
    axes.plot([0, 1], [0, 1], color=LINE, linewidth=1)
    if band:
        _shade(axes, band, None)
    for one in series:
        draw(axes, one)
    _put(axes, dots, below=True)
    _square(axes, 0.0)
    axes.set_xlabel("1 - specificity (false positive rate)")
    axes.set_title("sensitivity (true positive rate)", loc="left", fontsize=12, color=INK)
    return as_svg(figure, identity, "ROC curves of " + ", ".join(one.name for one in series))


def precision_recall(
    identity: str,
    series: Sequence[Series],
    chance: float,
    band: Band | None = None,
    dots: Sequence[Dot] = (),
) -> str:
    """Precision over recall, in steps; a thin line at `chance`, the precision of ranking at random."""
    figure, axes = new_axes(4.5)
    axes.axhline(chance, color=MUTED, linewidth=1)
    if band:
        _shade(axes, band, "pre")
    for one in series:
        draw(axes, one, steps="steps-pre")
    _put(axes, dots, below=True, left=True)
    _square(axes, 0.0)
    axes.set_xlabel("recall (sensitivity)")
    axes.set_title("precision (positive predictive value)", loc="left", fontsize=12, color=INK)
    return as_svg(figure, identity, "Precision-recall curves of " + ", ".join(one.name for one in series))


def reliability(identity: str, bars: Sequence[Bar], label: str, least: float, style: int = 0) -> str:
    """What was right over what was stated, bin by bin, against the diagonal; the axes begin at `least`.

    A mark on the lower edge shows where each bin reaches from and to.
    """
    figure, axes = new_axes(4.5)
    axes.plot([least, 1], [least, 1], color=MUTED, linewidth=1)
    colour, span = CLASS_SENTINELS[style], 1 - least
    for one in bars:
        axes.plot([one.stated] * 2, [one.low, one.high], color=colour, linewidth=2, solid_capstyle="butt")
        foot = least - 0.01 * span
        axes.plot([one.lowest, one.highest], [foot, foot], color=colour, linewidth=3, clip_on=False)
        axes.plot([one.lowest] * 2, [foot, foot + 0.03 * span], color=colour, linewidth=1)
    axes.plot([one.stated for one in bars], [one.right for one in bars], "o", color=colour, clip_on=False)
    _square(axes, least)
    axes.set_xlabel("probability stated (mean of the bin)")
    axes.set_title(f"{label}: share that was right", loc="left", fontsize=12, color=INK)
    return as_svg(figure, identity, f"Reliability diagram, {label}")


def coverage(
    identity: str,
    curve: Series,
    best: Series,
    chance: float,
    dot: Dot | None = None,
) -> str:
    """Accuracy among the surest images over their share; a thin line at `chance`, that of answering all."""
    figure, axes = new_axes(3.4)
    axes.axhline(chance, color=MUTED, linewidth=1)
    for one in (best, curve):
        draw(axes, one)
    _put(axes, [dot] if dot else [], below=True, left=True)
    lowest = min(chance, *curve.y, dot.y if dot else 1.0)
    room = 1.01 - lowest
    axes.set(xlim=(-0.02, 1.02), ylim=(lowest - 0.15 * room, 1 + 0.03 * room))
    axes.set_xticks([0, 0.5, 1])
    axes.set_xlabel("coverage: share of images that are answered")
    axes.set_title("accuracy of those answers", loc="left", fontsize=12, color=INK)
    return as_svg(figure, identity, "Accuracy over coverage")


def _square(axes: "Axes", least: float) -> None:
    """The same axis twice, from `least` to 1, with a little room for what lies on its ends."""
    room = 0.02 * (1 - least)
    ticks = [least, (least + 1) / 2, 1]
    limits = (least - room, 1 + room)
    axes.set(xlim=limits, ylim=limits, aspect="equal", xticks=ticks, yticks=ticks)


def _shade(axes: "Axes", band: Band, step: str | None) -> None:
    colour = CLASS_SENTINELS[band.style % 8]
    axes.fill_between(
        band.x,
        band.low,
        band.high,
        color=colour,
        alpha=SHADE,
        linewidth=0,
        step=step,  # pyright: ignore[reportArgumentType]
    )


def _put(axes: "Axes", dots: Sequence[Dot], *, below: bool, left: bool = False) -> None:
    for one in dots:
        axes.plot(
            [one.x],
            [one.y],
            "o",
            color=CLASS_SENTINELS[one.style % 8],
            markeredgecolor=INK,
            markersize=8,
            clip_on=False,
            zorder=5,
        )
        axes.annotate(
            one.text,
            (one.x, one.y),
            xytext=(-8 if left else 8, -14 if below else 8),
            textcoords="offset points",
            ha="right" if left else "left",
            fontsize=12,
            color=INK,
            bbox={"boxstyle": "square,pad=0.1", "facecolor": PAPER, "edgecolor": "none", "alpha": 0.75},
        )
