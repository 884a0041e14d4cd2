"""The table of checks as text for a terminal."""

import textwrap

from striate.explanation.checks.table import CheckTable
from striate.explanation.checks.table_sections import refusals, sections

WIDTH = 112


def table_text(table: CheckTable) -> str:
    """A sentence, then each check with a line a method, then the methods that were refused."""
    parts = [_wrapped(table.sentence())]
    for section in sections(table):
        parts += [section.title, _aligned([section.headings, *section.rows]), _wrapped(section.meaning)]
    parts += [_wrapped(sentence) for sentence in refusals(table)]
    return "\n\n".join([*parts, f"Intervals are 95 %, over {table.images:,} images."])


def _aligned(rows: list[tuple[str, ...]]) -> str:
    """The first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        right = [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *right]).rstrip())
    return "\n".join(lines)


def _wrapped(text: str) -> str:
    kept = text.replace(" %", "\u00a0%")
    return "\n".join(textwrap.wrap(kept, WIDTH, break_on_hyphens=False)).replace("\u00a0", " ")
