"""Pictures inside parquet files, as Hugging Face keeps data sets, as a source."""

import os
from array import array
from collections.abc import Iterator, Sequence
from functools import partial
from io import BufferedIOBase
from typing import Any

import numpy as np
from jaxtyping import Int64

from striate.data.sources.inflated import HiddenFile
from striate.data.sources.kinds import is_text, leads_out
from striate.data.sources.layout import refuse_single_class
from striate.data.sources.order import natural_order
from striate.data.sources.parquet import Sheet, read_group, read_sheet, text_columns
from striate.data.sources.pictures import PictureSource
from striate.data.sources.rows import checked_groups, checked_labels, checked_splits
from striate.data.sources.stored import alike, ordered
from striate.data.sources.tables import Table
from striate.data.sources.webdataset import split_of
from striate.errors import ImageError, SourceError

SCATTERED_BYTES = 256 << 20
"""Above this, row groups that would be read again and again are unrolled into a temporary file instead."""


class ParquetSource(PictureSource):
    """Pictures in a column `image` of {bytes, path}, or of bytes, beside `label`, in one file or several.

    Bytes are read a row group at a time, and only when a picture is wanted. Names are the pictures' own paths
    when each has one of its own, else `row-000001`, counted through all files. Files whose names begin with a
    split (`train-00000-of-00002.parquet`) are ready splits, unless there is a column `split`.
    """

    def __init__(self, location: str | os.PathLike, paths: Sequence[str] = ()) -> None:
        self.location = os.path.abspath(location)
        self._paths = [os.path.abspath(path) for path in paths] or [self.location]
        self.parts, self.notes = {}, []
        sheets = [read_sheet(path, number) for number, path in enumerate(self._paths)]
        for sheet in sheets[1:]:
            if set(sheet.values) != set(sheets[0].values):
                raise SourceError(f"{self.location}: {sheet.path} has other columns than {sheets[0].path}")
        table = _joined(sheets)
        self.columns = table.columns
        names = self._named([path for sheet in sheets for path in sheet.paths])
        order = natural_order(names)
        self._order = np.array(order, dtype=np.int64)
        self.names = [names[row] for row in order]
        self.labels = ordered(checked_labels(table, self.location), order)
        refuse_single_class(set(self.labels or ()), self.location)
        self.groups = ordered(checked_groups(table, self.location), order)
        self.splits = ordered(checked_splits(table, self.location) or _splits(sheets), order)
        self._places = np.concatenate([sheet.places for sheet in sheets])[order]
        self.stamps = np.concatenate([sheet.stamps for sheet in sheets])[order]
        self.notes += alike(self.names)
        self._rows: dict[str, int] | None = None
        self._read: dict[tuple[int, int], Any] = {}
        self._unrolled: HiddenFile | None = None
        if self._is_scattered():
            self._unroll()

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_rows": None, "_read": {}}

    def file_bytes(self, file: str) -> bytes:
        """The bytes of one picture; ImageError gives the reason alone."""
        if self._rows is None:
            self._rows = {name: row for row, name in enumerate(self.names)}
        row = self._rows.get(file)
        if row is None:
            raise ImageError(f"there is no row {file!r} in {self.location}")
        if self._unrolled is not None:
            start, end = self._ends[self._order[row]], self._ends[self._order[row] + 1]
            data = self._unrolled.read(int(start), int(end - start)) or None
        else:
            number, group, place = self._places[row].tolist()
            data = self._group(number, group)[place].as_py()
        if data is None:
            raise ImageError("its row of the table holds no bytes")
        return data

    def column(self, name: str) -> list[str]:
        """One text an image from a column of the table; SourceError where there is no such column."""
        if name not in self.columns:
            return super().column(name)
        texts: list[str] = []
        for path in self._paths:
            texts.extend(text_columns(path, path, lambda columns, _: {"": columns.index(name)})[1][""])
        return [texts[row] for row in self._order.tolist()]

    def _named(self, paths: list[str]) -> list[str]:
        if all(paths) and len(set(paths)) == len(paths) and not any(map(_is_unfit, paths)):
            return paths
        if any(paths):
            self.notes.append("the paths in the table are missing or not distinct; rows are named by number")
        width = max(6, len(str(len(paths))))
        return [f"row-{number:0{width}d}" for number in range(1, len(paths) + 1)]

    def _group(self, number: int, group: int) -> Any:
        """The pictures' bytes of one row group: the last one read is kept, since rows are read in turn."""
        column = self._read.get((number, group))
        if column is None:
            self._read = {}  # two row groups need not be in memory at once
            column = read_group(self._paths[number], group)
            self._read = {(number, group): column}
        return column

    def _is_scattered(self) -> bool:
        """Whether reading in the order of names would go back to row groups already left, in a large table."""
        groups = self._places[:, 0] << 32 | self._places[:, 1]
        turns = np.count_nonzero(np.diff(groups))
        large = sum(os.path.getsize(path) for path in self._paths) > SCATTERED_BYTES
        return bool(large and turns >= 2 * len(np.unique(groups)))

    def _unroll(self) -> None:
        sizes = array("q", [0])
        groups = sorted({(number, group) for number, group, _ in self._places.tolist()})
        for number, group in groups:
            sizes.extend(map(len, _bytes_of(self._paths[number], group)))
        self._ends: Int64[np.ndarray, " end"] = np.cumsum(np.array(sizes, dtype=np.int64))
        self._unrolled = HiddenFile(
            partial(unroll, [(self._paths[number], group) for number, group in groups])
        )


def unroll(groups: Sequence[tuple[str, int]], target: BufferedIOBase) -> None:
    """Writes the pictures of some row groups one after the other."""
    for path, group in groups:
        target.writelines(_bytes_of(path, group))


def _bytes_of(path: str, group: int) -> Iterator[bytes]:
    return (value.as_py() or b"" for value in read_group(path, group))


def _is_unfit(path: str) -> bool:
    return leads_out(path) or not is_text(path) or len(path) > 4096


def _joined(sheets: Sequence[Sheet]) -> Table:
    values = {role: [text for sheet in sheets for text in sheet.values[role]] for role in sheets[0].values}
    rows = sum(len(sheet.places) for sheet in sheets)
    return Table(sheets[0].columns, values, array("q", range(1, rows + 1)), "row")


def _splits(sheets: Sequence[Sheet]) -> list[str] | None:
    """The splits that the files' names begin with, when all do and one of several is for training."""
    found = [split_of(os.path.basename(sheet.path).rpartition(".")[0]) for sheet in sheets]
    if None in found or len(set(found)) < 2 or "train" not in found:
        return None
    return [split or "" for split, sheet in zip(found, sheets, strict=True) for _ in sheet.paths]
