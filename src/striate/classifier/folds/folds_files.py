"""The files of a cross-validation: folds.json, predictions.csv, folds.html, review.csv and review.html."""

import csv
from datetime import UTC, datetime
from pathlib import Path

from striate.classifier.folds.reviewing import review_of
from striate.classifier.provenance import versions
from striate.data import Images, Pack
from striate.evaluation.folds import FoldsVerdict
from striate.evaluation.reporting.folds_page import FoldsOrigin, render_folds
from striate.files import replacing, write_atomically, write_json
from striate.training.recipe import Recipe


def write_folds(
    folder: Path, verdict: FoldsVerdict, recipe: Recipe, images: Images, pack: Pack, command: str | None
) -> None:
    """Write a cross-validation to a folder, each file whole or not at all."""
    created = datetime.now(UTC).isoformat(timespec="seconds")
    made_by = command or "striate.cross_validate in Python"
    content = {
        **verdict.to_dict(),
        "recipe": recipe.model_dump(),
        "unreadable": [list(pair) for pair in images.unreadable],
        "created": created,
        "command": made_by,
        "versions": versions(),
        "note": "For research; not a medical device.",
    }
    write_table(folder / "predictions.csv", verdict)
    review = review_of(verdict, images, pack)
    review.write(folder)
    origin = FoldsOrigin(
        command=made_by,
        created=created,
        recipe=recipe.model_dump(),
        versions=versions(),
        review=review.findings[0].sentence,
    )
    write_atomically(folder / "folds.html", render_folds(verdict, origin).encode("utf8", errors="replace"))
    write_json(folder / "folds.json", content)


def write_table(path: Path, verdict: FoldsVerdict) -> None:
    """Every image: name, class, out-of-fold answer, fold, group where there are any, probability of every class."""
    said, classes = verdict.out_of_fold, verdict.pooled.classes
    grouped = said.groups is not None
    head = ["source", "truth", "prediction", "probability", "fold", *(["group"] if grouped else [])]
    with (
        replacing(path) as half,
        half.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*head, *(f"p:{name}" for name in classes)])
        for place, (name, truth, fold) in enumerate(
            zip(said.names, said.truth.tolist(), said.fold.tolist(), strict=True)
        ):
            row = said.probabilities[place]
            group = [str(said.groups[place])] if said.groups is not None else []
            answer = [classes[truth], classes[int(row.argmax())], str(row.max())]
            writer.writerow([name, *answer, fold, *group, *map(str, row)])
