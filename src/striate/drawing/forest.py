"""A forest plot as inline SVG: differences one below the other, each with its interval, around the line of none."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from striate.drawing.text import shorten, visible

WIDTH, ROW, TOP, FOOT, EDGE, LONGEST = 324, 44, 28, 40, 12, 20
MOST_TICKS = 6


@dataclass(frozen=True)
class Difference:
    """One line: its name, the value and limits in the unit of the axis, and how they are written; None is undefined."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    text: str


def forest(
    identity: str,
    rows: Sequence[Difference],
    *,
    against: str = "",
    for_: str = "",
    unit: str,
    left: str = "",
    right: str = "",
) -> str:
    """Differences with their intervals; left of zero speaks for `against`, right of it for `for_`.

    `left` and `right` are what is written over the two sides, unless that is that one of the two is better.

    An interval off zero is drawn in ink, one that holds zero in grey. 324 units wide, shown as pixels or larger, so
    that 12 units of text are never under 12 px.

    >>> drawn = forest("f", [Difference("accuracy", 3.2, -0.2, 6.5, "3.2")], against="a", for_="b", unit="points")
    >>> drawn.count("<circle"), "← a is better" in drawn
    (1, True)
    """
    ticks = axis(rows)
    span = ticks[-1] - ticks[0]

    def place(value: float) -> float:
        return EDGE + (min(max(value, ticks[0]), ticks[-1]) - ticks[0]) / span * (WIDTH - 2 * EDGE)

    bottom, zero = TOP + ROW * len(rows), place(0.0)
    names = [shorten(visible(name), LONGEST) for name in (against, for_)]
    left, right = left or f"← {names[0]} is better", right or f"{names[1]} is better →"
    parts = [
        f'<svg class="plot" id="{html.escape(identity)}" role="img" viewBox="0 0 {WIDTH} {bottom + FOOT}" '
        f'font-size="12" aria-label="{html.escape(f"Differences in {unit} with their intervals")}">',
        f'<text x="0" y="14" fill="var(--muted)">{html.escape(left)}</text>',
        f'<text x="{WIDTH}" y="14" text-anchor="end" fill="var(--muted)">{html.escape(right)}</text>',
    ]
    for index, row in enumerate(rows):
        parts.append(_row(row, TOP + ROW * index, [place(v or 0.0) for v in (row.low, row.value, row.high)]))
    # The line of no difference leaves out the text of each row, which it would strike through.
    strokes = "".join(f"M{zero:.1f} {TOP + ROW * index + 16}v{ROW - 20}" for index in range(len(rows)))
    parts.append(f'<path d="{strokes}" stroke="var(--muted)" stroke-dasharray="2 2"/>')
    parts.append(f'<path d="M{EDGE} {bottom + 4}H{WIDTH - EDGE}" stroke="var(--line)"/>')
    for tick in ticks:
        text = f"{tick:g}".replace("-", "−")
        parts.append(
            f'<path d="M{place(tick):.1f} {bottom + 4}v4" stroke="var(--muted)"/>'
            f'<text x="{place(tick):.1f}" y="{bottom + 20}" text-anchor="middle" fill="var(--muted)">{text}</text>'
        )
    parts.append(f'<text x="{WIDTH / 2:g}" y="{bottom + 36}" text-anchor="middle" fill="var(--muted)">')
    return "".join([*parts, f"{html.escape(unit)}</text></svg>"])


def axis(rows: Sequence[Difference]) -> list[float]:
    """Round numbers around every limit and zero, at most about six.

    >>> axis([Difference("", 3.0, -1.0, 7.0, "")])
    [-2.0, 0.0, 2.0, 4.0, 6.0, 8.0]
    """
    ends = [end for row in rows for end in (row.low, row.value, row.high) if end is not None]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    rough = max(high - low, 1e-9) / (MOST_TICKS - 1)
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(scale * factor for factor in (1, 2, 5, 10) if scale * factor >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * number, 12) for number in range(first, max(last, first + 1) + 1)]


def _row(row: Difference, top: int, places: list[float]) -> str:
    low, value, high = places
    name, text = html.escape(shorten(visible(row.name), LONGEST)), html.escape(row.text)
    line, middle = top + 12, top + 26
    written = (
        f'<text x="0" y="{line}" fill="var(--ink)">{name}</text>'
        f'<text x="{WIDTH}" y="{line}" text-anchor="end" fill="var(--ink)">{text}</text>'
    )
    if row.value is None:
        return f"<g>{written}</g>"
    off = row.low is not None and row.high is not None and (row.low > 0 or row.high < 0)
    colour = "var(--ink)" if off else "var(--muted)"
    bar = (
        f'<path d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 4}v8M{high:.1f} {middle - 4}v8" '
        f'stroke="{colour}" stroke-width="2" fill="none"/>'
        if row.low is not None
        else ""
    )
    title = f"<title>{html.escape(visible(row.name))}: {text}</title>"
    return f'<g>{title}{written}{bar}<circle cx="{value:.1f}" cy="{middle}" r="4" fill="var(--accent)"/></g>'
