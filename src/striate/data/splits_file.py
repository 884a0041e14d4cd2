"""Splits read back from a csv, after checking that it is about these very images."""

import csv
import os
from collections.abc import Sequence

import numpy as np
from jaxtyping import Shaped

from striate.data.layout import SPLITS
from striate.errors import SourceError, suggestion

UNREADABLE = "unreadable"
Row = tuple[str, str, str, str]


def matched_splits(path: str | os.PathLike, table: Sequence[Row]) -> Shaped[np.ndarray, " image"]:
    """The split of every readable image in a table of (source, label, split, digest), from a csv.

    The csv needs the columns source and split; label and digest are compared when they are there. Raises
    SourceError with counts and the first names for whatever differs.
    """
    given = _read(path)
    known = {row[0]: row for row in table}
    differences = {
        "in the file only": [name for name in given if name not in known],
        "in the images only": [name for name in known if name not in given],
        "with another label": [name for name in given if _differ(given, known, name, 1)],
        "with other pixels": [name for name in given if _differ(given, known, name, 3)],
        "no longer readable": [
            name for name in given if name in known and known[name][2] == UNREADABLE != given[name][2]
        ],
        "readable now but not then": [
            name for name in given if name in known and given[name][2] == UNREADABLE != known[name][2]
        ],
    }
    words = [_counted(names, what) for what, names in differences.items() if names]
    if words:
        raise SourceError(f"{os.fspath(path)} is not about these images: {'; '.join(words)}")
    return np.array([given[row[0]][2] for row in table if row[2] != UNREADABLE], dtype="U10")


def _differ(given: dict[str, Row], known: dict[str, Row], name: str, field: int) -> bool:
    return (
        name in known
        and bool(given[name][field] and known[name][field] != given[name][field] != "")
        and bool(known[name][field])
    )


def _counted(names: list[str], what: str) -> str:
    return f"{len(names):,} {what} ({', '.join(names[:3])}{', …' * (len(names) > 3)})"


def _read(path: str | os.PathLike) -> dict[str, Row]:
    where = os.fspath(path)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in ("source", "split") if name not in (reader.fieldnames or ())]
            if missing:
                raise SourceError(
                    f"{where} has no column {' and no column '.join(missing)}; its first line must name them"
                )
            rows = [
                (line["source"], line.get("label") or "", line["split"] or "", line.get("digest") or "")
                for line in reader
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{where} cannot be read as a csv of splits: {error}") from error
    for name, _, split, _ in rows:
        if split not in (*SPLITS, UNREADABLE):
            raise SourceError(f"{where} gives {name} the split {split!r}; {suggestion(split, SPLITS)}")
    given = {row[0]: row for row in rows}
    if len(given) < len(rows):
        raise SourceError(f"{where} names {len(rows) - len(given):,} images more than once")
    return given
