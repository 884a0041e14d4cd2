"""A run looked at from outside while it trains: read only, nothing locked, nothing loaded."""

import json
import math
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.classifier.workplace import LOCK
from striate.errors import RunError, StriateError
from striate.run import HISTORY, MODEL, RECIPE, is_finished, read_json
from striate.training.checkpoint import CheckpointFolder, peek
from striate.training.history import Progress, Record, best_of
from striate.training.recipe import Recipe

MEASURES = ("loss", "accuracy", "images_per_s")
RECENT = 5
"""Epochs from which the length of the next ones is told."""
ALIVE = 300.0
"""Seconds without a new file after which a training counts as stopped, where the system does not say who holds a lock;
checkpoints are two minutes apart at most, and validation comes on top."""
LOCKS = Path("/proc/locks")


@dataclass(frozen=True, kw_only=True)
class TrainingProgress:
    """How far a run has come, as its folder tells.

    `state` is "not begun", "running", "interrupted" or "finished". `history` has a record an epoch, in order; what was
    not a finite number in it is None. `under_way` is the epoch that is not finished yet and how many images of it the
    last checkpoint has seen. `kept_epoch` is that of the weights that are kept, or would be if training ended now.
    `seconds_left` is told from the last five epochs, None where nothing is left or nothing is known; an early stop may
    end training sooner. `notes` say what could not be read.
    """

    state: str
    history: tuple[Record, ...] = ()
    epochs: int | None = None
    recipe: dict[str, Any] | None = None
    kept_epoch: int | None = None
    under_way: tuple[int, int] | None = None
    seconds_an_epoch: float | None = None
    seconds_left: float | None = None
    notes: tuple[str, ...] = ()


def training_progress(folder: str | Path) -> TrainingProgress:
    """How far the run in a folder has come, while `striate train --out FOLDER` works in it and afterwards.

    >>> training_progress("runs/not-there").state
    'not begun'

    Told from `history.jsonl` once there is one, and from the newest checkpoint before: an epoch appears as soon as it
    is saved. Whether a process trains there is told from the system's table of locks; one on another machine is not
    seen, and its run then is "interrupted" until it is finished. Nothing in the folder is written, and no lock taken.
    """
    folder = Path(folder)
    recipe = _recipe(folder)
    lines, notes = _lines(folder / HISTORY)
    saved, seen = _newest(folder / "checkpoint")
    history = _merged(lines, saved.history if saved else [])
    finished = is_finished(folder)
    state = (
        "finished"
        if finished
        else "running"
        if _held(folder)
        else "interrupted"
        if history or saved
        else "not begun"
    )
    epoch_seconds = [r["seconds"] for r in history[-RECENT:] if r["seconds"] is not None]
    length = statistics.median(epoch_seconds) if epoch_seconds else None
    epochs = recipe.epochs if recipe else None
    left = None
    if state == "running" and length is not None and epochs is not None:
        left = max((epochs - len(history)) * length - max(time.time() - seen, 0.0), 0.0)
    return TrainingProgress(
        state=state,
        history=tuple(history),
        epochs=epochs,
        recipe=recipe.model_dump() if recipe else None,
        kept_epoch=_kept(folder, recipe, history, finished=finished),
        under_way=_under_way(saved, recipe) if not finished else None,
        seconds_an_epoch=length,
        seconds_left=left,
        notes=notes,
    )


def _recipe(folder: Path) -> Recipe | None:
    try:
        return Recipe(**read_json(folder / RECIPE))
    except (StriateError, TypeError):
        return None


def _lines(path: Path) -> tuple[list[Record], tuple[str, ...]]:
    """The records of a file that may still be written: a last line without an end is left for later."""
    try:
        *whole, _ = path.read_bytes().split(b"\n")
    except OSError:
        return [], ()
    records = [_record(line) for line in whole if line.strip()]
    broken = records.count(None)
    note = f"{HISTORY}: lines that cannot be read are left out, {broken} of {len(records)}."
    return [record for record in records if record is not None], (note,) if broken else ()


