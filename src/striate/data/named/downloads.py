"""Data known by name: downloaded when asked, verified, kept among the user's data, prepared as the courses do.

They are kept in the folder that outlives a cache (`striate.data.home`). Nothing but `download_data` uses the network.
"""

import os
from pathlib import Path

from striate.data.home import home_folder
from striate.data.named.fetching import ByteProgress, NotFetchedError, fetch, held, recorded, verify
from striate.data.named.registry import REGISTRY, NamedData, NamedFile, entry_of
from striate.data.sources.door import Source, open_source
from striate.errors import SourceError

NAMES = tuple(REGISTRY)
"""The names of all data that can be downloaded."""


def named_folder(name: str) -> Path:
    """The folder in which the data of that name are kept, whether they are there or not."""
    return home_folder() / entry_of(name).name


def named_data() -> tuple[NamedData, ...]:
    """What is known of all data that can be downloaded: title, files, licence, paper.

    >>> [entry.name for entry in named_data()][:3]
    ['mnist', 'fashion-mnist', 'cifar10']
    """
    return tuple(REGISTRY.values())


def is_downloaded(name: str, folder: Path | None = None) -> bool:
    """Whether every file of the data lies there and has been verified."""
    folder = folder or named_folder(name)
    known = recorded(folder)
    return all(file.name in known and (folder / file.name).is_file() for file in entry_of(name).files)


def download_data(
    name: str,
    folder: str | os.PathLike | None = None,
    *,
    progress: ByteProgress | None = None,
    base_url: str | None = None,
) -> Path:
    """The folder with the files of some named data, fetched if need be and verified; the second time from disk.

    `folder` is `named_folder(name)` unless given, and only there are the data found by their name. `base_url` is a
    mirror of one's own, which has the files under their names. `progress` is called with a file's name, the bytes
    received and the bytes expected. Every file must have the published hashes; one that nobody has published is
    recorded in `sha256.txt` at the first download and held to that ever after.

    Raises:
        SourceError: the name is unknown; a file is not the published one; or there is no network: says which files
            to fetch from where, and where to put them.
    """
    entry = entry_of(name)
    target = Path(folder).expanduser().absolute() if folder is not None else named_folder(name)
    with held(target):
        missing = []
        for file in entry.files:
            if (target / file.name).is_file():
                verify(file, target / file.name, target, removed=False)
            else:
                missing.append(file)
        for place, file in enumerate(missing):
            urls = file.urls if base_url is None else (f"{base_url.rstrip('/')}/{file.name}",)
            try:
                fetch(file, urls, target, progress)
            except NotFetchedError as error:
                raise SourceError(_by_hand(entry, missing[place:], target, str(error))) from error
    return target


def _by_hand(entry: NamedData, files: list[NamedFile], folder: Path, reason: str) -> str:
    each = ", and ".join(f"{file.urls[0]} as {folder / file.name}" for file in files)
    return (
        f"{entry.name} could not be downloaded ({reason}): fetch {each} by other means, and "
        f"`striate data download {entry.name}` will verify what lies there"
    )


def named_source(name: str) -> Source | None:
    """The source of some named data, prepared; None for a name that is not known.

    Raises SourceError for data that have not been downloaded, or not verified.
    """
    if name not in REGISTRY:
        return None
    from striate.data.named.prepared import PREPARATIONS

    entry = REGISTRY[name]
    folder = named_folder(name)
    if not is_downloaded(name, folder):
        size = f", {entry.size / 1e6:,.0f} MB" if entry.size else ""
        raise SourceError(
            f"{name} is not downloaded yet: `striate data download {name}` fetches and verifies it "
            f"(licence: {entry.licence}{size})"
        )
    source = PREPARATIONS[name](_opened(entry, folder), name)
    if len(source.names) != entry.images:
        source.notes.append(f"{len(source.names):,} pictures are there, and {entry.images:,} were published")
    if entry.note:
        source.notes.append(entry.note)
    return source


def _opened(entry: NamedData, folder: Path) -> Source:
    """The files as they are, before any preparation."""
    if entry.name == "concrete-cracks":
        folder = _unpacked(entry, folder)
    return open_source(folder / entry.opened)


def _unpacked(entry: NamedData, folder: Path) -> Path:
    """The folder that the user has unpacked a RAR archive into; a sentence that says how, if none is there."""
    archive = folder / entry.files[0].name
    for place in (folder, archive.with_suffix("")):
        if (place / "Positive").is_dir() and (place / "Negative").is_dir():
            return place
    raise SourceError(
        f"{entry.name} comes as a RAR archive, which has to be unpacked once: "
        f"`bsdtar -xf '{archive}' -C '{folder}'` (or unar, or 7-Zip) makes {folder / 'Positive'} and "
        f"{folder / 'Negative'}; then run the command again"
    )
