"""The package's docstrings are plain text; here they become reStructuredText without loss."""

import inspect
import re
import textwrap
from collections.abc import Iterator

import striate

CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
SPECIAL = re.compile(r"([\\*_|`])")
HEADING = re.compile(r"^(Args|Raises|Returns|Yields):$")
OPENING = " (["
BREAK, ESCAPED = "\\ ", r"\\\1"
NEXT = re.compile(r"(?<=\.) (?=[A-Z]\w+Error: )")
ENTRY = re.compile(r"^([\w.*, ]+): (.*)$")


def to_rst(docstring: str) -> list[str]:
    """The lines of a docstring as reStructuredText.

    Single backticks mean code, `>>>` an example, a deeper indent text that is set as it stands, `- ` a list, and
    `Args:` or `Raises:` a list of names, each with what is said of it.
    """
    lines: list[str] = []
    for block in blocks(inspect.cleandoc(docstring)):
        lines += [*block_to_rst(block), ""]
    return lines


def blocks(text: str) -> Iterator[list[str]]:
    """Paragraphs and examples: parted by empty lines, and where an example begins."""
    block: list[str] = []
    for line in text.splitlines():
        begins = line.lstrip().startswith(">>>") and block and not block[0].lstrip().startswith(">>>")
        if (not line.strip() or begins) and block:
            yield block
            block = []
        if line.strip():
            block.append(line)
    if block:
        yield block


def block_to_rst(block: list[str]) -> list[str]:
    """One paragraph, example, list or table."""
    first = block[0]
    if first.startswith(">>>"):
        return [".. code-block:: pycon", "", *(f"   {line}" for line in block)]
    if first.startswith(("    ", "|")):
        body = textwrap.dedent("\n".join(block)).splitlines()
        return [".. code-block:: text", "", *(f"   {line}" for line in body)]
    if HEADING.match(first):
        return headed(first.removesuffix(":"), block[1:])
    if first.startswith("- "):
        return [inline(entry) for entry in joined(block)]
    if HEADING.match(block[-1]):
        return [inline(" ".join(block))]
    deeper = next((n for n, line in enumerate(block) if line.startswith("    ")), None)
    if deeper:
        return [*block_to_rst(block[:deeper]), "", *block_to_rst(block[deeper:])]
    return [inline(" ".join(block))]


def headed(title: str, lines: list[str]) -> list[str]:
    """A list of names under its heading; lines that go on are joined."""
    depth = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
    made = [f"**{title}**", ""]
    entries = joined([line[depth:] for line in lines])
    for entry in (part for one in entries for part in NEXT.split(one)):
        match = ENTRY.match(entry)
        made += [f"- ``{match[1]}``: {inline(match[2])}" if match else f"- {inline(entry)}"]
    return made


def joined(lines: list[str]) -> list[str]:
    """Lines that go on, being indented, joined to those that they belong to."""
    entries: list[str] = []
    for line in lines:
        if line.startswith(" ") and entries:
            entries[-1] += f" {line.strip()}"
        else:
            entries.append(line.strip())
    return entries


def inline(text: str) -> str:
    """One line of text: code as code, public names in code as links, everything else as it stands."""
    made = ""
    for number, part in enumerate(CODE.split(text)):
        if number % 2:
            made += f"{BREAK if made and made[-1] not in OPENING else ''}{code(part)}"
        else:
            made += f"{BREAK if made and part[:1].isalnum() else ''}{SPECIAL.sub(ESCAPED, part)}"
    return made


def code(text: str) -> str:
    """What stood between backticks."""
    name = text.removeprefix("striate.")
    if name in striate.__all__ and (name != text or name[0].isupper()):
        return f":py:obj:`{text} <striate.{name}>`"
    return f"``{text.strip()}``"
