"""The folder of a cross-validation while it is being made: taken by one process, gone on with only as what it is."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from striate.classifier.workplace import LOCK, PLAN, take
from striate.errors import RunError, UsageError
from striate.files import remove_partials, write_json
from striate.run import FILES, MANIFEST, is_finished, read_json
from striate.training.checkpoint import CheckpointFolder

RESULTS = ("folds.json", "predictions.csv", "folds.html", "review.csv", "review.html")


def fold_folder(folder: Path, number: int) -> Path:
    """Where the run of a fold goes, counted from 1."""
    return folder / f"fold-{number}"


@contextlib.contextmanager
def folds_place(folder: Path, folds: int, *, resume: bool) -> Iterator[None]:
    """Holds the folder for the block; what a failure left of it before the first step of training is removed.

    Raises:
        RunError: the folder holds something else, or a cross-validation that was not asked to be gone on with; or
            another process is at work in it. UsageError: it was begun with another number of folds.
    """
    made = not folder.exists()
    lock = take(folder)
    try:
        require_usable(folder, folds, resume=resume)
        remove_partials(folder)
        write_json(folder / PLAN, {"folds": folds})
        yield
    finally:
        if made and {path.name for path in folder.iterdir()} <= {LOCK, PLAN}:
            (folder / PLAN).unlink(missing_ok=True)
            (folder / LOCK).unlink()
            folder.rmdir()
        lock.close()


def require_usable(folder: Path, folds: int, *, resume: bool) -> None:
    """Refuse a folder where anything would be overwritten, or gone on with as what it is not."""
    planned = (folder / PLAN).exists()
    if not planned:
        others = (
            *FILES,
            MANIFEST,
            "checkpoint",
            *RESULTS,
            *(fold_folder(folder, one).name for one in range(1, folds + 1)),
        )
        found = sorted(name for name in others if (folder / name).exists())
        if found:
            raise RunError(
                f"{folder} holds {', '.join(found)} already, and not from a cross-validation begun there. "
                "Choose another folder with --out."
            )
    elif not resume and begun(folder):
        raise RunError(
            f"{folder} holds a cross-validation already. Choose another folder with --out, or go on with it by "
            "--resume."
        )
    elif begun(folder):
        before = read_json(folder / PLAN).get("folds")
        if before != folds:
            raise UsageError(
                f"--resume: {folder} was begun with {before} folds, and {folds} are asked for. Resume with "
                f"--folds {before}, or train into another folder with --out."
            )


def begun(folder: Path) -> bool:
    """Whether any fold has taken a step that would be lost."""
    return any(
        is_finished(fold) or CheckpointFolder(fold / "checkpoint").generations()
        for fold in folder.glob("fold-*")
    )
