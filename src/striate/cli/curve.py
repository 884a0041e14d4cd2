"""`striate curve`: accuracy against the number of training images, and what twice the data would give."""

import json
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from striate.cli.border import command_line, in_plain_words
from striate.cli.sources import (
    Group,
    GroupFrom,
    Model,
    OneObject,
    Pseudonyms,
    Quiet,
    Settings,
    Source,
    Splits,
    free_path,
    open_images,
)

if TYPE_CHECKING:
    import striate


@in_plain_words
def curve(
    source: Source,
    model: Model = None,
    weights: Annotated[
        str | None,
        typer.Option(help="First weights of every training, as for `train`.  [default: drawn anew]"),
    ] = None,
    epochs: Annotated[
        int, typer.Option(help="Passes of the largest part; smaller ones take as many steps.")
    ] = 10,
    parts: Annotated[
        str, typer.Option(metavar="SHARES", help="Shares of the training images.")
    ] = "1/16,1/8,1/4,1/2,1",
    repeats: Annotated[int, typer.Option(help="Trainings of each part, with other seeds and images.")] = 3,
    factor: Annotated[float, typer.Option(help="How many times the data to look ahead.")] = 2.0,
    split: Annotated[
        str, typer.Option(help="What judges: validation, or test, which is opened once.")
    ] = "validation",
    seed: Annotated[int, typer.Option(help="Of the first training; the others count up from it.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder for curve.html, .json and .csv.  [default: runs/curve]")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep the trainings in --out that are finished.")
    ] = False,
    settings: Settings = None,
    splits: Splits = None,
    group: Group = None,
    group_from: GroupFrom = None,
    pseudonyms: Pseudonyms = False,
    as_json: OneObject = False,
    quiet: Quiet = False,
) -> None:
    """Would more images help? The same recipe on ever larger parts of them, and a law that looks ahead.

    \b
    It takes about as long as 13 trainings by default. Validation images judge; test images have no part.
    Example:  striate curve digits
    """
    import striate
    from striate.cli.screen import Screen, choose, show
    from striate.cli.stop import StopRequest
    from striate.cli.train import recipe_of

    recipe = recipe_of(settings, {"model": model, "weights": weights}, epochs=epochs, seed=seed)
    if resume and out is None:
        raise striate.UsageError("--resume needs --out: the folder of the curve to go on with.")
    folder = out or free_path(Path("runs"), "curve")
    silent = as_json or quiet
    screen, stop = Screen() if silent else choose(as_json=False, quiet=False), StopRequest()
    done = 0

    def told(training: "striate.CurveTraining", planned: int) -> None:
        nonlocal done
        done += 1
        if not silent:
            show(training_line(training, done, planned))

    try:
        found = striate.learning_curve(
            open_images(source, group, group_from, pseudonyms),
            recipe,
            parts=shares(parts),
            repeats=repeats,
            factor=factor,
            split=split,
            splits=splits,
            out=folder,
            resume=resume,
            events=(screen, stop),
            stop=stop,
            told=told,
            command=command_line(),
        )
    except striate.Interrupted as error:
        where = () if out else ("--out", str(folder))
        raise striate.Interrupted(f"{error} Go on with: {command_line(*where, '--resume')}") from None
    finally:
        screen.close()
        stop.close()
    if as_json:
        print(json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False))
    elif not quiet:
        print(f"\n{found.to_text()}\n\npage:  {folder / 'curve.html'}\ntable: {folder / 'curve.csv'}")


def shares(text: str) -> list[float]:
    """Shares as they are typed: fractions or decimals between commas."""
    import striate

    try:
        return [float(Fraction(part.strip())) for part in text.split(",")]
    except (ValueError, ZeroDivisionError, OverflowError):
        raise striate.UsageError(
            f"--parts {text}: expected shares between commas, for example --parts 1/16,1/8,1/4,1/2,1."
        ) from None


def training_line(training: "striate.CurveTraining", done: int, planned: int) -> str:
    """One finished training in words and aligned figures."""
    return (
        f"training {done:>{len(str(planned))}}/{planned}   {training.images:>7,} images   "
        f"{training.epochs:>4} epochs   seed {training.seed}   accuracy {training.accuracy:7.2%}"
    )
