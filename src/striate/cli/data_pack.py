"""`striate data pack`: decode every picture once, so that no later command has to."""

import json
import math
import time
from typing import Annotated

import typer

from striate.cli.border import in_plain_words
from striate.cli.sources import OneObject, Quiet, Source


@in_plain_words
def pack(
    source: Source,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="FIELD=VALUE", help="size, fit, patch, window or draft, as for `train`."
        ),
    ] = None,
    as_json: OneObject = False,
    quiet: Quiet = False,
) -> None:
    """Decode every picture once and keep it, prepared, for all later commands on this source.

    \b
    `train` does so by itself; here it can be done ahead, and its speed seen.
    Example:  striate data pack photos.zip --set size=128
    """
    import striate
    from striate.cli.screen import packing_bar

    recipe = striate.Recipe.from_settings(settings or ())
    started = time.monotonic()
    images = striate.load_images(source)
    with packing_bar(quiet=as_json or quiet) as progress:
        images, preparation, made = images.packed(progress, **recipe.preparing())
    seconds = time.monotonic() - started
    size = math.prod(made.pixels.shape) * made.pixels.dtype.itemsize
    found = {
        "source": source,
        "images": len(images),
        "unreadable": len(images.unreadable),
        "shape": list(made.pixels.shape[1:]),
        "depth": preparation.depth,
        "bytes": size,
        "folder": str(made.path) if made.path else None,
        "seconds": round(seconds, 3),
    }
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
    elif not quiet:
        height, width, channels = made.pixels.shape[1:]
        print(
            f"{len(images):,} pictures as {height} × {width} × {channels} {preparation.depth}, "
            f"{size / 1e6:,.1f} MB, in {seconds:.1f} s ({len(images) / seconds:,.0f} a second)"
        )
        for name, reason in images.unreadable[:20]:
            print(f"unreadable  {name}: {reason}")
        if len(images.unreadable) > 20:
            print(f"and {len(images.unreadable) - 20:,} more that cannot be read")
        print(f"kept in {made.path}" if made.path else "kept in memory only: this source needs no decoding")
