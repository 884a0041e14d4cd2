"""`striate evaluate`: the verdict on images that the network never saw, and a report."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from striate.cli.border import command_line, in_plain_words
from striate.cli.sources import Group, GroupFrom, Pseudonyms, Quiet
from striate.cli.wishes import (
    Abstain,
    By,
    Measure,
    Operate,
    Positive,
    Prevalence,
    Sets,
    Subgroups,
    Sureness,
    Unknown,
)


class Split(StrEnum):
    """The splits of a run."""

    test = "test"
    validation = "validation"
    train = "train"


class Leaks(StrEnum):
    """What to do with images that the network was trained on."""

    refuse = "refuse"
    drop = "drop"
    accept = "accept"


@in_plain_words
def evaluate(
    run: Annotated[Path, typer.Argument(help="A run folder that `striate train` made.")],
    split: Annotated[Split, typer.Option(help="Which of the run's own images.")] = Split.test,
    data: Annotated[
        str | None, typer.Option(help="Other labelled images: a folder, archive or table, as for `train`.")
    ] = None,
    leaks: Annotated[
        Leaks,
        typer.Option(help="If an image, or its group, was trained on: stop, leave it out, or count it."),
    ] = (Leaks.refuse),
    operate: Operate = None,
    positive: Positive = None,
    abstain: Abstain = None,
    sureness: Measure = Sureness.probability,
    sets: Sets = None,
    by: By = None,
    prevalence: Prevalence = None,
    subgroups: Subgroups = None,
    unknown: Unknown = None,
    group: Group = None,
    group_from: GroupFrom = None,
    pseudonyms: Pseudonyms = False,
    out: Annotated[Path | None, typer.Option(help="Where the files go.  [default: the run folder]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The verdict as one JSON object.")] = False,
    quiet: Quiet = False,
) -> None:
    """Judge a trained network on images it never saw.

    \b
    Writes evaluation.json, predictions.csv, predictions.png, report.html, inside.html and, of a run's own test images,
    the model card README.md. What is decided is kept in the run as decision.json, and `predict` goes by it.
    Example:  striate evaluate runs/first
              striate evaluate runs/cells --operate "sensitivity>=0.95" --positive parasitized --prevalence 0.02
    """
    import striate

    classifier = striate.Classifier.load(run)
    folder = out or (
        run if data is None and split is Split.test else run / f"evaluation-{Path(data or split).stem}"
    )
    wished = bool(operate or abstain or sets is not None)
    if wished:
        classifier.decide(
            operate=tuple(operate or ()),
            positive=positive,
            abstain=abstain,
            sureness=sureness.value,
            sets=sets,
            by=by.value if by else "image",
            grouping=(group, group_from),
            seen=(run / "evaluation.json").exists(),
        )
    elif positive is not None:
        raise striate.UsageError(
            '--positive says which class --operate is about: add --operate "sensitivity>=0.95".'
        )
    verdict = classifier.report(
        folder,
        data,
        split=split.value,
        leaks=leaks.value,
        grouping=(group, group_from),
        pseudonymous=pseudonyms,
        by=by.value if by else None,
        subgroups=subgroups,
        unknown=unknown,
        prevalence=prevalence,
        command=command_line(),
    )
    if wished:
        classifier.save_decision(run, command_line())
    if as_json:
        said = {**verdict.to_dict(), "note": "For research; not a medical device."}
        print(json.dumps(said, ensure_ascii=False, allow_nan=False))
    elif not quiet:
        print(striate.verdict_text(verdict))
        print(f"\nreport:   {folder / 'report.html'}\npictures: {folder / 'predictions.png'}")
