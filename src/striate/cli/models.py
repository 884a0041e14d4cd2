"""`striate models`: the networks, and what is inside one of them."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from striate.cli.border import in_plain_words
from striate.cli.sources import OneObject

if TYPE_CHECKING:
    import striate


@in_plain_words
def models(
    name: Annotated[str | None, typer.Argument(help="A network to look into.")] = None,
    shape: Annotated[
        str | None, typer.Option("--input", help="Channels x height x width.  [default: the network's own]")
    ] = None,
    classes: Annotated[
        int | None, typer.Option(help="Classes of the head.  [default: the network's own]")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="A recipe field that changes the network."),
    ] = None,
    draw: Annotated[
        str | None, typer.Option("--draw", help="Write a drawing of the network to this SVG file.")
    ] = None,
    as_json: OneObject = False,
) -> None:
    """List the networks, or show one layer by layer.

    \b
    Example:  striate models resnet50 --input 3x224x224 --draw resnet50.svg
              striate models lenet5 --set activation=relu --set batch_norm=true
    """
    import striate

    if name is None:
        for option, given in (("--draw", draw), ("--set", settings)):
            if given:
                raise striate.UsageError(
                    f"{option} needs the name of a network, for example: striate models lenet5."
                )
        print(_listing(as_json))
        return
    entry = striate.model_entry(name)
    channels, height, width = parse_shape(shape) if shape is not None else entry.default_input
    network = striate.create_model(
        name,
        classes=entry.default_classes if classes is None else classes,
        channels=channels,
        size=(height, width),
        changes=parse_changes(settings or []),
        weights=False,
    )
    summary = striate.summarize(network, (channels, height, width))
    if draw is not None:
        _write(Path(draw), summary.to_svg(name))
    if as_json:
        remarks = {"departures": list(entry.departures), "disagreements": list(entry.disagreements)}
        changed = {"changes": settings} if settings else {}
        print(json.dumps({"name": name, **changed, **summary.to_dict(), **remarks}))
        return
    print(f"{entry.name}: {entry.summary}\n{entry.paper}\n")
    if settings:
        print(f"Changed: {', '.join(settings)}. Layers keep their names.\n")
    print(summary.to_text())
    for heading, sentences in (
        ("Where it departs from the paper", entry.departures),
        ("Where the paper disagrees with itself or with practice", entry.disagreements),
    ):
        if sentences:
            print(f"\n{heading}:")
            print("\n".join(f"- {sentence}" for sentence in sentences))


def _listing(as_json: bool) -> str:
    import striate

    entries = [striate.model_entry(known) for known in striate.model_names()]
    if as_json:
        return json.dumps([{"name": e.name, "summary": e.summary, "paper": e.paper} for e in entries])
    width = max(len(entry.name) for entry in entries)
    return "\n".join(f"{entry.name:<{width}}  {entry.summary}" for entry in entries)


def _write(path: Path, drawing: str) -> None:
    import striate

    try:
        path.write_text(drawing, encoding="utf8")
    except OSError as error:
        raise striate.UsageError(
            f"--draw {path}: the drawing could not be written ({error.strerror}); name a file in a folder that exists."
        ) from error


def parse_changes(settings: list[str]) -> "striate.Changes":
    """`activation=relu` and the like as the changes of a network; fields that change none are refused."""
    import striate

    recipe = striate.Recipe.from_settings(settings)
    allowed = recipe.changing()
    for setting in settings:
        name = setting.partition("=")[0].strip()
        if name not in allowed:
            raise striate.UsageError(
                f"--set {setting}: {name} changes how a network is trained, not the network;"
                f" allowed here: {', '.join(allowed)}."
            )
    return striate.Changes(**allowed)


def parse_shape(text: str) -> tuple[int, int, int]:
    """`3x32x32` as numbers."""
    import striate

    match = re.fullmatch(r"(\d+)x(\d+)x(\d+)", text.lower().replace("×", "x"))
    if not match or "0" in match.groups():
        raise striate.UsageError(f"--input {text}: expected channels x height x width, for example 3x32x32.")
    channels, height, width = map(int, match.groups())
    return channels, height, width
