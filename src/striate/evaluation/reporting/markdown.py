"""Names are data in Markdown and YAML too: a card says them and does nothing that they ask for."""

import re
from collections.abc import Iterable, Sequence

from striate.drawing.text import visible

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}
_ESCAPED = frozenset("\\`*_[]|#~$")


def plain(text: object) -> str:
    r"""A text as Markdown that shows it letter by letter: no mark-up, no link, no cell, no line of its own.

    >>> plain("*owl* | <b>\n[x](http://y)")
    '\\*owl\\* \\| &lt;b&gt;\\\\n\\[x\\](http&#58;//y)'
    """
    letters = (
        _ENTITIES.get(letter) or (f"\\{letter}" if letter in _ESCAPED else letter) for letter in visible(text)
    )
    said = "".join(letters).replace("://", "&#58;//")
    said = re.sub(r"(?i)\b(www|mailto|xmpp)([.:])", lambda found: f"{found[1]}&#{ord(found[2])};", said)
    return re.sub(r"^(\s*)([-+=]|\d+[.)](?=\s|$))", _first, said)


def _first(found: re.Match[str]) -> str:
    """The mark that would begin a list, a heading or a rule, made a letter again."""
    return f"{found[1]}{found[2][:-1]}\\{found[2][-1]}"


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[int] = ()) -> str:
    """Rows as a table of Markdown, every cell plain text; the columns numbered in `right` are aligned so.

    >>> print(table(["class", "images"], [["owl|cat", 12]], right=[1]))
    | class | images |
    |---|---:|
    | owl\\|cat | 12 |
    """
    rule = ["---:" if column in right else "---" for column in range(len(headings))]
    lines = [" | ".join(headings), None, *(" | ".join(map(plain, row)) for row in rows)]
    return "\n".join(f"|{'|'.join(rule)}|" if line is None else f"| {line} |" for line in lines)


def fenced(text: str) -> str:
    """A text as a block of code, whatever back-ticks it holds."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{chr(10).join(visible(line) for line in text.splitlines())}\n{fence}"


def quoted(text: object) -> str:
    r"""A text as a double-quoted scalar of YAML, what cannot be printed there escaped.

    >>> print(quoted('a "name": #1 \\ ---'))
    "a \"name\": #1 \\ ---"

    Source: YAML 1.2.2, sections 5.1 and 7.3.1.
    """
    return '"' + "".join(map(_letter, visible(text))) + '"'


def _letter(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    code = ord(letter)
    if 0x20 <= code <= 0x7E or 0xA0 <= code <= 0xFFFD or code >= 0x10000:
        return letter
    return f"\\u{code:04X}"