def _record(line: bytes) -> Record | None:
    try:
        return cleaned(json.loads(line))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def cleaned(record: Record) -> Record:
    """A record with the fields that a curve needs, None for each number that is missing or not finite.

    >>> measured = {"loss": float("nan"), "accuracy": 0.5}
    >>> cleaned({"epoch": 2, "train": measured, "validation": measured})["train"]
    {'loss': None, 'accuracy': 0.5, 'images_per_s': None}

    KeyError or TypeError for what is no record.
    """
    epoch = record["epoch"]
    if not isinstance(epoch, int) or isinstance(epoch, bool) or epoch < 1:
        raise TypeError(f"epoch is {epoch!r}")
    sides = {
        side: {name: _finite(record[side].get(name)) for name in MEASURES} for side in ("train", "validation")
    }
    return {
        "epoch": epoch,
        **sides,
        "learning_rate": _finite(record.get("learning_rate")),
        "seconds": _finite(record.get("seconds")),
    }


def _finite(value: Any) -> float | int | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if number and math.isfinite(value) else None


def _newest(folder: Path) -> tuple[Progress | None, float]:
    """The newest checkpoint that can be read, and when it was written; one that vanishes meanwhile is passed over."""
    for path in reversed(CheckpointFolder(folder).generations()):
        try:
            return peek(path), path.stat().st_mtime
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None, time.time()


def _merged(lines: list[Record], saved: list[Record]) -> list[Record]:
    """One record an epoch, the later one of two, in order, up to the first epoch that is missing."""
    known = {record["epoch"]: record for record in (*map(cleaned, saved), *lines)}
    return list(_unbroken(known))


def _unbroken(known: dict[int, Record]) -> Iterator[Record]:
    epoch = 1
    while epoch in known:
        yield known[epoch]
        epoch += 1


def _under_way(saved: Progress | None, recipe: Recipe | None) -> tuple[int, int] | None:
    if saved is None or (recipe and saved.epoch >= recipe.epochs):
        return None
    return saved.epoch + 1, saved.running.images


def _kept(folder: Path, recipe: Recipe | None, history: list[Record], *, finished: bool) -> int | None:
    if finished:
        try:
            kept = read_json(folder / MODEL).get("kept_epoch")
        except RunError:
            kept = None
        return kept if isinstance(kept, int) else None
    if recipe and recipe.keep == "last":
        return history[-1]["epoch"] if history else None
    measured = [r for r in history if None not in (r["validation"]["accuracy"], r["validation"]["loss"])]
    best = best_of(measured)
    return best.epoch if best else None


def _held(folder: Path) -> bool:
    """Whether a process holds the folder's lock, without touching it."""
    try:
        lock = os.stat(folder / LOCK)
    except OSError:
        return False
    try:
        table = LOCKS.read_text(encoding="ascii", errors="replace")
    except OSError:
        return time.time() - _last_sign(folder) < ALIVE
    return any(_locks(line, lock.st_ino) for line in table.splitlines())


def _locks(line: str, inode: int) -> bool:
    """Whether a line of /proc/locks is a taken flock of this file: `1: FLOCK ADVISORY WRITE 708 00:1a:1234 0 EOF`.

    >>> taken = "1: FLOCK  ADVISORY  WRITE 708 00:1a:1234 0 EOF"
    >>> _locks(taken, 1234), _locks(taken, 234), _locks("1: -> FLOCK ADVISORY WRITE 9 0:1:1234 0 EOF", 1234)
    (True, False, False)
    """
    words = line.split()
    return len(words) > 5 and words[1] == "FLOCK" and words[5].rpartition(":")[2] == str(inode)


def _last_sign(folder: Path) -> float:
    files = [path for name in ("checkpoint", "tensorboard") for path in (folder / name).glob("*")]
    times = []
    for path in (folder / LOCK, *files):
        try:
            times.append(path.stat().st_mtime)
        except OSError:
            continue
    return max(times, default=0.0)
