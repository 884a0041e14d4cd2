"""Options of `evaluate` for what a run decides beyond the most probable class, and for whom the verdict holds."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Sureness(StrEnum):
    """What a threshold for answering is about."""

    probability = "probability"
    energy = "energy"
    mahalanobis = "mahalanobis"


class Unit(StrEnum):
    """What is judged."""

    image = "image"
    group = "group"
    group_max = "group-max"


Operate = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WISH",
        help='Operating point: "sensitivity>=0.95", "specificity>=0.9", "precision>=0.8", "f1", "youden", '
        '"cost fn=10 fp=1"; repeatable as "CLASS: WISH".',
    ),
]
Positive = Annotated[str | None, typer.Option(metavar="CLASS", help="Class of interest of --operate.")]
Abstain = Annotated[
    str | None,
    typer.Option(
        metavar="WISH",
        help='When not to answer: "coverage>=0.9" or "error<=0.01".',
    ),
]
Measure = Annotated[Sureness, typer.Option(help="What --abstain goes by: how sure the network is.")]
Sets = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="Sets of classes that hold the truth in this share of images, such as 0.9.",
    ),
]
By = Annotated[
    Unit | None,
    typer.Option(
        help="Judge images, or groups by the mean or the highest of their images.  [default: as decided, or image]",
    ),
]
Prevalence = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="Of the class of interest where it will be used, for the predictive values.",
    ),
]
Subgroups = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Also a verdict for each value: of a table's column, mode, size, format, depth, group, a DICOM attribute.",
    ),
]
Unknown = Annotated[
    Path | None,
    typer.Option(help="Pictures of none of the classes: are they told from known ones?"),
]
