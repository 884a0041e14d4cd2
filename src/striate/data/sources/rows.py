"""The rows of a table checked: every problem is told with its line, and no path leaves the table's folder."""

import os
import posixpath
import re
from collections.abc import Iterable, Sequence

from striate.data.sources.kinds import is_text
from striate.data.sources.layout import SPLIT_FOLDERS, SPLITS
from striate.data.sources.tables import Table
from striate.errors import SourceError, suggestion

NAME_LIMIT = 4096
_UNUSUAL = re.compile(r"(?:^|/)\.{0,2}(?:/|$)|^.:|[\\\0\ud800-\udfff]")


def relative_files(table: Table, folder: str, location: str) -> list[str]:
    """The files of a table relative to its folder; SourceError names the first line that leads elsewhere."""
    search = _UNUSUAL.search
    return [
        file
        if not search(file) and len(file) < NAME_LIMIT
        else _relative(file, folder, _at(table, row, location))
        for row, file in enumerate(table.values["file"])
    ]


def _relative(file: str, folder: str, at: str) -> str:
    if not file.strip():
        raise SourceError(f"{at}: there is no file")
    if "\0" in file or len(file) >= NAME_LIMIT or not is_text(file):
        raise SourceError(f"{at}: {file[:60]!r} is no name of a file")
    path = file.replace("\\", "/")
    if os.path.isabs(path) and path.startswith(folder.rstrip("/") + "/"):
        path = path[len(folder.rstrip("/")) + 1 :]
    path = posixpath.normpath(path)
    if os.path.isabs(path) or path.split("/", 1)[0] in ("..", ".") or path[1:2] == ":":
        raise SourceError(
            f"{at}: {file!r} does not lie in {folder}, the folder of the table; put the table into a folder "
            "above all pictures, and give paths relative to it"
        )
    return path


def checked_labels(table: Table, location: str) -> list[str] | None:
    """The labels, each at least a letter; None when the table has none."""
    return _filled(table, "label", location, "give each row one, or leave the row out")


def checked_groups(table: Table, location: str) -> list[str] | None:
    """The groups, each at least a letter; None when the table has none."""
    return _filled(table, "group", location, "give each row one, or leave the column out")


def checked_splits(table: Table, location: str) -> list[str] | None:
    """The splits as train, validation, test or '' (not assigned); None when the table assigns none."""
    given = table.values.get("split")
    if given is None or not any(given):
        return None
    meant = {
        word: SPLIT_FOLDERS.get(word.strip().lower(), "" if not word.strip() else None) for word in set(given)
    }
    for word, split in sorted(meant.items()):
        if split is None:
            at = _at(table, given.index(word), location)
            raise SourceError(f"{at}: there is no split {word!r}; {suggestion(word, SPLIT_FOLDERS)}")
    found = [meant[word] or "" for word in given]
    if "train" not in found:
        others = " and ".join(split for split in SPLITS if split in found)
        raise SourceError(f"{location} has images for {others}, but none to train on")
    return found


def _filled(table: Table, role: str, location: str, remedy: str) -> list[str] | None:
    values = table.values.get(role)
    if values is None:
        return None
    empty = {value for value in set(values) if not value.strip()}
    if empty:
        rows = [row for row, value in enumerate(values) if value in empty]
        have = "has" if len(rows) == 1 else "have"
        raise SourceError(f"{location}, {places(table, rows)}, {have} no {role}; {remedy}")
    return values


def distinct(
    names: Sequence[str], rows: Sequence[int], table: Table, location: str
) -> tuple[list[int], list[str]]:
    """Which of the named rows to keep, the first of each name, and a note; SourceError where two disagree."""
    first: dict[str, int] = {}
    kept: list[int] = []
    repeated: list[int] = []
    for index, name in enumerate(names):
        earlier = first.setdefault(name, index)
        if earlier == index:
            kept.append(index)
            continue
        _refuse_conflict(name, rows[earlier], rows[index], table, location)
        repeated.append(rows[index])
    if not repeated:
        return kept, []
    again = sorted(set(repeated))
    words = "repeats an earlier row and is" if len(again) == 1 else "repeat earlier rows and are"
    return kept, [f"{places(table, again)} of {os.path.basename(location)} {words} left out"]


def _refuse_conflict(name: str, first: int, second: int, table: Table, location: str) -> None:
    for role in ("label", "split", "group"):
        values = table.values.get(role)
        if values is not None and values[first] != values[second]:
            raise SourceError(
                f"{location}, {places(table, (first, second))}: {name} has the {role} {values[first]!r} and the "
                f"{role} {values[second]!r}; leave one of the rows out"
            )


def places(table: Table, rows: Iterable[int], limit: int = 5) -> str:
    """Lines of a table in words: 'line 7', or 'lines 3, 7 and 12'."""
    numbers = [f"{table.places[row]:,}" for row in rows]
    if len(numbers) == 1:
        return f"{table.unit} {numbers[0]}"
    shown, rest = numbers[:limit], len(numbers) - limit
    last = f"{rest:,} more" if rest > 0 else shown.pop()
    return f"{table.unit}s {', '.join(shown)} and {last}"


def _at(table: Table, row: int, location: str) -> str:
    return f"{location}, {places(table, (row,))}"
