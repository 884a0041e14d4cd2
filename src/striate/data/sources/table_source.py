"""Pictures named by the rows of a table, beside the table or in the same archive."""

import os
from collections.abc import Sequence
from itertools import chain

import numpy as np

from striate.data.sources.folder import FolderStore
from striate.data.sources.layout import SPLIT_FOLDERS, read_layout, refuse_single_class
from striate.data.sources.order import natural_key
from striate.data.sources.parquet import holds_pictures
from striate.data.sources.parquet_pictures import ParquetSource
from striate.data.sources.parts import Pictures
from striate.data.sources.pictures import PictureSource
from striate.data.sources.sheet import Sheet
from striate.data.sources.stored import Rows, StoredPictures, alike
from striate.data.sources.stores import Store
from striate.data.sources.tables import ROLES
from striate.errors import SourceError


class TableSource(StoredPictures):
    """Rows of `file, label[, group][, split]` in csv, tsv, JSON lines or parquet, and the files that they name.

    Paths are relative to the table's folder. `scan.dcm#12` is a frame of a file; without a number all frames of
    a file have its label. Rows whose file is missing stay: why it cannot be read is told where it is decoded.
    Every other column is kept in the table and read again when `column` asks for it. A table in each split
    folder (`train/metadata.csv`, `test/metadata.csv`) makes one source; a table without labels takes those of
    the class folders.
    """

    def __init__(self, store: Store, tables: Sequence[str], location: str | None = None) -> None:
        self.store = store
        self._sheets = [Sheet.at(store, table) for table in sorted(tables, key=natural_key)]
        self.prefix = _common([sheet.folder for sheet in self._sheets])
        # A table in an archive has no path of its own that it could be opened by again: the archive has.
        alone = len(tables) == 1 and isinstance(store, FolderStore)
        self.location = location or (self._sheets[0].location if alone else store.location)
        read = [sheet.read() for sheet in self._sheets]
        self.columns = tuple(name for name in read[0][0] if all(name in columns for columns, _, _ in read))
        rows = self._joined([rows for _, rows, _ in read])
        if rows.labels is None:
            self._take_folders(rows)
        refuse_single_class(set(rows.labels or ()), self.location)
        counts = [len(rows.pictures.names) for _, rows, _ in read]
        order = self.arrange(rows)
        self._places = np.column_stack([np.repeat(np.arange(len(counts)), counts), rows.pictures.rows])[order]
        self.notes = [note for _, _, notes in read for note in notes] + alike(self.names)

    def column(self, name: str) -> list[str]:
        """One text an image from a column of the table; SourceError where there is no such column."""
        if name not in self.columns:
            return super().column(name)
        texts = [sheet.column(name) for sheet in self._sheets]
        try:
            return [texts[sheet][row] for sheet, row in self._places.tolist()]
        except IndexError:
            raise SourceError(f"{self.location} has changed since it was opened; open it again") from None

    def _joined(self, found: Sequence[Rows]) -> Rows:
        """The rows of all tables in one, files relative to the folder that holds all tables."""
        if len(found) == 1:
            return found[0]
        names: list[str] = []
        parts: dict[str, tuple[str, int]] = {}
        for sheet, rows in zip(self._sheets, found, strict=True):
            base = sheet.folder[len(self.prefix) :]
            names.extend(base + name for name in rows.pictures.names)
            parts.update(
                (base + name, (base + file, image)) for name, (file, image) in rows.pictures.parts.items()
            )
        if len(set(names)) < len(names):
            raise SourceError(
                f"{self.location} has several tables ({self._tables()}) that name the same files"
            )
        pictures = Pictures(
            names,
            np.concatenate([rows.pictures.rows for rows in found]),
            np.concatenate([rows.pictures.numbers for rows in found]),
            parts,
        )
        stamps = np.concatenate([rows.stamps for rows in found])
        labels = _together([rows.labels for rows in found])
        splits = _together([rows.splits for rows in found]) or self._split_folders(found)
        return Rows(pictures, stamps, labels, splits, _together([rows.groups for rows in found]))

    def _split_folders(self, found: Sequence[Rows]) -> list[str] | None:
        """The split that each table's own folder is called after, when all are."""
        own = [sheet.folder[len(self.prefix) :].split("/", 1)[0].lower() for sheet in self._sheets]
        splits = [SPLIT_FOLDERS.get(folder) for folder in own]
        if None in splits or "train" not in splits:
            return None
        return [split or "" for split, rows in zip(splits, found, strict=True) for _ in rows.pictures.names]

    def _take_folders(self, rows: Rows) -> None:
        try:
            layout = read_layout(rows.pictures.names, self.location, look_through=self.store.look_through)
        except SourceError:
            raise SourceError(
                f"{self.location} has no labels: it has the columns {', '.join(self.columns)}; "
                f"one must be called {', '.join(ROLES['label'][:-1])} or {ROLES['label'][-1]}"
            ) from None
        rows.labels = layout.labels
        rows.splits = rows.splits or layout.splits

    def _tables(self) -> str:
        return ", ".join(sheet.table for sheet in self._sheets)


def open_table(path: str | os.PathLike) -> PictureSource:
    """The pictures that a table on disk names, or holds."""
    location = os.path.abspath(path)
    folder, name = os.path.split(location)
    store = FolderStore(folder)
    if Sheet.at(store, name).form == "parquet" and holds_pictures(location):
        return ParquetSource(location)
    return TableSource(store, (name,), location)


def _common(folders: Sequence[str]) -> str:
    """The folder that holds all of some folders, with its '/'."""
    common = os.path.commonpath([f"/{folder}" for folder in folders]).lstrip("/")
    return f"{common}/" if common else ""


def _together(columns: Sequence[Sequence[str] | None]) -> list[str] | None:
    """Columns one after the other; None unless all tables have it."""
    given = [column for column in columns if column is not None]
    return list(chain.from_iterable(given)) if len(given) == len(columns) else None
