"""Durable files: a reader finds the old content or the new, whole, whatever happens in between.

Open to every room, as `errors` is: packs, checkpoints and runs are all written by the one function here.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from striate.errors import StriateError

PARTIAL = ".partial"
"""The ending of a file that is still being written; one that is left over was never finished."""


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, would survive a power loss."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def replacing(path: Path, needed: int = 0) -> Iterator[Path]:
    """A temporary path beside `path`, to be written in the block; it takes the name of `path` at the block's end.

    What stands at the temporary path is synced, renamed, and the folder synced; when the block fails it is removed.
    (Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014, section 4: rename needs both syncs.)

    Raises:
        StriateError: the folder cannot be written, or the disk is full; says how much was needed. The old
            file is then as it was.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
        sync(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise explain(error, path, needed) from error
        raise


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that after a crash at any instant it is the old one or the new one, never a part.

    Raises:
        StriateError: as `replacing` does.
    """
    with replacing(path, len(content)) as partial:
        partial.write_bytes(content)


def write_json(path: Path, content: object) -> None:
    """Write a JSON document atomically, indented, keys in the order given; NaN is refused.

    Bytes of a file name that are not UTF-8 become the escapes of JSON that read back to them.
    """
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(path, (text + "\n").encode("utf8", errors="backslashreplace"))


def explain(error: OSError, path: Path, needed: int) -> StriateError:
    """The error of the operating system in words for the person whose disk it is."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        free = shutil.disk_usage(existing_parent(path)).free
        sizes = f"{needed:,} bytes were needed, {free:,} are free" if needed else f"{free:,} bytes are free"
        return StriateError(
            f"No space left for {path}: {sizes}. "
            "What was there before is untouched; free some space and run the same command again."
        )
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return StriateError(f"No permission to write {path}. Choose a folder that you may write to.")
    if error.errno in {errno.ENOTDIR, errno.EEXIST, errno.EISDIR}:
        return StriateError(
            f"{path} cannot be written: a file stands where a folder is needed, or the reverse."
        )
    return StriateError(f"{path} could not be written: {error.strerror or error}.")


def existing_parent(path: Path) -> Path:
    """The nearest folder above a path that exists."""
    return next(folder for folder in path.absolute().parents if folder.exists())


def remove_partials(folder: Path) -> None:
    """Remove what a killed process left half written in a folder."""
    for leftover in folder.glob(f".*{PARTIAL}"):
        leftover.unlink(missing_ok=True)
