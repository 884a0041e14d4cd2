"""What verbs have in common: options of the same name, and how a source is named, grouped and opened."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import striate

Source = Annotated[
    str,
    typer.Argument(
        help="A folder, zip or tar of class folders; a csv or parquet table; IDX, CIFAR or npz; a known name."
    ),
]
Group = Annotated[
    str | None,
    typer.Option(help="Column (or DICOM attribute) of what belongs together: patient, part, writer."),
]
GroupFrom = Annotated[
    str | None,
    typer.Option(metavar="REGEX", help=r"The same from the file names, such as '-(\d+)\.png'."),
]
Pseudonyms = Annotated[
    bool, typer.Option("--pseudonyms", help="Call pictures by keyed digests, not by their file names.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Any field of the recipe; repeatable."),
]
Splits = Annotated[Path | None, typer.Option(help="A splits.csv to use instead of splitting anew.")]
Model = Annotated[
    str | None, typer.Option(help="Name of the network, or that of --weights.  [default: compact]")
]
OneObject = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")]


def open_images(
    source: str, group: str | None, group_from: str | None, pseudonyms: bool, audited: Path | None = None
) -> "striate.Images":
    """The table of images of a source, after the decisions of an edited audit.csv where there is one."""
    import striate

    images = striate.load_images(source, group=group, group_from=group_from, pseudonymous=pseudonyms)
    return images if audited is None else images.decided(audited)


def stem_of(source: str) -> str:
    """What files made from a source are called after."""
    return Path(source).resolve().name.partition(".")[0] or "images"


def free_path(folder: Path, stem: str) -> Path:
    """The first of STEM, STEM-2, … in a folder that is not taken."""
    names = (stem if number == 1 else f"{stem}-{number}" for number in range(1, 10**6))
    return next(folder / name for name in names if not (folder / name).exists())
