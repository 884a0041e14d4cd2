"""The confusion matrix as inline SVG; a cell may be a link to the pictures behind it."""

import html
from collections.abc import Collection, Iterator, Sequence

from striate.drawing.scales import share_step
from striate.drawing.text import shorten, visible

NUMBERED = 30
"""Classes up to which counts are written into the cells."""
LONGEST = 60
"""Letters of a name where a cell is told in words: a matrix may have thousands of them."""


def matrix(
    identity: str,
    counts: Sequence[Sequence[int]],
    names: Sequence[str],
    links: Collection[tuple[int, int]] = (),
) -> str:
    """A confusion matrix: rows are the truth, columns the prediction, colour the share of the row.

    Counts are written in the cells up to 30 classes; every filled cell says its names, its count and its shares of
    row and column when pointed at. Empty cells keep the colour of the paper. The cells in `links`, of row and column,
    lead to `#cell-ROW-COLUMN` on the same page.

    >>> drawn = matrix("m", [[3, 1], [0, 2]], ["cat", "owl"], links=[(0, 1)])
    >>> drawn.count("<rect"), '<a href="#cell-0-1"' in drawn
    (4, True)
    """
    classes = len(names)
    widest = max((len(f"{count:,}") for row in counts for count in row), default=1)
    numbered = classes <= NUMBERED
    cell = max(36 if classes <= 16 else 24, 7 * widest + 8) if numbered else 15
    labels = [shorten(visible(name), 18) for name in names]
    margin = 28 + round(7.2 * max(len(label) for label in labels))
    middle, size = margin + classes * cell / 2, margin + classes * cell + 4
    return "".join(
        [
            f'<svg class="matrix" id="{identity}" role="{"group" if links else "img"}" width="{size}" ',
            f'height="{size}" font-size="12" ',
            f'viewBox="0 0 {size} {size}" aria-label="Confusion matrix of {classes} classes">',
            f'<text x="{middle:g}" y="14" text-anchor="middle" fill="var(--muted)">predicted</text>',
            f'<text transform="translate(14 {middle:g}) rotate(-90)" text-anchor="middle" ',
            'fill="var(--muted)">truth</text>',
            f'<rect x="{margin}" y="{margin}" width="{classes * cell}" height="{classes * cell}" ',
            'fill="none" stroke="var(--line)"/>',
            *_labels(labels, margin, cell),
            *_cells(counts, names, margin, cell, links),
            "</svg>",
        ]
    )


def anchor(row: int, column: int) -> str:
    """What the pictures of a cell are called on their page."""
    return f"cell-{row}-{column}"


def cell_name(name: str) -> str:
    """A class where a cell is told in words: hidden characters made visible, a very long name shortened."""
    return shorten(visible(name), LONGEST)


def cell_title(truth: str, predicted: str, count: int, support: int, called: int) -> str:
    """A cell in words, with its shares of the row and of the column; names as `cell_name` gives them.

    >>> cell_title("cat", "owl", 1, 4, 3)
    'cat: 1 of 4 called owl, 25.0 % of the row; 33.3 % of the 3 called so'
    """
    return (
        f"{truth}: {count:,} of {support:,} called {predicted}, "
        f"{100 * count / support:.1f} % of the row; {100 * count / called:.1f} % of the {called:,} called so"
    )


def _cells(
    counts: Sequence[Sequence[int]],
    names: Sequence[str],
    margin: int,
    cell: int,
    links: Collection[tuple[int, int]],
) -> Iterator[str]:
    supports, called = [sum(line) for line in counts], [sum(column) for column in zip(*counts, strict=True)]
    numbered, known = len(names) <= NUMBERED, [cell_name(name) for name in names]
    for row, line in enumerate(counts):
        for column, count in enumerate(line):
            if count:
                title = cell_title(known[row], known[column], count, supports[row], called[column])
                x, y = margin + column * cell, margin + row * cell
                step = share_step(count / supports[row])
                drawn = _cell(x, y, cell, step, title, f"{count:,}" if numbered else "")
                linked = (row, column) in links
                yield f'<a href="#{anchor(row, column)}">{drawn}</a>' if linked else drawn


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
