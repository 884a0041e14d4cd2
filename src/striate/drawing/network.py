"""A drawing of a network: its stages from left to right, as one SVG file that needs nothing else."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from striate.drawing.scales import CATEGORICAL, CATEGORICAL_DARK

COLUMN, TALLEST, WIDEST, MARGIN, LINE = 156, 112, 64, 16, 16
TOP, NARROWEST = 64, 860  # pixels; the legend needs the width
MOST_IN_A_ROW = 7

STYLE = f"""
svg {{ --paper: #ffffff; --ink: #1a1a1a; --muted: #5c5c5c; --line: #8a8a8a; --map: {CATEGORICAL[0]};
  --head: {CATEGORICAL[1]}; font: 12px system-ui, sans-serif; background: var(--paper); }}
@media (prefers-color-scheme: dark) {{ svg {{ --paper: #16181c; --ink: #f0f0f0; --muted: #a8a8a8; --line: #7a7a7a;
  --map: {CATEGORICAL_DARK[0]}; --head: {CATEGORICAL_DARK[1]}; }} }}
text {{ fill: var(--muted); font-variant-numeric: tabular-nums; }}
.name {{ fill: var(--ink); font-weight: 600; }} .title {{ font-size: 16px; }}
.map {{ fill: var(--map); }} .head {{ fill: var(--head); }} .picture {{ fill: var(--line); }}
.aside {{ fill: none; stroke: var(--head); stroke-dasharray: 4 3; stroke-width: 1.5; }}
.arrow {{ stroke: var(--line); stroke-width: 1.5; fill: none; }} .tip {{ fill: var(--line); }}
"""


@dataclass(frozen=True)
class Column:
    """One stage as it is drawn: `shape` is `(channel, height, width)` or `(feature,)`, what leaves the stage.

    `lines` are written under it. `kind` is "picture", "map" or "head"; `aside` marks a stage that an auxiliary
    head reads.
    """

    name: str
    shape: tuple[int, ...]
    lines: tuple[str, ...] = ()
    kind: str = "map"
    aside: bool = False


def draw_network(title: str, caption: str, columns: Sequence[Column]) -> str:
    """The SVG text of a network: a box a stage, as high as its maps are, as wide as they are many.

    >>> drawing = draw_network("two", "1 × 28 × 28", [Column("picture", (1, 28, 28), kind="picture"),
    ...                                              Column("c1", (6, 28, 28), ("156 parameters",))])
    >>> drawing.startswith("<svg"), drawing.count("<rect")
    (True, 2)

    Height and width go by the logarithm, so that 7 cells and 224, 3 maps and 2,048 are all visible. Rows are
    equally long, seven columns at the most. Light or dark as the reader's screen is.
    """
    lines = max(len(column.lines) for column in columns)
    row_height = TALLEST + (lines + 2) * LINE + 40
    rows = math.ceil(len(columns) / MOST_IN_A_ROW)
    in_a_row = math.ceil(len(columns) / rows)
    width = max(2 * MARGIN + COLUMN * in_a_row, NARROWEST)
    height = TOP + rows * row_height + LINE
    corners = [
        (MARGIN + COLUMN * (index % in_a_row), TOP + row_height * (index // in_a_row))
        for index in range(len(columns))
    ]
    drawn = [_column(column, *corner) for column, corner in zip(columns, corners, strict=True)]
    arrows = [_arrow(*corner) for corner in corners[1:]]
    legend = "Height of a box: rows of the maps; width: how many maps; both by the logarithm."
    if any(column.aside for column in columns):
        legend += " Dashed: an auxiliary head reads this stage in training."
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" aria-label="{_escape(f"{title}: {caption}")}">',
            f"<style>{STYLE}</style>",
            f'<text class="name title" x="{MARGIN}" y="28">{_escape(title)}</text>',
            f'<text x="{MARGIN}" y="48">{_escape(caption)}</text>',
            *arrows,
            *drawn,
            f'<text x="{MARGIN}" y="{height - 12}">{_escape(legend)}</text>',
            "</svg>",
            "",
        ]
    )


def _column(column: Column, left: int, top: int) -> str:
    width, height = _box(column.shape)
    middle = left + COLUMN / 2
    x, y = middle - width / 2, top + (TALLEST - height) / 2
    texts = [
        f'<text class="name" x="{middle:g}" y="{top + TALLEST + 20}" text-anchor="middle">'
        f"{_escape(column.name)}</text>"
    ]
    for index, line in enumerate((" × ".join(map(str, column.shape)), *column.lines), start=1):
        texts.append(
            f'<text x="{middle:g}" y="{top + TALLEST + 20 + index * LINE}" text-anchor="middle">{_escape(line)}</text>'
        )
    frame = (
        f'<path class="aside" d="M{x - 4:.1f} {y - 4:.1f}h{width + 8:.1f}v{height + 8:.1f}h-{width + 8:.1f}z"/>'
        if column.aside
        else ""
    )
    box = (
        f'<rect class="{column.kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2">'
        f"<title>{_escape(' · '.join((column.name, *column.lines)))}</title></rect>"
    )
    return frame + box + "".join(texts)


def _box(shape: tuple[int, ...]) -> tuple[float, float]:
    maps, rows = (shape[0], shape[1]) if len(shape) == 3 else (shape[0], 1)
    wide = 4 + (WIDEST - 4) * min(1.0, math.log2(maps) / 11)
    high = 6 + (TALLEST - 6) * min(1.0, math.log2(rows) / 8)
    return wide, high


def _arrow(left: int, top: int) -> str:
    """A short arrow into a column, at the middle of its height."""
    y = top + TALLEST / 2
    return (
        f'<path class="arrow" d="M{left - 10} {y:g}h14"/><path class="tip" d="M{left + 10} {y:g}l-7 -4v8z"/>'
    )


def _escape(text: str) -> str:
    return html.escape(text)
