"""Figures as inline SVG: text stays text, colours are the page's custom properties, ids are unique."""

import html
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from striate.drawing.scales import categorical, share_step
from striate.drawing.text import shorten, visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Matplotlib knows no CSS variables: it draws with these colours, which are then replaced.
SENTINELS = {"#010203": "var(--ink)", "#040506": "var(--muted)", "#070809": "var(--line)"}
INK, MUTED, LINE = SENTINELS
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

    figure, axes = _axes(3.4)
    for one in series:
        _draw(axes, one, "o" if len(one.x) < 3 else "")
    if mark is not None:
        axes.axvline(mark, color=MUTED, linewidth=1, linestyle=(0, (2, 2)))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(unit)
    axes.set_title(label, loc="left", fontsize=12, color=INK)
    return _svg(figure, identity, f"{label} over each {unit}: " + ", ".join(one.name for one in series))


def roc(identity: str, series: Sequence[Series]) -> str:
    """ROC curves: false positive rate to the right, true positive rate upwards, chance as a thin diagonal."""
    figure, axes = _axes(4.5)
    axes.plot([0, 1], [0, 1], color=LINE, linewidth=1)
    for one in series:
        _draw(axes, one, "")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal", xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    axes.set_xlabel("1 - specificity (false positive rate)")
    axes.set_title("sensitivity (true positive rate)", loc="left", fontsize=12, color=INK)
    return _svg(figure, identity, "ROC curves of " + ", ".join(one.name for one in series))


def swatch(style: int) -> str:
    """A short line in a class's style, for a legend in the page's own text."""
    colour, dash = categorical(style)
    return (
        '<svg width="24" height="8" viewBox="0 0 24 8" aria-hidden="true"><path d="M0 4H24" '
        f'style="stroke: {colour}; stroke-width: 2.5; stroke-dasharray: {dash}"/></svg>'
    )


def matrix(identity: str, counts: Sequence[Sequence[int]], names: Sequence[str]) -> str:
    """A confusion matrix: rows are the truth, columns the prediction, colour the share of the row.

    Counts are written in the cells up to 30 classes; every filled cell says its names and count when pointed
    at. Empty cells keep the colour of the paper.
    """
    classes = len(names)
    widest = max((len(f"{count:,}") for row in counts for count in row), default=1)
    numbered = classes <= 30
    cell = max(36 if classes <= 16 else 24, 7 * widest + 8) if numbered else 15
    labels = [shorten(visible(name), 18) for name in names]
    margin = 28 + round(7.2 * max(len(label) for label in labels))
    middle, size = margin + classes * cell / 2, margin + classes * cell + 4
    return "".join(
        [
            f'<svg class="matrix" id="{identity}" role="img" width="{size}" height="{size}" font-size="12" ',
            f'viewBox="0 0 {size} {size}" aria-label="Confusion matrix of {classes} classes">',
            f'<text x="{middle:g}" y="14" text-anchor="middle" fill="var(--muted)">predicted</text>',
            f'<text transform="translate(14 {middle:g}) rotate(-90)" text-anchor="middle" ',
            'fill="var(--muted)">truth</text>',
            f'<rect x="{margin}" y="{margin}" width="{classes * cell}" height="{classes * cell}" ',
            'fill="none" stroke="var(--line)"/>',
            *_labels(labels, margin, cell),
            *_cells(counts, names, margin, cell, numbered),
            "</svg>",
        ]
    )


def _cells(
    counts: Sequence[Sequence[int]], names: Sequence[str], margin: int, cell: int, numbered: bool
) -> list[str]:
    parts = []
    for row, line in enumerate(counts):
        support = sum(line)
        for column, count in enumerate(line):
            if count:
                title = f"{visible(names[row])}: {count:,} of {support:,} called {visible(names[column])}"
                x, y = margin + column * cell, margin + row * cell
                step = share_step(count / support)
                parts.append(_cell(x, y, cell, step, title, f"{count:,}" if numbered else ""))
    return parts


def _labels(labels: Sequence[str], margin: int, cell: int) -> list[str]:
    parts = []
    for index, label in enumerate(labels):
        text, middle = html.escape(label), margin + (index + 0.5) * cell + 4
        edge = margin - 6
        parts.append(
            f'<text x="{edge}" y="{middle:g}" text-anchor="end" fill="var(--ink)">{text}</text>'
            f'<text transform="translate({middle:g} {edge}) rotate(-90)" fill="var(--ink)">{text}</text>'
        )
    return parts


def _cell(x: int, y: int, cell: int, step: int, title: str, text: str) -> str:
    written = (
        f'<text x="{x + cell / 2:g}" y="{y + cell / 2 + 4:g}" text-anchor="middle" '
        f'fill="var(--on-share-{step})">{text}</text>'
    )
    return (
        f'<g><title>{html.escape(title)}</title><rect x="{x}" y="{y}" width="{cell}" height="{cell}" '
        f'fill="var(--share-{step})"/>{written if text else ""}</g>'
    )


def _draw(axes: "Axes", one: Series, marker: str) -> None:
    dash = "solid" if one.style % 8 < 4 else (0, (4, 2))
    colour = CLASS_SENTINELS[one.style % 8]
    axes.plot(one.x, one.y, color=colour, linewidth=2, linestyle=dash, marker=marker, clip_on=False)


def _axes(height: float) -> "tuple[Figure, Axes]":
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


def _svg(figure: "Figure", identity: str, label: str) -> str:
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
