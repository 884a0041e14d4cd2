"""`striate train`: from images to a trained network in a run folder."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.border import command_line, in_plain_words
from striate.cli.quantities import gibibytes
from striate.cli.sources import (
    Group,
    GroupFrom,
    Model,
    Pseudonyms,
    Quiet,
    Settings,
    Source,
    Splits,
    free_path,
    open_images,
    stem_of,
)

if TYPE_CHECKING:
    import striate


@in_plain_words
def train(
    source: Source,
    model: Model = None,
    weights: Annotated[
        str | None,
        typer.Option(help="First weights: a run, a file, or torchvision:NAME.  [default: drawn anew]"),
    ] = None,
    freeze: Annotated[
        str | None,
        typer.Option(
            metavar="STAGE", help="Last stage that keeps its weights; or all, or none.  [default: none]"
        ),
    ] = None,
    head: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="What follows the stages: own, linear or mlp.  [default: own]"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder to make.  [default: runs/<source>]")] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the training images.")] = 10,
    seed: Annotated[int, typer.Option(help="Of weights, order, augmentation and split.")] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the same command was stopped.")
    ] = False,
    settings: Settings = None,
    splits: Splits = None,
    folds: Annotated[
        int | None,
        typer.Option(
            metavar="K", help="Cross-validate: K networks, each judged on the fold it was not given."
        ),
    ] = None,
    group: Group = None,
    group_from: GroupFrom = None,
    audit: Annotated[
        Path | None, typer.Option(help="An audit.csv or review.csv with your decisions: drop or relabel.")
    ] = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="Keep no prepared copy on the disk; decode in every epoch.")
    ] = False,
    max_memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", help="Most that training may take: 2GB, 512MB.  [default: what is free]"
        ),
    ] = None,
    tune: Annotated[
        bool,
        typer.Option(
            "--tune",
            help="Time steps first; take the fastest precision, threads, batch size, compiled or not.",
        ),
    ] = False,
    pseudonyms: Pseudonyms = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    quiet: Quiet = False,
) -> None:
    """Train a network on images.

    \b
    Example:  striate train digits --epochs 5 --out runs/first
              striate train digits --folds 5 --out runs/cv
    Layouts:  root/<class>/*.png
              root/{train,validation,test}/<class>/*.png
              a zip or tar of either
              a csv or parquet table: file,label[,group,split]
    """
    import striate
    from striate.cli import folds as crossing
    from striate.cli.screen import choose
    from striate.cli.stop import StopRequest

    if folds is not None and splits is not None:
        raise striate.UsageError(
            "--folds and --splits exclude each other: --folds makes its own, in which each image is tested once."
        )
    if folds is not None and tune:
        raise striate.UsageError(
            "--folds and --tune exclude each other: tune one training, and give the folds what it took by --set."
        )
    memory = None if max_memory is None else gibibytes(max_memory)
    named = {"model": model, "weights": weights, "freeze": freeze, "head": head, "max_memory": memory}
    recipe = recipe_of(settings, named, epochs=epochs, seed=seed)
    folder = out or free_folder(source, resume=resume)
    told = {"as_json": as_json, "quiet": quiet}
    screen, stop = choose(**told) if folds is None else crossing.choose(folds, **told), StopRequest()
    options: dict[str, Any] = {"out": folder, "resume": resume, "events": (screen, stop), "stop": stop}
    options |= {"stream": stream, "command": command_line()}
    try:
        images = open_images(source, group, group_from, pseudonyms, audit)
        if weights is None:  # which may ask for another size; else decoding begins while torch is imported
            images.pack_ahead(screen.packing, stream=stream, **recipe.preparing())
        if folds is None:
            end = partial(ending, striate.Classifier(recipe).fit(images, splits=splits, tune=tune, **options))
        else:
            end = partial(crossing.ending, crossing.cross_validate(images, recipe, screen, **options))
    except striate.Interrupted as error:
        where = () if out else ("--out", str(folder))
        raise striate.Interrupted(f"{error} Go on with: {command_line(*where, '--resume')}") from None
    finally:
        screen.close()
        stop.close()
    end(folder, **told)


def ending(classifier: "striate.Classifier", folder: Path, *, as_json: bool, quiet: bool) -> None:
    """The last words of a training: the epoch that is kept, and what comes next."""
    from striate.cli.screen import emit

    kept = classifier.kept_
    if as_json:
        done = {"kept_epoch": kept["epoch"], "validation": kept["validation"]}
        emit({"event": "done", "run": str(folder), **done})
    elif not quiet:
        print(
            f"{folder}: epoch {kept['epoch']} kept, validation accuracy {kept['validation']['accuracy']:.2%}"
        )
        print(f"next: striate evaluate {folder}")


def recipe_of(settings: list[str] | None, named: dict[str, Any], **counts: int) -> "striate.Recipe":
    """The recipe of the options: `named` ones where they were given, counts, and what --set says of any field."""
    import striate

    given = {name: value for name, value in named.items() if value is not None}
    return striate.Recipe.from_settings(settings or (), **given, **counts)


def free_folder(source: str, *, resume: bool) -> Path:
    """The first of runs/NAME, runs/NAME-2, … that is not taken."""
    import striate

    if resume:
        raise striate.UsageError("--resume needs --out: the run folder to go on in.")
    return free_path(Path("runs"), stem_of(source))
