"""Tables of files: csv, tsv, JSON lines and parquet, read for the columns that mean something here."""

import csv
import json
from array import array
from collections.abc import Callable, Iterator, MutableSequence, Sequence
from dataclasses import dataclass, field
from io import BufferedIOBase
from typing import Any

from striate.errors import SourceError

FILE_COLUMNS = ("file", "path", "filename", "image", "file_name")
ROLES = {
    "file": FILE_COLUMNS,
    "label": ("label", "class", "target"),
    "split": ("split",),
    "group": ("group",),
}
"""Which columns are looked for, by the first of the names that the table has."""
SEPARATORS = (",", ";", "\t")
LINE_LIMIT = 1 << 20

Opener = Callable[[], BufferedIOBase]


@dataclass
class Table:
    """The columns of a table by role, and where each row stands: a line of the file, or its row counted from 1."""

    columns: tuple[str, ...]
    values: dict[str, list[str]]
    places: MutableSequence[int] = field(default_factory=lambda: array("q"))
    unit: str = "line"


def form_of(name: str, head: bytes) -> str:
    """How a table is written, by its first bytes or else by its name: parquet, jsonl or csv."""
    if head.startswith(b"PAR1"):
        return "parquet"
    return "jsonl" if name.lower().endswith(".jsonl") else "csv"


def read_table(opener: Opener, form: str, location: str) -> Table:
    """The columns of a table that have a role; SourceError, with the line, for a table that cannot be read."""
    with opener() as stream:
        if form == "parquet":
            from striate.data.sources.parquet import text_columns

            columns, values = text_columns(stream, location, roles_of)
            count = len(values["file"])
            return Table(tuple(columns), values, array("q", range(1, count + 1)), "row")
        rows = _rows(stream, form, location)
        columns = next(rows)[1]
        roles = roles_of(columns, location)
        table = Table(tuple(columns), {role: [] for role in roles})
        known: dict[str, str] = {}
        place, file_index, files = table.places.append, roles["file"], table.values["file"]
        others = [(table.values[role], index) for role, index in roles.items() if role != "file"]
        for line, row in rows:
            place(line)
            files.append(row[file_index])
            for column, index in others:
                column.append(known.setdefault(row[index], row[index]))
        return table


def read_column(opener: Opener, form: str, location: str, column: str) -> list[str]:
    """One column of a table, row for row."""
    with opener() as stream:
        if form == "parquet":
            from striate.data.sources.parquet import text_columns

            return text_columns(stream, location, lambda columns, _: {"": columns.index(column)})[1][""]
        rows = _rows(stream, form, location)
        index = next(rows)[1].index(column)
        return [row[index] for _, row in rows]


def roles_of(columns: Sequence[str], location: str) -> dict[str, int]:
    """The columns that have a role; SourceError when none names files."""
    roles = {role: index for role, index in roles_in(columns).items() if index is not None}
    if "file" not in roles:
        raise SourceError(
            f"{location} names no files: it has the columns {', '.join(columns) or '(none)'}; "
            f"one must be called {', '.join(FILE_COLUMNS[:-1])} or {FILE_COLUMNS[-1]}"
        )
    return roles


def roles_in(columns: Sequence[str]) -> dict[str, int | None]:
    """Where the column of each role stands.

    >>> roles_in(["File", "label", "age"])
    {'file': 0, 'label': 1, 'split': None, 'group': None}
    """
    plain = [column.strip().lower() for column in columns]
    return {
        role: next((plain.index(name) for name in names if name in plain), None)
        for role, names in ROLES.items()
    }


def _rows(stream: BufferedIOBase, form: str, location: str) -> Iterator[tuple[int, Sequence[str]]]:
    """The header first, at place 0, then every row with its place."""
    lines = _lines(stream, location)
    return _json_rows(lines, location) if form == "jsonl" else _csv_rows(lines, location)


def _lines(stream: BufferedIOBase, location: str) -> Iterator[str]:
    """The lines of a text in UTF-8, with or without a byte order mark; SourceError names the line that is not."""
    number, encoding = 0, "utf-8-sig"
    while line := stream.readline(LINE_LIMIT):
        number += 1
        if len(line) == LINE_LIMIT:
            raise SourceError(
                f"{location}, line {number:,}: it has more than {LINE_LIMIT:,} bytes; is it a table?"
            )
        try:
            yield line.decode(encoding)
        except UnicodeDecodeError:
            wide = " (it looks like UTF-16)" if line.startswith((b"\xff\xfe", b"\xfe\xff")) else ""
            raise SourceError(
                f"{location}, line {number:,}: it is not UTF-8 text{wide}; save the table as csv in UTF-8"
            ) from None
        encoding = "utf-8"


def _csv_rows(lines: Iterator[str], location: str) -> Iterator[tuple[int, Sequence[str]]]:
    header = next(lines, "")
    separator = _separator(header)
    reader = csv.reader(_chained(header, lines), delimiter=separator, strict=True, skipinitialspace=True)
    try:
        columns = [column.strip() for column in next(reader, [])]
        yield 0, columns
        width = len(columns)
        for row in reader:
            if len(row) != width:
                if not row:
                    continue
                raise SourceError(
                    f"{location}, line {reader.line_num:,}: there are {len(row)} fields, but {width} columns"
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise SourceError(f"{location}, line {reader.line_num:,}: its quotes are wrong ({error})") from None


def _chained(header: str, lines: Iterator[str]) -> Iterator[str]:
    yield header
    yield from lines


def _separator(header: str) -> str:
    """What the header is separated by: whatever lets the column of files be seen."""
    for separator in SEPARATORS:
        fields = [field.strip().strip('"') for field in header.split(separator)]
        if roles_in(fields)["file"] is not None and (len(fields) > 1 or not _has_separator(header)):
            return separator
    return next((separator for separator in SEPARATORS if separator in header), ",")


def _has_separator(header: str) -> bool:
    return any(separator in header for separator in SEPARATORS)


def _json_rows(lines: Iterator[str], location: str) -> Iterator[tuple[int, Sequence[str]]]:
    columns: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            raise SourceError(f"{location}, line {number:,}: it is no JSON object")
        if not columns:
            columns = list(told)
            yield 0, columns
        yield number, [plain_text(told.get(column)) for column in columns]
    if not columns:
        yield 0, []


def plain_text(value: Any) -> str:
    """A cell as text; what is missing is empty."""
    return "" if value is None else value if isinstance(value, str) else str(value)
