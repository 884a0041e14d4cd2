"""A folder of class folders as a source."""

import os
from collections import Counter
from collections.abc import Iterator

import numpy as np

from striate.data.layout import is_clutter, is_picture, is_text, natural_key, read_layout
from striate.data.pictures import PictureSource
from striate.errors import SourceError
from striate.pixels.picture import Description
from striate.pixels.reading import describe_image, read_bytes


class FolderSource(PictureSource):
    """Pictures under `root/<class>/…` or `root/{train,validation,test}/<class>/…`.

    Links are followed to files inside the root only; other links, pipes, devices and files without the ending
    of a picture are left out, and the notes say so. Stamps are size and times of change of content and entry.
    """

    labels: list[str] | None
    splits: list[str] | None

    def __init__(self, location: str | os.PathLike) -> None:
        self.parts = {}
        self.location = os.path.abspath(location)
        left_out: Counter[str] = Counter()
        examples: dict[str, str] = {}
        found: dict[str, tuple[int, int, int]] = {}
        for name, stamp, reason in walk(self.location):
            if stamp is None:
                left_out[reason] += 1
                examples.setdefault(reason, name)
            else:
                found[name] = stamp
        ordered = sorted(found, key=natural_key)
        layout = read_layout(ordered, self.location, look_through=False)
        self.names, self.labels, self.splits = layout.names, layout.labels, layout.splits
        self.stamps = np.array([found[name] for name in ordered], dtype=np.int64)
        self.notes = layout.notes + left_out_notes(left_out, examples)
        self._root = os.path.join(self.location, layout.prefix)

    def file_bytes(self, file: str) -> bytes:
        """All bytes of one file; ImageError gives the reason alone."""
        return read_bytes(os.path.join(self._root, file))

    def describe(self, name: str) -> Description:
        """Size, channels and depth by the header alone."""
        return describe_image(os.path.join(self._root, name))


def walk(root: str) -> Iterator[tuple[str, tuple[int, int, int] | None, str]]:
    """Every file under a folder: (name, stamp, "") or (name, None, why it is left out), folder by folder."""
    real_root = os.path.realpath(root)
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        inner: list[str] = []
        for entry in _entries(root, folder):
            name = folder + entry.name
            if is_clutter(entry.name):
                continue
            if not is_text(name):
                yield name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"), None, BAD_NAME
            elif entry.is_dir(follow_symlinks=False):
                inner.append(name + "/")
            else:
                yield name, *_stamp(entry, real_root)
        waiting.extend(reversed(inner))


OUTSIDE = "a link that leaves the folder or loops"
NOT_A_FILE = "a pipe or a device"
NOT_A_PICTURE = "without a picture's ending"
BAD_NAME = "with a name that is not valid UTF-8"


def _entries(root: str, folder: str) -> list[os.DirEntry[str]]:
    path = os.path.join(root, folder)
    try:
        with os.scandir(path) as entries:
            return sorted(entries, key=lambda entry: natural_key(entry.name))
    except PermissionError:
        raise SourceError(f"there is no permission to list the folder {path}") from None
    except OSError as error:
        raise SourceError(f"the folder {path} cannot be listed: {error.strerror}") from error


def _stamp(entry: os.DirEntry[str], real_root: str) -> tuple[tuple[int, int, int] | None, str]:
    if entry.is_symlink():
        target = os.path.realpath(entry.path)
        inside = os.path.commonpath([target, real_root]) == real_root
        if not inside or not os.path.isfile(target):
            return None, OUTSIDE
    if not entry.is_file():
        return None, NOT_A_FILE
    if not is_picture(entry.name):
        return None, NOT_A_PICTURE
    status = entry.stat()
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns), ""


def left_out_notes(left_out: Counter[str], examples: dict[str, str]) -> list[str]:
    """One sentence for each reason why files were left out.

    >>> left_out_notes(Counter({"a pipe or a device": 2}), {"a pipe or a device": "cat/fifo"})
    ['2 files left out, a pipe or a device: cat/fifo, …']
    """
    return [
        f"{count:,} file{'s' * (count > 1)} left out, {reason}: {examples[reason]}{', …' * (count > 1)}"
        for reason, count in left_out.items()
    ]
