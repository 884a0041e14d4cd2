"""Figures as inline SVG: text stays text, colours are the page's custom properties, ids are unique."""

import html
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from striate.drawing.matrix import matrix as matrix
from striate.drawing.scales import categorical
from striate.drawing.text import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Matplotlib knows no CSS variables: it draws with these colours, which are then replaced.
SENTINELS = {
    "#010203": "var(--ink)",
    "#040506": "var(--muted)",
    "#070809": "var(--line)",
    "#0c0d0e": "var(--paper)",
}
INK, MUTED, LINE, PAPER = SENTINELS
CLASS_SENTINELS = tuple(f"#0a0b{index:02x}" for index in range(8))


@dataclass(frozen=True)
class Series:
    """One line of a figure: its name, its points, and which of the eight class styles it is drawn in."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    style: int = 0


def curves(
    identity: str, series: Sequence[Series], label: str, mark: float | None = None, unit: str = "epoch"
) -> str:
    """Lines over epochs, with an upright line at `mark`, the epoch that was kept.

    `identity` names the figure within its page; `label` says what is drawn upwards.
    """
    from matplotlib.ticker import MaxNLocator

    figure, axes = new_axes(3.4)
    for one in series:
        draw(axes, one, "o" if len(one.x) < 3 else "")
    if mark is not None:
        axes.axvline(mark, color=MUTED, linewidth=1, linestyle=(0, (2, 2)))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(unit)
    axes.set_title(label, loc="left", fontsize=12, color=INK)
    return as_svg(figure, identity, f"{label} over each {unit}: " + ", ".join(one.name for one in series))


def swatch(style: int) -> str:
    """A short line in a class's style, for a legend in the page's own text."""
    colour, dash = categorical(style)
    return (
        '<svg width="24" height="8" viewBox="0 0 24 8" aria-hidden="true"><path d="M0 4H24" '
        f'style="stroke: {colour}; stroke-width: 2.5; stroke-dasharray: {dash}"/></svg>'
    )


def draw(axes: "Axes", one: Series, marker: str = "", steps: str = "default") -> None:
    """One line in its style; `steps` as matplotlib names them."""
    dash = "solid" if one.style % 8 < 4 else (0, (4, 2))
    colour = CLASS_SENTINELS[one.style % 8]
    axes.plot(
        one.x,
        one.y,
        color=colour,
        linewidth=2,
        linestyle=dash,
        marker=marker,
        clip_on=False,
        drawstyle=steps,
    )


def new_axes(height: float) -> "tuple[Figure, Axes]":
    """Axes on no paper, 4.5 inches wide, in the colours that `as_svg` replaces."""
    from matplotlib.figure import Figure

    # 4.5 inches are 324 units of the SVG, shown as pixels or larger: 12 units of text are 12 px or more.
    figure = Figure(figsize=(4.5, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    for spine in axes.spines.values():
        spine.set_color(MUTED)
    axes.tick_params(labelsize=12, color=MUTED, labelcolor=MUTED)
    axes.xaxis.label.set(size=12, color=MUTED)
    axes.grid(axis="y", color=LINE, linewidth=0.5)
    axes.set_axisbelow(True)
    return figure, axes


def as_svg(figure: "Figure", identity: str, label: str) -> str:
    """A figure as inline SVG, its ids begun with `identity`; `label` is read out to those who do not see it."""
    import matplotlib as mpl

    figure.patch.set_visible(False)
    figure.axes[0].patch.set_visible(False)
    target = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": identity}):
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    drawn = target.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r'\bid="([^"]+)"', rf'id="{identity}-\1"', drawn)
    drawn = re.sub(r"url\(#([^)]+)\)", rf"url(#{identity}-\1)", drawn)
    drawn = re.sub(r'href="#([^"]+)"', rf'href="#{identity}-\1"', drawn)
    drawn = re.sub(r"font: (\d+)px [^;\"]+", r"font-size: \1px", drawn)
    for index, sentinel in enumerate(CLASS_SENTINELS):
        drawn = drawn.replace(sentinel, f"var(--class-{index})")
    for sentinel, variable in SENTINELS.items():
        drawn = drawn.replace(sentinel, variable)
    # A function, because a name may hold what a replacement text would take for an escape.
    opening = f'<svg class="plot" role="img" aria-label="{html.escape(visible(label))}" '
    size = re.search(r'viewBox="[^"]+"', drawn)
    return re.sub(r"<svg[^>]*>", lambda _: f"{opening}{size[0] if size else ''}>", drawn, count=1)
