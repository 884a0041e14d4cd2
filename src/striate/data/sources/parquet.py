"""Parquet through pyarrow: columns as texts, and where a table that holds the pictures themselves keeps them."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int64

from striate.data.sources.tables import plain_text, roles_in
from striate.errors import ImageError, SourceError
from striate.pixels.limits import limits

IMAGE_COLUMNS = ("image", "img", "bytes", "picture", "jpg", "png")
_BATCH = 1 << 16


def text_columns(
    stream: Any, location: str, wanted: Callable[[Sequence[str], str], dict[str, int]]
) -> tuple[list[str], dict[str, list[str]]]:
    """All columns' names, and the wanted ones as texts; class numbers become the class names of the schema."""
    file = opened(stream, location)
    columns = list(file.schema_arrow.names)
    roles = wanted(columns, location)
    names = {role: columns[index] for role, index in roles.items()}
    return columns, _texts(file, names, location)


def opened(stream: Any, location: str) -> Any:
    """An open parquet file; SourceError for what is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(stream)
    except (OSError, pa.ArrowException, MemoryError) as error:
        raise SourceError(f"{location} is no parquet file that can be read: {_first_line(error)}") from error


def image_column(file: Any) -> tuple[str, str] | None:
    """The column of encoded pictures and that of their paths ('' for none), or None for a table of texts.

    Hugging Face's is a struct of bytes and path; a column of plain bytes by one of the usual names is taken too.
    """
    import pyarrow as pa

    for column in file.schema_arrow:
        if pa.types.is_struct(column.type) and column.type.get_field_index("bytes") >= 0:
            has_path = column.type.get_field_index("path") >= 0
            return f"{column.name}.bytes", f"{column.name}.path" if has_path else ""
    for name in IMAGE_COLUMNS:
        index = file.schema_arrow.get_field_index(name)
        if index >= 0 and _is_binary(file.schema_arrow.field(index).type):
            return name, ""
    return None


def holds_pictures(path: str) -> bool:
    """Whether a parquet file has a column of encoded pictures."""
    return image_column(opened(path, path)) is not None


@dataclass
class Sheet:
    """One parquet file with pictures: its columns that have a role, and the place of every row.

    `places` are the file's number, the row group and the row in it; `paths` are empty where there are none.
    """

    path: str
    columns: tuple[str, ...]
    values: dict[str, list[str]]
    paths: list[str]
    places: Int64[np.ndarray, "row place"]
    stamps: Int64[np.ndarray, "row field"]


def read_sheet(path: str, number: int) -> Sheet:
    """What a file says about its pictures, without their bytes."""
    file = opened(path, path)
    found = image_column(file)
    if found is None:
        raise SourceError(f"{path} has no column of pictures: it has {', '.join(file.schema_arrow.names)}")
    image, path_column = found
    columns = [name for name in file.schema_arrow.names if name != image.split(".")[0]]
    roles = {role: columns[index] for role, index in roles_in(columns).items() if index is not None}
    if roles.pop("file", "") and not path_column:
        path_column = columns[roles_in(columns)["file"] or 0]
    values = _texts(file, roles, path)
    sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    rows = sum(sizes)
    places = np.empty((rows, 3), dtype=np.int64)
    places[:, 0] = number
    places[:, 1] = np.repeat(np.arange(len(sizes)), sizes)
    places[:, 2] = np.concatenate([np.empty(0, np.int64), *map(np.arange, sizes)])
    status = os.stat(path)
    stamps = np.empty((rows, 4), dtype=np.int64)
    stamps[:] = status.st_size, status.st_mtime_ns, status.st_ctime_ns, 0
    stamps[:, 3] = np.arange(rows)
    paths = _texts(file, {"path": path_column}, path)["path"] if path_column else [""] * rows
    return Sheet(path, tuple(columns), values, paths, places, stamps)


def read_group(path: str, group: int) -> Any:
    """The encoded pictures of one row group, as an array of bytes; ImageError gives the reason alone."""
    import pyarrow as pa

    try:
        file = opened(path, path)
        column, _ = image_column(file) or ("", "")
        metadata = file.metadata.row_group(group)
        size = next(
            part.total_uncompressed_size
            for part in map(metadata.column, range(metadata.num_columns))
            if part.path_in_schema == column
        )
        most = limits().file_bytes
        if size > most:
            raise ImageError(
                f"its row group holds {size:,} bytes; the limit is {most:,} (STRIATE_MAX_FILE_BYTES raises it)"
            )
        table = file.read_row_group(group, columns=[column], use_threads=False)
    except (OSError, pa.ArrowException, MemoryError, SourceError, StopIteration, IndexError) as error:
        raise ImageError(f"its row group cannot be read: {_first_line(error)}") from error
    values = table.column(0).combine_chunks()
    return values.field("bytes") if pa.types.is_struct(values.type) else values


def _texts(file: Any, names: dict[str, str], location: str) -> dict[str, list[str]]:
    """Columns as texts by role; equal texts of a column that has few are one in memory."""
    import pyarrow as pa

    values: dict[str, list[str]] = {role: [] for role in names}
    classes = {name: _class_names(file, name) for name in names.values()}
    known: dict[str, str] = {}
    try:
        for batch in file.iter_batches(batch_size=_BATCH, columns=list(dict.fromkeys(names.values()))):
            for role, name in names.items():
                texts = _cells(batch, name, classes[name], location)
                values[role].extend(
                    texts if role in ("file", "path") else (known.setdefault(text, text) for text in texts)
                )
    except (OSError, pa.ArrowException, MemoryError) as error:
        raise SourceError(f"{location} is a damaged parquet file: {_first_line(error)}") from error
    return values


def _cells(batch: Any, name: str, classes: list[str] | None, location: str) -> Iterator[str]:
    import pyarrow as pa

    top, _, inner = name.partition(".") if name not in batch.schema.names else (name, "", "")
    column = batch.column(top)
    column = column.field(inner) if inner else column
    if pa.types.is_nested(column.type) or _is_binary(column.type):
        raise SourceError(f"{location}: the column {name} holds {column.type}, not one text or number a row")
    if classes is None:
        return map(plain_text, column.to_pylist())
    return (_class_name(value, classes, name, location) for value in column.to_pylist())


def _class_name(value: Any, classes: list[str], name: str, location: str) -> str:
    if value is None or value == -1:  # Hugging Face writes −1 where a label is withheld
        return ""
    if isinstance(value, int) and 0 <= value < len(classes):
        return classes[value]
    raise SourceError(f"{location}: the column {name} holds {value!r}, and there are {len(classes)} classes")


def _class_names(file: Any, name: str) -> list[str] | None:
    """The names of a class number's values, where Hugging Face's metadata of the schema give them."""
    try:
        told = json.loads((file.schema_arrow.metadata or {})[b"huggingface"])
        names = told["info"]["features"][name]["names"]
    except (KeyError, ValueError, TypeError):
        return None
    whole = isinstance(names, list) and all(isinstance(each, str) for each in names)
    return names if whole else None


def _is_binary(kind: Any) -> bool:
    import pyarrow as pa

    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
