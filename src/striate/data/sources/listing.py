"""Pictures to predict on, from any mixture of files, folders, zips and tars, as a stream."""

import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from threading import Lock

from striate.data.sources.archive import Archive
from striate.data.sources.folder import first_bytes, walk
from striate.data.sources.inflated import is_tar
from striate.data.sources.kinds import is_text, kind_of
from striate.data.sources.parts import addressed, counted
from striate.data.sources.tars import TarStore
from striate.errors import ImageError
from striate.pixels.formats.endings import sniff
from striate.pixels.picture import Picture
from striate.pixels.reading import count_images, decode_picture, read_bytes

Reader = Callable[[], Picture]
Draft = tuple[int, int] | None


def list_pictures(paths: Iterable[str | os.PathLike], draft: Draft = None) -> Iterator[tuple[str, Reader]]:
    """Name and reader of every picture in files, folders (at any depth), zips and tars.

    A file of several pages or frames gives one row for each, `scan.dcm#1`, …; `scan.dcm#12` asks for one. A
    folder is held in memory one level at a time, a zip not at all. A path that is missing, or holds no picture,
    is yielded too: its reader raises ImageError with the reason, so it costs a row and not the rest. Raises
    SourceError for an archive with hostile members, before any of its pictures is yielded. `draft` is the height
    and width below which no JPEG may come.
    """
    for given in paths:
        path = os.fspath(given)
        empty = True
        for name, read in _pictures(path):
            empty = False
            yield name, partial(read, draft)
        if empty:
            yield path, partial(_refuse, "it holds no pictures")


@dataclass
class _File:
    """A file that may hold pictures: what it is called in an answer, and the ways to its bytes."""

    name: str
    read: Callable[[], bytes]
    head: Callable[[], bytes]
    count: Callable[[], int]


class _Shared:
    """The bytes of one file for all readers of its frames, read by whichever comes first."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read, self._lock = read, Lock()
        self._data: bytes | None = None

    def __call__(self) -> bytes:
        with self._lock:
            if self._data is None:
                self._data = self._read()
            return self._data


def _pictures(path: str) -> Iterator[tuple[str, Callable[[Draft], Picture]]]:
    if os.path.isdir(path):
        for file in _in_folder(path):
            if _is_picture(file):
                yield from _frames(file)
    elif os.path.isfile(path) and os.access(path, os.R_OK):
        members = _in_archive(path)
        if members is None:
            yield from _frames(_File(path, *_on_disk(path)))
            return
        for file in members:
            if _is_picture(file):
                yield from _frames(file)
    elif not os.path.lexists(path) and (found := addressed(path)) and os.path.isfile(found[0]):
        yield path, partial(_decode, partial(read_bytes, found[0]), found[1])
    else:
        yield path, partial(_decode, partial(read_bytes, path), 0)


def _in_folder(path: str) -> Iterator[_File]:
    for name, stamp, _ in walk(path):
        if stamp is not None:
            full = os.path.join(path, name)
            yield _File(full, *_on_disk(full))


def _on_disk(path: str) -> tuple[Callable[[], bytes], Callable[[], bytes], Callable[[], int]]:
    return partial(read_bytes, path), partial(first_bytes, path), partial(count_images, path)


def _in_archive(path: str) -> Iterator[_File] | None:
    """The files in a zip or a tar, None for another file; hostile members are found before the first is given."""
    if zipfile.is_zipfile(path):
        archive = Archive(path)
        for _ in archive.members():
            pass
        return (
            _File(
                f"{path}/{member.name}",
                partial(archive.read, member),
                partial(archive.head, member),
                partial(_count, partial(archive.read, member)),
            )
            for member in archive.members()
            if is_text(member.name)
        )
    if is_tar(path):
        store = TarStore(path)
        return (
            _File(
                f"{path}/{name}",
                partial(store.read, name),
                partial(store.head, name),
                partial(store.count, name),
            )
            for name in store.listing().files
        )
    return None


def _is_picture(file: _File) -> bool:
    kind = kind_of(file.name)
    try:
        return kind in ("picture", "several") or (kind == "unsure" and sniff(file.head()) is not None)
    except ImageError:
        return False


def _frames(file: _File) -> Iterator[tuple[str, Callable[[Draft], Picture]]]:
    """One row for a file, or one for each of its pages or frames."""
    images = 1
    if kind_of(file.name) in ("several", "unsure"):
        images = counted(file.name, lambda _: file.count())
    if images == 1:
        yield file.name, partial(_decode, file.read, 0)
        return
    shared = _Shared(file.read)
    for image in range(images):
        yield f"{file.name}#{image + 1}", partial(_decode, shared, image)


def _count(read: Callable[[], bytes]) -> int:
    return count_images(read())


def _decode(read: Callable[[], bytes], image: int, draft: Draft) -> Picture:
    return decode_picture(read(), image, draft=draft)


def _refuse(reason: str) -> Picture:
    raise ImageError(reason)
