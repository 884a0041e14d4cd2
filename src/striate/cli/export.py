"""`striate export`: one file from decoded pixels to probabilities, compared with the run on test images."""

import json
from pathlib import Path
from typing import Annotated

import typer

from striate.cli.border import in_plain_words
from striate.cli.evaluate import Split
from striate.cli.sources import OneObject, Pseudonyms, Quiet


@in_plain_words
def export(
    run: Annotated[Path, typer.Argument(help="A run folder that `striate train` made.")],
    to: Annotated[
        str, typer.Option(metavar="KIND", help="onnx, or torch for a torch.export archive.")
    ] = "onnx",
    out: Annotated[
        Path | None, typer.Option(help="The file.  [default: model.onnx or model.pt2 in the run folder]")
    ] = None,
    quantise: Annotated[
        bool,
        typer.Option("--quantise", help="An ONNX file of 8-bit weights too, and what it costs in accuracy."),
    ] = False,
    split: Annotated[Split, typer.Option(help="Which of the run's own images to compare on.")] = Split.test,
    data: Annotated[
        str | None,
        typer.Option(help="Other images to compare on: a folder, archive or table, as for `train`."),
    ] = None,
    pseudonyms: Pseudonyms = False,
    as_json: OneObject = False,
    quiet: Quiet = False,
) -> None:
    """Write a trained network, with its preparation and calibration, as one file.

    \b
    The file is asked about the run's test images; where a probability differs by more than 1e-4, none is written.
    Example:  striate export runs/first --to onnx
              striate export runs/first --out first.onnx --quantise
    """
    import striate

    classifier = striate.Classifier.load(run)
    ending = {"torch": ".pt2"}.get(to, ".onnx")
    made = classifier.export(
        out or run / f"model{ending}",
        data,
        to=to,
        quantise=quantise,
        split=split.value,
        pseudonymous=pseudonyms,
    )
    if as_json:
        print(json.dumps(made.to_dict(), ensure_ascii=False, allow_nan=False))
    elif not quiet:
        print(made.to_text())
