"""A figure of accuracy by depth: a point with its interval for each stage, two series, and what guessing reaches."""

import html
import io
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from striate.drawing.numbers import Estimate
from striate.drawing.scales import CATEGORICAL, CATEGORICAL_DARK
from striate.drawing.text import shorten, unbroken, visible
from striate.drawing.tiles import INK, MUTED, PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINE = "#d0d7de"
DARK = {INK: "#f0f0f0", MUTED: "#a8a8a8", LINE: "#44484f", PAPER: "#16181c"}
DARK |= dict(zip(CATEGORICAL[:2], CATEGORICAL_DARK[:2], strict=True))
NAMES = dict(zip(DARK, ("ink", "muted", "line", "paper", "first", "second"), strict=True))
"""What each colour of the light figure is called in the SVG, so that a dark screen can give it another."""

MARKERS, SHIFT = ("o", "s"), 0.07
LONGEST, TURNED = 14, 7
"""Letters of a stage's name, and from how many stages on the names stand upright."""
LETTERS = 9.6
"""Of the sentence, an inch."""


@dataclass(frozen=True)
class DepthSeries:
    """One line: its name, and for each stage a proportion with its interval."""

    name: str
    numbers: Sequence[Estimate]


def depth_figure(
    stages: Sequence[str], series: Sequence[DepthSeries], guessing: Estimate, sentence: str
) -> "Figure":
    """One or two series over the stages in order, in percent from 0 to 100, and a level line for `guessing`.

    `sentence` says what to see and is written under the figure. Matplotlib is imported when a figure is drawn.
    """
    from matplotlib.figure import Figure

    width = max(6.4, 0.5 * len(stages) + 1.6)
    figure = Figure(figsize=(width, 4.6), layout="constrained", facecolor=PAPER)
    axes = figure.add_subplot(facecolor=PAPER)
    _frame(axes, stages)
    for index, one in enumerate(series):
        _draw(axes, one, index, SHIFT * (len(series) - 1) * (2 * index - 1))
    level = 100 * (guessing.value or 0.0)
    line = axes.axhline(level, color=MUTED, linewidth=1, linestyle=(0, (2, 2)), label="commonest class")
    handles = [*(drawn for drawn in axes.containers), line]
    figure.legend(
        handles=handles, loc="outside upper left", ncols=3, frameon=False, fontsize=12, labelcolor=INK
    )
    words = textwrap.fill(unbroken(visible(sentence)), int(LETTERS * width))
    figure.supxlabel(words, fontsize=12, color=MUTED, x=0.02, ha="left")
    return figure


def depth_svg(figure: "Figure", label: str) -> str:
    """The figure as the text of an SVG file, light or dark as the reader's screen is; `label` says the finding."""
    import matplotlib as mpl

    target = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "depth"}):
        figure.savefig(target, format="svg", facecolor=PAPER, metadata={"Date": None, "Creator": None})
    drawn = target.getvalue()
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn[drawn.index("<svg") :], flags=re.DOTALL)
    drawn = re.sub(r"font: (\d+)px [^;\"]+", r"font-size: \1px", drawn)
    for colour, name in NAMES.items():
        drawn = drawn.replace(colour, f"var(--{name})")
    light = " ".join(f"--{name}: {colour};" for colour, name in NAMES.items())
    dark = " ".join(f"--{name}: {DARK[colour]};" for colour, name in NAMES.items())
    style = (
        f"svg {{ {light} font-family: system-ui, sans-serif; font-variant-numeric: tabular-nums; }}\n"
        f"@media (prefers-color-scheme: dark) {{ svg {{ {dark} }} }}"
    )
    opening, rest = drawn.split(">", 1)
    told = html.escape(visible(label))
    return (
        f'{opening} role="img" aria-label="{told}">\n<title>{told}</title>\n<style>\n{style}\n</style>{rest}'
    )


def depth_png(figure: "Figure") -> bytes:
    """The same figure as a PNG on light paper, two pixels a point of the screen."""
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=192, facecolor=PAPER, metadata={"Software": None})
    return target.getvalue()


def _frame(axes: "Axes", stages: Sequence[str]) -> None:
    axes.set(xlim=(-0.5, len(stages) - 0.5), ylim=(0, 102), yticks=range(0, 101, 20))
    turned = len(stages) >= TURNED
    names = [shorten(visible(name), LONGEST) for name in stages]
    axes.set_xticks(range(len(stages)), names, rotation=90 if turned else 0)
    axes.set_title("accuracy of a linear probe, %", loc="left", fontsize=12, color=INK)
    axes.set_xlabel("stage, from the picture on")
    axes.spines[["top", "right"]].set_visible(False)
    for spine in axes.spines.values():
        spine.set_color(MUTED)
    axes.tick_params(labelsize=12, color=MUTED, labelcolor=MUTED)
    axes.xaxis.label.set(size=12, color=MUTED)
    axes.grid(axis="y", color=LINE, linewidth=0.5)
    axes.set_axisbelow(True)


def _draw(axes: "Axes", one: DepthSeries, index: int, shift: float) -> None:
    known = [(at, number) for at, number in enumerate(one.numbers) if number.value is not None]
    values = [100 * (number.value or 0.0) for _, number in known]
    lows = [100 * (number.low or 0.0) for _, number in known]
    highs = [100 * (number.high or 0.0) for _, number in known]
    below = [value - low for value, low in zip(values, lows, strict=True)]
    above = [high - value for value, high in zip(values, highs, strict=True)]
    axes.errorbar(
        [at + shift for at, _ in known],
        values,
        yerr=[below, above],
        label=visible(one.name),
        color=CATEGORICAL[index],
        marker=MARKERS[index],
        linestyle="solid" if index == 0 else (0, (4, 2)),
        linewidth=2,
        elinewidth=1.5,
        capsize=3,
        clip_on=False,
    )
