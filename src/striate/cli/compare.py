"""`striate compare`: two or more runs on the same images, and whether a difference between them is shown."""

import json
from pathlib import Path
from typing import Annotated

import typer

from striate.cli.border import command_line, in_plain_words
from striate.cli.sources import Group, GroupFrom, Pseudonyms, Quiet


@in_plain_words
def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="Run folders; the first is what others are compared with.")
    ],
    data: Annotated[
        str | None,
        typer.Option(help="Labelled images, as for `train`.  [default: test images that all runs share]"),
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="The run to compare all others with.  [default: all pairs of up to 4]")
    ] = None,
    group: Group = None,
    group_from: GroupFrom = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 0,
    pseudonyms: Pseudonyms = False,
    out: Annotated[Path | None, typer.Option(help="Folder for comparison.html, .json and .csv.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The comparison as one JSON object.")] = False,
    quiet: Quiet = False,
) -> None:
    """Compare runs on the same images, none of which they were trained on.

    \b
    Which is better, by how much, and how sure that is: McNemar's test, intervals of paired differences, class by class.
    Example:  striate compare runs/first runs/second
    """
    import striate

    found = striate.compare(
        runs,
        data,
        against=against,
        seed=seed,
        out=out,
        grouping=(group, group_from),
        pseudonymous=pseudonyms,
        command=command_line(),
    )
    if as_json:
        print(json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False))
    elif not quiet:
        print(striate.comparison_text(found))
        if out:
            print(f"\npictures: {out / 'comparison.html'}\nimages:   {out / 'comparison.csv'}")
