"""The table of checks as markup for a page."""

import html

from striate.drawing.text import unbroken
from striate.explanation.checks.table import CheckTable
from striate.explanation.checks.table_sections import Section, refusals, sections


def table_markup(table: CheckTable) -> str:
    """A sentence, then each check with a row a method, then the methods that were refused; everything escaped."""
    parts = [f'<p class="verdict">{_text(table.sentence())}</p>', *map(_section, sections(table))]
    if refused := refusals(table):
        items = "".join(f"<li>{_text(sentence)}</li>" for sentence in refused)
        parts.append(f'<ul class="plain">{items}</ul>')
    return "\n".join([*parts, f'<p class="muted">Intervals are 95&nbsp;%, over {table.images:,} images.</p>'])


def _section(section: Section) -> str:
    head = "".join(f'<th scope="col">{_text(heading)}</th>' for heading in section.headings)
    body = "".join(_row(row) for row in section.rows)
    return (
        f"<h3>{_text(section.title)}</h3>\n<p>{_text(section.meaning)}</p>\n"
        f'<div class="scroll fit"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _row(row: tuple[str, ...]) -> str:
    first, *others = row
    cells = "".join(f"<td>{_text(cell)}</td>" for cell in others)
    return f'<tr><th scope="row">{_text(first)}</th>{cells}</tr>'


def _text(words: str) -> str:
    return html.escape(unbroken(words))
