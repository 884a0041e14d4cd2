"""`striate data split`: training, validation and test as a file, or several of them as folds."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from striate.cli.border import in_plain_words
from striate.cli.sources import Group, GroupFrom, Pseudonyms, Quiet, Source, open_images

if TYPE_CHECKING:
    import striate


@in_plain_words
def split(
    source: Source,
    out: Annotated[Path, typer.Option(help="The csv to write; with folds, FILE-1.csv, FILE-2.csv, ….")],
    fractions: Annotated[
        str, typer.Option(help="Shares of training, validation and test.")
    ] = "0.7,0.15,0.15",
    stratified: Annotated[
        bool, typer.Option("--stratified", help="The same shares in every class; new images may move others.")
    ] = False,
    folds: Annotated[
        int | None, typer.Option(help="So many csv files instead; each tests another part.")
    ] = None,
    group: Group = None,
    group_from: GroupFrom = None,
    seed: Annotated[int, typer.Option(help="Of the split.")] = 0,
    pseudonyms: Pseudonyms = False,
    audit: Annotated[Path | None, typer.Option(help="An audit.csv with your decisions.")] = None,
    quiet: Quiet = False,
) -> None:
    """Assign every picture to training, validation or test, and write that down.

    \b
    Identical pictures and pictures of one group never stand in two splits.
    Example:  striate data split cells.zip --group-from 'C\\d+P\\d+' --out splits.csv
    Then:     striate train cells.zip --splits splits.csv
    """
    import striate
    from striate.cli.screen import packing_bar

    images = open_images(source, group, group_from, pseudonyms, audit)
    with packing_bar(quiet=quiet) as progress:
        images, _, _ = images.packed(progress)
    if folds is None:
        tables = {out: images.with_splits(seed, fractions=shares(fractions), stratify=stratified)}
    elif fractions != "0.7,0.15,0.15":
        raise striate.UsageError(
            "--folds and --fractions exclude each other: a fold is one part of --folds equal ones."
        )
    else:
        made = images.folds(folds, seed, stratify=stratified)
        tables = {
            out.with_name(f"{out.stem}-{number}{out.suffix}"): one for number, one in enumerate(made, start=1)
        }
    for path in tables:
        if path.exists():
            raise striate.UsageError(f"--out: {path} is there already. Choose another name, or remove it.")
    for path, table in tables.items():
        table.write_splits(path)
        if not quiet:
            print(f"{path}: {summary(table)}")


def shares(text: str) -> tuple[float, float, float]:
    """`0.7,0.15,0.15` as numbers; what they must be is checked where they are used."""
    import striate

    try:
        training, validation, test = map(float, text.split(","))
    except ValueError:
        raise striate.UsageError(
            f"--fractions {text}: expected three numbers that add up to 1, for example 0.7,0.15,0.15."
        ) from None
    return training, validation, test


def summary(table: "striate.Images") -> str:
    """How many pictures, and of how many groups, each split has."""
    parts = []
    for split_name, classes in table.counts().items():
        members = table.of_split(split_name)
        groups = "" if members.groups is None else f" of {len(set(members.groups.tolist()) - {''}):,} groups"
        parts.append(f"{sum(classes.values()):,} {split_name}{groups}")
    return ", ".join(parts)
