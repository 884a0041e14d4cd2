"""Pictures to predict on, from any mixture of files, folders and zips, as a stream."""

import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from striate.data.archive import Archive, Member, left_out_reason
from striate.data.folder import walk
from striate.errors import ImageError
from striate.pixels.reading import ImageArray, decode_image, read_bytes

Reader = Callable[[], ImageArray]


def list_pictures(paths: Iterable[str | os.PathLike]) -> Iterator[tuple[str, Reader]]:
    """Name and reader of every picture in files, folders (at any depth) and zips.

    A folder is held in memory one level at a time, an archive not at all. A path that is missing, or holds no
    picture, is yielded too: its reader raises ImageError with the reason, so it costs a row and not the rest.
    Raises SourceError for an archive with hostile members, before any of its pictures is yielded.
    """
    for given in paths:
        path = os.fspath(given)
        if os.path.isdir(path):
            pictures = _in_folder(path)
        elif os.path.isfile(path) and os.access(path, os.R_OK) and zipfile.is_zipfile(path):
            pictures = _in_archive(path)
        else:
            pictures = iter([(path, partial(_read_file, path))])
        empty = True
        for picture in pictures:
            empty = False
            yield picture
        if empty:
            yield path, partial(_refuse, "it holds no pictures")


def _in_folder(path: str) -> Iterator[tuple[str, Reader]]:
    for name, stamp, _ in walk(path):
        if stamp is not None:
            full = os.path.join(path, name)
            yield full, partial(_read_file, full)


def _in_archive(path: str) -> Iterator[tuple[str, Reader]]:
    archive = Archive(path)
    for _ in archive.members():
        pass  # a hostile member is found before the first row is handed out
    for member in archive.members():
        if left_out_reason(member.name) is None:
            yield f"{path}/{member.name}", partial(_read_member, archive, member)


def _read_file(path: str) -> ImageArray:
    return decode_image(read_bytes(path))


def _read_member(archive: Archive, member: Member) -> ImageArray:
    return decode_image(archive.read(member))


def _refuse(reason: str) -> ImageArray:
    raise ImageError(reason)
