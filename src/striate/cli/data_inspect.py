"""`striate data inspect`: what a source holds, and a contact sheet of every class."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from striate.cli.border import in_plain_words
from striate.cli.sources import (
    Group,
    GroupFrom,
    OneObject,
    Pseudonyms,
    Source,
    free_path,
    open_images,
    stem_of,
)


@in_plain_words
def inspect(
    source: Source,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the contact sheets.  [default: inspect-<source>]")
    ] = None,
    sheets: Annotated[bool, typer.Option(help="Draw a contact sheet for every class.")] = True,
    group: Group = None,
    group_from: GroupFrom = None,
    pseudonyms: Pseudonyms = False,
    as_json: OneObject = False,
) -> None:
    """Counts, sizes and kinds of pictures, and a contact sheet of every class.

    \b
    Example:  striate data inspect photos.zip
    """
    from striate.cli.screen import packing_bar

    images = open_images(source, group, group_from, pseudonyms)
    with packing_bar(quiet=as_json) as progress:
        found = images.inspect(progress)
    if as_json:
        print(json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False))
    else:
        print(found.to_text())
    if not sheets:
        return
    folder = out or free_path(Path(), f"inspect-{stem_of(source)}")
    folder.mkdir(parents=True, exist_ok=True)
    digits = len(str(len(images.classes)))
    for number, (name, sheet) in enumerate(found.sheets(), start=1):
        sheet.save(folder / f"{number:0{digits}d}-{file_stem(name)}.png")
    if not as_json:
        print(f"\ncontact sheets: {folder}")


def file_stem(name: str) -> str:
    """A class name as a part of a file name: letters, digits, dots, dashes and underscores stay."""
    return re.sub(r"[^\w.-]+", "_", name)[:60]
