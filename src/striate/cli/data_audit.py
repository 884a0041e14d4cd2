"""`striate data audit`: what is wrong with images, before anything is trained on them."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from striate.cli.border import fail, in_plain_words
from striate.cli.sources import (
    Group,
    GroupFrom,
    OneObject,
    Pseudonyms,
    Quiet,
    Source,
    free_path,
    open_images,
    stem_of,
)


class FailOn(StrEnum):
    """From which severity on the exit code is 1."""

    error = "error"
    warning = "warning"
    never = "never"


@in_plain_words
def audit(
    source: Source,
    out: Annotated[Path | None, typer.Option(help="Folder for the files.  [default: audit-<source>]")] = None,
    splits: Annotated[Path | None, typer.Option(help="A splits.csv to look for leaks in.")] = None,
    group: Group = None,
    group_from: GroupFrom = None,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Exit with 1 when there is such a finding.")
    ] = FailOn.never,
    seed: Annotated[int, typer.Option(help="Of the folds of the quick fits.")] = 0,
    pseudonyms: Pseudonyms = False,
    as_json: OneObject = False,
    quiet: Quiet = False,
) -> None:
    """What is wrong with images: unreadable, duplicate, leaking, telling their class by accident, mislabelled.

    \b
    Writes audit.html with the pictures, audit.json, and audit.csv: one row a finding and picture. Put `drop` or
    `relabel` (with a new_label) into its column `action`, and pass it back:  striate train SOURCE --audit audit.csv
    Example:  striate data audit cells.zip --group-from 'C\\d+P\\d+'
    """
    from striate.cli.screen import packing_bar

    images = open_images(source, group, group_from, pseudonyms)
    with packing_bar(quiet=as_json or quiet) as progress:
        images, _, _ = images.packed(progress, small=True)
    if splits is not None:
        images = images.with_splits_from(splits)
    with packing_bar(quiet=as_json or quiet, doing="looking") as progress:
        found = images.audit(seed=seed, progress=progress)
    folder = out or free_path(Path(), f"audit-{stem_of(source)}")
    found.write(folder)
    if as_json:
        print(json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False))
    elif not quiet:
        print(found.to_text())
        print(f"\npictures: {folder / 'audit.html'}\ndecide:   {folder / 'audit.csv'}")
    reached = {FailOn.error: ("error",), FailOn.warning: ("error", "warning"), FailOn.never: ()}[fail_on]
    count = sum(finding.severity in reached for finding in found.findings)
    if count:
        fail(
            f"--fail-on {fail_on.value}: {count} of {len(found.findings)} findings are that grave or graver.",
            1,
        )
