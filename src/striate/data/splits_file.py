"""The table of images as a csv, and splits read back from one after checking that it is about these very images."""

import csv
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Shaped

from striate.data.sources.layout import SPLITS
from striate.errors import SourceError, suggestion

UNREADABLE, DROPPED = "unreadable", "dropped"
ABSENT = (UNREADABLE, DROPPED)
"""What stands in place of a split for pictures that have no part in anything."""
COLUMNS = ("source", "label", "split", "digest", "group")


class Row(NamedTuple):
    """One picture of the table; what is not known is ''."""

    source: str
    label: str
    split: str
    digest: str
    group: str


@dataclass(frozen=True, eq=False)
class Matched:
    """What a csv says of some images: which of them it keeps, and split, label and group of each that is kept."""

    kept: Bool[np.ndarray, " image"]
    splits: Shaped[np.ndarray, " kept"]
    labels: list[str]
    groups: Shaped[np.ndarray, " kept"] | None


def table_csv(rows: Iterable[Row], *, with_groups: bool) -> bytes:
    """The table as csv, with a column for groups where there are any."""
    width = len(COLUMNS) if with_groups else len(COLUMNS) - 1
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS[:width])
    writer.writerows(row[:width] for row in rows)
    return text.getvalue().encode("utf-8", errors="surrogateescape")


def matched(path: str | os.PathLike | bytes, table: list[Row], *, as_was: bool = False) -> Matched:
    """What a csv says of the readable images of a table.

    The csv needs the columns source and split; label and digest are compared when they are there. Its rows with
    the split 'dropped' leave an image out. With `as_was` its labels are taken rather than compared. Raises
    SourceError with counts and the first names for whatever differs.
    """
    where = "splits.csv" if isinstance(path, bytes) else os.fspath(path)
    given, grouped = _read(path, where)
    known = {row.source: row for row in table}
    shared = [name for name in given if name in known]
    differences = {
        "in the file only": [name for name in given if name not in known],
        "in the images only": [name for name in known if name not in given],
        "with another label": []
        if as_was
        else [name for name in shared if _differ(given, known, name, "label")],
        "with other pixels": [name for name in shared if _differ(given, known, name, "digest")],
        "no longer readable": [
            name for name in shared if known[name].split == UNREADABLE and given[name].split not in ABSENT
        ],
        "readable now but not then": [
            name for name in shared if given[name].split == UNREADABLE and known[name].split not in ABSENT
        ],
    }
    words = [_counted(names, what) for what, names in differences.items() if names]
    if words:
        raise SourceError(f"{where} is not about these images: {'; '.join(words)}")
    present = [given[row.source] for row in table if row.split not in ABSENT]
    rows = [row for row in present if row.split not in ABSENT]
    return Matched(
        kept=np.array([row.split not in ABSENT for row in present], dtype=bool),
        splits=np.array([row.split for row in rows], dtype="U10"),
        labels=[row.label for row in rows],
        groups=np.array([row.group for row in rows], dtype=np.str_) if grouped else None,
    )


def _differ(given: dict[str, Row], known: dict[str, Row], name: str, field: str) -> bool:
    here, there = getattr(given[name], field), getattr(known[name], field)
    return bool(here and there and here != there)


def _counted(names: list[str], what: str) -> str:
    return f"{len(names):,} {what} ({', '.join(names[:3])}{', …' * (len(names) > 3)})"


def _read(path: str | os.PathLike | bytes, where: str) -> tuple[dict[str, Row], bool]:
    """The rows of the csv by name, and whether it has a column for groups."""
    try:
        if isinstance(path, bytes):
            text = path.decode("utf-8-sig", "surrogateescape")
        else:
            with open(path, encoding="utf-8-sig", newline="") as file:
                text = file.read()
        reader = csv.DictReader(io.StringIO(text, newline=""))
        columns = reader.fieldnames or ()
        missing = [name for name in ("source", "split") if name not in columns]
        if missing:
            raise SourceError(
                f"{where} has no column {' and no column '.join(missing)}; its first line must name them"
            )
        rows = [Row(*(line.get(column) or "" for column in COLUMNS)) for line in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{where} cannot be read as a csv of splits: {error}") from error
    for row in rows:
        if row.split not in (*SPLITS, *ABSENT):
            raise SourceError(
                f"{where} gives {row.source} the split {row.split!r}; {suggestion(row.split, SPLITS)}"
            )
    given = {row.source: row for row in rows}
    if len(given) < len(rows):
        raise SourceError(f"{where} names {len(rows) - len(given):,} images more than once")
    return given, "group" in columns
