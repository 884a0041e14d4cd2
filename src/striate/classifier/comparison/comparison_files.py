"""The three files of a comparison: comparison.json, comparison.csv and comparison.html."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int

from striate.classifier.comparison.comparing import Compared
from striate.classifier.provenance import versions
from striate.drawing.tiles import to_uint8
from striate.evaluation.reporting.comparison_page import Disagreement, Origin, Said, render_comparison
from striate.files import replacing, write_atomically, write_json

SHOWN = 48
"""Images handed to the page."""


def write_comparison(folder: Path, compared: Compared, command: str | None) -> None:
    """Write a comparison to a folder, each file whole or not at all."""
    created = datetime.now(UTC).isoformat(timespec="seconds")
    made_by = command or "striate.compare in Python"
    chosen, some_right = disagreements(compared)
    content = {
        **compared.comparison.to_dict(),
        "created": created,
        "command": made_by,
        "versions": versions(),
        "note": "For research; not a medical device.",
    }
    write_json(folder / "comparison.json", content)
    write_table(folder / "comparison.csv", compared)
    origin = Origin(
        command=made_by,
        created=created,
        one_right=int(some_right.sum()),
        none_right=int((~some_right).sum()),
    )
    page = render_comparison(compared.comparison, list(shown(compared, chosen[:SHOWN])), origin)
    write_atomically(folder / "comparison.html", page.encode("utf8", errors="replace"))


def write_table(path: Path, compared: Compared) -> None:
    """Every image: name, class, group where there are any, and of each run its answer and whether that is right."""
    classes, side = compared.comparison.classes, compared.sides[0]
    names = side.images.select(compared.shared.places[0]).names
    groups = compared.shared.groups
    answers = {name: said.argmax(axis=1) for name, said in compared.probabilities.items()}
    head = ["image", "truth", *(["group"] if groups is not None else [])]
    for name in answers:
        head += [name, f"{name}: right", f"{name}: p(truth)"]
    with (
        replacing(path) as half,
        half.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        for place, (image, truth) in enumerate(zip(names, compared.truth.tolist(), strict=True)):
            row = [image, classes[truth], *([groups[place]] if groups is not None else [])]
            for name, predicted in answers.items():
                is_right = "right" if predicted[place] == truth else "wrong"
                row += [classes[predicted[place]], is_right, str(compared.probabilities[name][place, truth])]
            writer.writerow(row)


def disagreements(compared: Compared) -> tuple[Int[np.ndarray, " some"], Bool[np.ndarray, " some"]]:
    """The images with different answers, those that tell the runs apart most first; and of which some run is right."""
    said = list(compared.probabilities.values())
    answers = np.stack([one.argmax(axis=1) for one in said])
    differ = (answers != answers[0]).any(axis=0)
    right = (answers == compared.truth).any(axis=0)
    own = np.stack([one[np.arange(len(compared.truth)), compared.truth] for one in said])
    found = np.flatnonzero(differ)
    order = np.lexsort((-np.ptp(own, axis=0)[found], ~right[found]))
    return found[order], right[found[order]]


def shown(compared: Compared, chosen: Int[np.ndarray, " some"]) -> Iterator[Disagreement]:
    """Images with what each run said of them, as the first run was given them."""
    classes, side = compared.comparison.classes, compared.sides[0]
    images = side.images.select(compared.shared.places[0])
    names = images.names
    for place in chosen.tolist():
        truth = int(compared.truth[place])
        yield Disagreement(
            source=names[place],
            truth=classes[truth],
            said=tuple(
                Said(
                    run=name,
                    predicted=classes[int(said[place].argmax())],
                    probability=float(said[place].max()),
                    right=bool(said[place].argmax() == truth),
                )
                for name, said in compared.probabilities.items()
            ),
            pixels=to_uint8(side.pack.pixels[images.rows[place]]),
        )
