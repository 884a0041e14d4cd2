"""`striate data download`: data known by name, fetched and verified; nothing else uses the network."""

import contextlib
import json
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from striate.cli.border import in_plain_words
from striate.cli.sources import OneObject, Quiet

if TYPE_CHECKING:
    import striate

ByteProgress = Callable[[str, int, int], None]


@in_plain_words
def download(
    name: Annotated[str | None, typer.Argument(help="Which data; all are listed when left out.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The folder to put them into.  [default: the data home]")
    ] = None,
    quiet: Quiet = False,
    as_json: OneObject = False,
) -> None:
    """Download images known by name, or list them with their licences.

    \b
    The data home is $STRIATE_HOME, or ~/.local/share/striate. Files that lie there already are verified.
    Example:  striate data download cifar10
    """
    import striate

    if name is None:
        listed(striate.named_data(), as_json=as_json)
        return
    entries = {entry.name: entry for entry in striate.named_data()}
    entry = entries.get(name)
    if entry is not None and not (quiet or as_json):
        print("\n".join(introduction(entry)), flush=True)
    with shown_progress(wanted=not (quiet or as_json)) as progress:
        folder = striate.download_data(name, out, progress=progress)
    entry = entries[name]
    following = shlex.join(["striate", "train", name if out is None else str(folder / entry.opened)])
    if as_json:
        print(json.dumps({**as_dict(entry), "folder": str(folder), "next": following}, ensure_ascii=False))
    elif not quiet:
        print("\n".join(outcome(entry, folder)))
        print(f"next: {following}")


def introduction(entry: "striate.NamedData") -> Iterator[str]:
    """What is about to be downloaded, under which terms, and by whom it was made."""
    yield entry.title
    yield f"licence: {entry.licence}"
    yield f"paper: {entry.paper}"


def outcome(entry: "striate.NamedData", folder: Path) -> Iterator[str]:
    """Where the files are, what they were verified against, and what is to be known before they are used."""
    count = len(entry.files)
    yield f"{count} file{'s' * (count > 1)} in {folder}"
    if entry.published:
        yield f"verified: {entry.published}"
    else:
        yield (
            f"note: nobody has published a hash of it; that of the first download is kept in "
            f"{folder / 'sha256.txt'}, and the file is held to it from now on"
        )
    yield f"prepared as: {entry.preparation}"
    if entry.note:
        yield f"note: {entry.note}"


def listed(entries: "tuple[striate.NamedData, ...]", *, as_json: bool) -> None:
    """All data that can be downloaded, a line each: how many images, how large, whether here, on what terms."""
    import striate

    here = {entry.name: striate.is_downloaded(entry.name) for entry in entries}
    if as_json:
        print(
            json.dumps(
                [{**as_dict(entry), "downloaded": here[entry.name]} for entry in entries], ensure_ascii=False
            )
        )
        return
    width = max(len(entry.name) for entry in entries)
    for entry in entries:
        size = f"{entry.size / 1e6:,.0f} MB" if entry.size else "size unknown"
        print(
            f"{entry.name:<{width}}  {entry.images:>6,} images  {size:>12}  "
            f"{'here' if here[entry.name] else '    '}  {entry.title}"
        )
        print(f"{'':<{width}}  licence: {entry.licence}")


def as_dict(entry: "striate.NamedData") -> dict[str, object]:
    """What is known of some data, for JSON."""
    return {
        "name": entry.name,
        "title": entry.title,
        "images": entry.images,
        "bytes": entry.size,
        "licence": entry.licence,
        "paper": entry.paper,
        "published": entry.published or None,
        "files": [
            {"name": file.name, "url": file.urls[0], "hashes": list(file.hashes)} for file in entry.files
        ],
        "preparation": entry.preparation,
        "note": entry.note or None,
    }


@contextlib.contextmanager
def shown_progress(*, wanted: bool) -> "Iterator[ByteProgress | None]":
    """A bar with rate and time left on a terminal, and a line a file elsewhere."""
    if not wanted:
        yield None
        return
    if not sys.stdout.isatty():
        yield line_a_file
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.progress import TransferSpeedColumn as Speed

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        Speed(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, transient=True) as bar:
        tasks = {}

        def moved(file: str, done: int, total: int) -> None:
            if file not in tasks:
                tasks[file] = bar.add_task(file, total=total or None)
            bar.update(tasks[file], completed=done)

        yield moved


def line_a_file(file: str, done: int, total: int) -> None:
    """A line once a file has been received whole."""
    if total and done == total:
        print(f"received {file}, {done:,} bytes", flush=True)
