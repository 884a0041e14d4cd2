"""One table of files read and checked: its rows taken apart into pictures, each with what its row says."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from io import BufferedIOBase

import numpy as np

from striate.data.sources.kinds import is_single, kind_of
from striate.data.sources.parts import Pictures, addressed, counted
from striate.data.sources.rows import checked_groups, checked_labels, checked_splits, distinct, relative_files
from striate.data.sources.stored import Rows
from striate.data.sources.stores import Store
from striate.data.sources.tables import FILE_COLUMNS, ROLES, form_of, read_column, read_table
from striate.errors import ImageError, SourceError

_HEADER_BYTES = 1 << 16


@dataclass
class Sheet:
    """A table in a store; its files are relative to `folder`, which ends in '/' or is empty."""

    store: Store
    table: str
    folder: str
    location: str
    form: str

    @classmethod
    def at(cls, store: Store, table: str) -> "Sheet":
        """The table of a name, its form told by its first bytes."""
        location = f"{store.location}/{table}"
        try:
            head = store.head(table)
        except ImageError as error:
            raise SourceError(f"{location} cannot be read: {error}") from None
        stem = table.rpartition("/")[0]
        return cls(store, table, f"{stem}/" if stem else "", location, form_of(table, head))

    def read(self) -> tuple[tuple[str, ...], Rows, list[str]]:
        """All columns' names, the pictures of the table, and what must be said about it."""
        table = read_table(self.opener(), self.form, self.location)
        if not table.values["file"]:
            raise SourceError(f"{self.location} has no rows below its header")
        files = relative_files(table, f"{self.store.location}/{self.folder}", self.location)
        columns = (
            checked_labels(table, self.location),
            checked_splits(table, self.location),
            checked_groups(table, self.location),
        )
        pictures = self._taken_apart(files)
        kept, notes = distinct(pictures.names, pictures.rows.tolist(), table, self.location)
        if len(kept) < len(pictures.names):
            pictures = _chosen(pictures, kept)
        rows = pictures.rows.tolist()
        held = [self.folder + pictures.parts.get(name, (name, 0))[0] for name in pictures.names]
        spread = [None if column is None else [column[row] for row in rows] for column in columns]
        return table.columns, Rows(pictures, self.store.stamps_of(held), *spread), notes

    def column(self, name: str) -> list[str]:
        """One column, row for row of the table."""
        return read_column(self.opener(), self.form, self.location, name)

    def opener(self) -> Callable[[], BufferedIOBase]:
        """What opens the table."""
        return partial(open_stored, self.store, self.table)

    def _taken_apart(self, files: Sequence[str]) -> Pictures:
        """Every picture that the rows name: whole files, single frames, and all frames of a file."""
        names: list[str] = []
        rows: list[int] = []
        numbers: list[int] = []
        parts: dict[str, tuple[str, int]] = {}
        known: dict[str, int] = {}
        for row, file in enumerate(files):
            if is_single(file):
                names.append(file)
                rows.append(row)
                numbers.append(0)
                continue
            held, wanted = (addressed(file) if "#" in file and not self._exists(file) else None) or (file, -1)
            images = 1
            if kind_of(held) in ("several", "unsure"):
                if held not in known:
                    known[held] = counted(held, lambda name: self.store.count(self.folder + name))
                images = known[held]
            if images == 1 and wanted <= 0:
                names.append(held)
                rows.append(row)
                numbers.append(0)
                continue
            for image in range(images) if wanted < 0 else (wanted,):
                names.append(f"{held}#{image + 1}")
                rows.append(row)
                numbers.append(image + 1)
                parts[names[-1]] = (held, image)
        return Pictures(names, np.array(rows, dtype=np.int64), np.array(numbers, dtype=np.int64), parts)

    def _exists(self, file: str) -> bool:
        return bool((self.store.stamps_of([self.folder + file]) >= 0).any())


def open_stored(store: Store, file: str) -> BufferedIOBase:
    """A file of a store as a stream."""
    try:
        path = store.path(file)
        return open(path, "rb") if path is not None else io.BytesIO(store.read(file))
    except ImageError as error:
        raise SourceError(f"{store.location}/{file} cannot be read: {error}") from None
    except OSError as error:
        raise SourceError(f"{store.location}/{file} cannot be read: {error.strerror}") from None


def names_files(store: Store, table: str) -> bool:
    """Whether a table of texts has a column of files and one of labels."""
    try:
        with open_stored(store, table) as stream:
            header = stream.readline(_HEADER_BYTES).decode("utf-8-sig").lower()
    except (SourceError, UnicodeDecodeError):
        return False
    words = set(header.replace(";", ",").replace("\t", ",").replace('"', "").strip().split(","))
    return bool(words & set(FILE_COLUMNS)) and bool(words & set(ROLES["label"]))


def _chosen(pictures: Pictures, kept: Sequence[int]) -> Pictures:
    names = [pictures.names[row] for row in kept]
    return Pictures(names, pictures.rows[kept], pictures.numbers[kept], pictures.parts)
