"""Where packs are kept, and how a folder appears there whole or not at all."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from striate.errors import StriateError
from striate.files import sync

BUILDING = ".building"


def cache_root() -> Path:
    """$STRIATE_CACHE, or striate in $XDG_CACHE_HOME, or ~/.cache/striate."""
    given = os.environ.get("STRIATE_CACHE")
    if given:
        return Path(given).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser().absolute() / "striate"


@contextmanager
def build_lock(final: Path) -> Iterator[None]:
    """Held by the one process that builds `final`; a second one waits. Makes the parent folder if need be."""
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        lock = open(final.with_suffix(".lock"), "a")  # noqa: SIM115 (held by the block below)
    except OSError as error:
        raise StriateError(
            f"the cache folder {final.parent} cannot be written ({error.strerror}); "
            "set STRIATE_CACHE to a folder that can"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def build_folder(final: Path) -> Iterator[Path]:
    """An empty folder beside `final` that becomes it at the end of the block, or vanishes if the block fails.

    The caller holds the lock. Whatever killed processes left half-built is removed first.
    """
    _sweep(final.parent, mine=final)
    building = final.with_suffix(BUILDING)
    try:
        building.mkdir()
        yield building
        if final.exists():  # damaged, or it would not be built again
            shutil.rmtree(final)
        for path in (*building.iterdir(), building):
            sync(path)
        building.rename(final)
        sync(final.parent)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def _sweep(folder: Path, mine: Path) -> None:
    """Removes folders that no living process is building: its own, and those whose lock is free."""
    for leftover in folder.glob(f"*{BUILDING}"):
        if leftover.stem == mine.name:
            shutil.rmtree(leftover, ignore_errors=True)
            continue
        with open(leftover.with_suffix(".lock"), "a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(leftover, ignore_errors=True)
