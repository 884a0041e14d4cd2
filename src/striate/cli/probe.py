"""`striate probe`: how much of the classes a linear classifier reads from each stage of a network."""

import json
from pathlib import Path
from typing import Annotated

import typer

from striate.cli.border import command_line, in_plain_words
from striate.cli.sources import Group, GroupFrom, OneObject, Pseudonyms, Quiet, Settings, Splits, open_images


@in_plain_words
def probe(
    weights: Annotated[
        str, typer.Argument(help="A trained run, or what else --weights of `train` takes.  [or --model]")
    ],
    source: Annotated[str | None, typer.Argument(help="Images, as for `train`.", show_default=False)] = None,
    model: Annotated[
        str | None, typer.Option(help="Name of the network; untrained if no WEIGHTS are given.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the table and the figure.")] = None,
    seed: Annotated[int, typer.Option(help="Of splits, folds and untrained weights.")] = 0,
    settings: Settings = None,
    splits: Splits = None,
    group: Group = None,
    group_from: GroupFrom = None,
    pseudonyms: Pseudonyms = False,
    as_json: OneObject = False,
    quiet: Quiet = False,
) -> None:
    """Where in a network the knowledge sits: a linear classifier on the features of every stage.

    \b
    Beside each accuracy stands that of the same network untrained. Validation images are judged; test images
    have no part. With --out: probe.json, probe.csv, probe.svg and probe.png.
    Example:  striate probe runs/first digits
              striate probe --model resnet18_small digits
    """
    import striate
    from striate.cli.screen import Screen, choose, packing_bar

    found, source = told_apart(weights, source, model)
    chosen = {} if model is None else {"model": model}
    recipe = striate.Recipe.from_settings(settings or (), **chosen, weights=found, seed=seed)
    screen = Screen() if as_json else choose(as_json=False, quiet=quiet)
    try:
        with packing_bar(quiet=as_json or quiet, doing="probing") as progress:
            result = striate.probe_stages(
                open_images(source, group, group_from, pseudonyms),
                recipe=recipe,
                splits=splits,
                events=(screen,),
                **({"progress": progress} if progress else {}),
            )
    finally:
        screen.close()
    if out is not None:
        result.write(out, command_line())
    if as_json:
        print(json.dumps(result.to_dict(), ensure_ascii=False, allow_nan=False))
    elif not quiet:
        print(result.to_text())
        if out is not None:
            print(f"\ntable:  {out / 'probe.csv'}\nfigure: {out / 'probe.svg'}")


def told_apart(first: str, second: str | None, model: str | None) -> tuple[str | None, str]:
    """Weights and source: of one word alone it is the source, where --model names an untrained network."""
    import striate

    if second is not None:
        return first, second
    if model is None:
        raise striate.UsageError(
            f"probe {first}: give weights and images, for example: striate probe {first} digits; "
            f"or a network and images: striate probe --model lenet5 {first}."
        )
    return None, first
