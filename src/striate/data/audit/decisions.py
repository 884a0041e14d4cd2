"""An audit's table after a person has been over it: what is dropped, what is relabelled."""

import csv
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int

from striate.data.audit.finding import plural
from striate.data.audit.table import COLUMNS, plain
from striate.data.images import Images
from striate.data.sources.layout import natural_key
from striate.errors import SourceError, suggestion

ACTIONS = ("drop", "relabel")
NEEDED = ("source", "action")


@dataclass(frozen=True)
class Decision:
    """What a line of the table asks for."""

    line: int
    action: str
    new_label: str

    def __str__(self) -> str:
        return f"{self.action} as {self.new_label}" if self.new_label else self.action


def apply_decisions(
    images: Images, path_or_bytes: str | os.PathLike | bytes, *, naming: Callable[[str], str] = str
) -> Images:
    """The images without those marked `drop`, and with the labels given to those marked `relabel`.

    Takes an audit.csv as it was written or as a spreadsheet saved it: with or without a byte order mark, commas,
    semicolons or tabs, any line ends. Lines without an action ask for nothing; an image may be decided on in several
    lines if they agree. `naming` is that of the audit. Raises SourceError, with the line, for an unknown action or
    image, a missing or needless new label, and lines that contradict each other.
    """
    where = "audit.csv" if isinstance(path_or_bytes, bytes) else os.fspath(path_or_bytes)
    decided = _decided(_rows(_text(path_or_bytes, where), where), where)
    gone = {naming(name) for name, _ in (*images.unreadable, *images.dropped)}
    position = {naming(name): index for index, name in enumerate(images.names)} if decided else {}
    keep, labels = np.ones(len(images), bool), images.labels.copy()
    classes = list(images.classes)
    numbers = {name: number for number, name in enumerate(classes)}
    for name, decision in decided.items():
        if name not in position and name not in gone:
            raise SourceError(
                f"{where}, line {decision.line}: there is no image {name!r} in {images.source.location}; "
                "leave the column source as it was written"
            )
        if name in gone:
            _refuse_relabelling(name, decision, where)
            continue
        if decision.action == "drop":
            keep[position[name]] = False
        else:
            labels[position[name]] = numbers.setdefault(decision.new_label, len(numbers))
    return _applied(images, keep, labels, tuple(numbers), where)


def _applied(
    images: Images,
    keep: Bool[np.ndarray, " image"],
    labels: Int[np.ndarray, " image"],
    classes: tuple[str, ...],
    where: str,
) -> Images:
    dropped, changed = int((~keep).sum()), int((labels != images.labels)[keep].sum())
    if not keep.any():
        raise SourceError(f"{where} drops all {len(images):,} images; nothing would be left")
    names = [classes[label] for label in labels.tolist()]
    present = sorted({name for name, kept in zip(names, keep.tolist(), strict=True) if kept}, key=natural_key)
    number = {name: index for index, name in enumerate(present)}
    renumbered = np.array([number.get(name, 0) for name in names], dtype=images.labels.dtype)
    out = np.flatnonzero(~keep).tolist()
    listed = images.names if out else []
    left = tuple((listed[index], "dropped by the audit") for index in out)
    said = f"{os.path.basename(where)}: {plural(dropped, 'image')} dropped, {plural(changed, 'image')} relabelled"
    table = replace(images, labels=renumbered, classes=tuple(present)).select(keep)
    return replace(table, dropped=(*images.dropped, *left), notes=(*images.notes, said))


def _refuse_relabelling(name: str, decision: Decision, where: str) -> None:
    """Files that cannot be read have no part in anything: dropping them changes nothing, a label is a mistake."""
    if decision.action == "relabel":
        raise SourceError(
            f"{where}, line {decision.line}: {name!r} cannot be read or was dropped before, so it cannot be relabelled"
        )


def _decided(rows: Iterator[tuple[str, Decision]], where: str) -> dict[str, Decision]:
    decided: dict[str, Decision] = {}
    for name, decision in rows:
        before = decided.setdefault(name, decision)
        if (before.action, before.new_label) != (decision.action, decision.new_label):
            raise SourceError(
                f"{where}, lines {before.line} and {decision.line} contradict each other: "
                f"{name!r} is to {before} and to {decision}; keep one"
            )
    return decided


def _text(path_or_bytes: str | os.PathLike | bytes, where: str) -> str:
    try:
        if isinstance(path_or_bytes, bytes):
            data = path_or_bytes
        else:
            with open(path_or_bytes, "rb") as file:
                data = file.read()
    except OSError as error:
        raise SourceError(f"{where} cannot be read: {error.strerror}") from error
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise SourceError(f"{where} begins as UTF-16 and is not; save it as CSV UTF-8") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")  # what a spreadsheet on Windows calls CSV


def _rows(text: str, where: str) -> Iterator[tuple[str, Decision]]:
    """Image and decision of every line that has an action."""
    lines = text.splitlines(keepends=True)
    skip = (
        1 if lines and lines[0].lower().startswith("sep=") else 0
    )  # how some spreadsheets name the separator
    head = lines[skip] if len(lines) > skip else ""
    separator = max(",;\t", key=head.count)
    reader = csv.DictReader(io.StringIO("".join(lines[skip:]), newline=""), delimiter=separator)
    try:
        columns = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
        _check_columns(columns, where)
        for row in reader:
            cells = {known: (row.get(name) or "") for known, name in columns.items()}
            decision = _decision(cells, reader.line_num + skip, where)
            if decision is not None:
                yield plain(cells["source"]), decision
    except csv.Error as error:
        raise SourceError(f"{where}, line {reader.line_num + skip}: {error}") from error


def _check_columns(columns: dict[str, str], where: str) -> None:
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise SourceError(
            f"{where} has no column {' and no column '.join(missing)}; its first line must be {','.join(COLUMNS)}"
        )


def _decision(cells: dict[str, str], line: int, where: str) -> Decision | None:
    action, label = cells["action"].strip().lower(), plain(cells.get("new_label", "").strip())
    if not action:
        if label:
            raise SourceError(
                f"{where}, line {line}: there is a new_label {label!r} but no action; write relabel beside it"
            )
        return None
    if action not in ACTIONS:
        raise SourceError(f"{where}, line {line}: unknown action {action!r}; {suggestion(action, ACTIONS)}")
    if action == "drop" and label:
        raise SourceError(
            f"{where}, line {line}: drop needs no new_label, but there is {label!r}; write one or the other"
        )
    if action == "relabel" and not label:
        raise SourceError(
            f"{where}, line {line}: relabel needs the class in the column new_label, and it is empty"
        )
    return Decision(line, action, label)
