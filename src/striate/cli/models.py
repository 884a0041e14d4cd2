"""`striate models`: the networks, and what is inside one of them."""

import json
import re
from typing import Annotated

import typer

from striate.cli.border import in_plain_words


@in_plain_words
def models(
    name: Annotated[str | None, typer.Argument(help="A network to look into.")] = None,
    shape: Annotated[
        str | None, typer.Option("--input", help="Channels x height x width.  [default: the network's own]")
    ] = None,
    classes: Annotated[
        int | None, typer.Option(help="Classes of the head.  [default: the network's own]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """List the networks, or show one layer by layer.

    \b
    Example:  striate models lenet5 --input 1x28x28
    """
    import striate

    if name is None:
        entries = [striate.model_entry(known) for known in striate.model_names()]
        if as_json:
            print(json.dumps([{"name": e.name, "summary": e.summary, "paper": e.paper} for e in entries]))
        else:
            width = max(len(entry.name) for entry in entries)
            print("\n".join(f"{entry.name:<{width}}  {entry.summary}" for entry in entries))
        return
    entry = striate.model_entry(name)
    channels, height, width = parse_shape(shape) if shape is not None else entry.default_input
    network = striate.create_model(
        name,
        classes=entry.default_classes if classes is None else classes,
        channels=channels,
        size=(height, width),
    )
    summary = striate.summarize(network, (channels, height, width))
    if as_json:
        print(json.dumps({"name": name, **summary.to_dict(), "departures": list(entry.departures)}))
        return
    print(f"{entry.name}: {entry.summary}\n{entry.paper}\n")
    print(summary.to_text())
    if entry.departures:
        print("\nWhere it departs from the paper:")
        print("\n".join(f"- {departure}" for departure in entry.departures))


def parse_shape(text: str) -> tuple[int, int, int]:
    """`3x32x32` as numbers."""
    import striate

    match = re.fullmatch(r"(\d+)x(\d+)x(\d+)", text.lower().replace("×", "x"))
    if not match or "0" in match.groups():
        raise striate.UsageError(f"--input {text}: expected channels x height x width, for example 3x32x32.")
    channels, height, width = map(int, match.groups())
    return channels, height, width
