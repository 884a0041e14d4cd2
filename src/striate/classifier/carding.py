"""The model card of a run, README.md beside its report: from what the run's files say, and from nothing else."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.classifier.judging import Judged
from striate.evaluation.reporting.card import Card, render_card
from striate.files import sha256_of, write_atomically
from striate.run import FILES

if TYPE_CHECKING:
    from striate.classifier.classifier import Classifier

NAME = "README.md"
COLUMNS = ("split", "digest", "group")
"""What a card may know of splits.csv: never what a picture is called."""


def write_card(folder: Path, classifier: "Classifier", judged: Judged, evaluated: dict[str, Any]) -> None:
    """Write the card of a verdict on the run's own test images; on any other images there is none to write."""
    if judged.verdict.split == "test":
        card = card_of(folder, classifier, judged, evaluated)
        write_atomically(folder / NAME, render_card(card).encode("utf8", errors="replace"))


def card_of(folder: Path, classifier: "Classifier", judged: Judged, evaluated: dict[str, Any]) -> Card:
    """What a card is made of; `evaluated` is the content of evaluation.json."""
    about = classifier.about_
    digests = {name: sha256_of(folder / name) for name in FILES if (folder / name).is_file()}
    return Card(
        title=Path(judged.images.source.location).stem,
        verdict=judged.verdict,
        files={
            "evaluation.json": evaluated,
            "model.json": {name: value for name, value in about.items() if name != "data"},
            "data.json": about["data"],
            "recipe.json": classifier.recipe_.model_dump(),
            "history.jsonl": classifier.history_,
            "splits.csv": columns(classifier.splits_),
            **({"manifest.json": digests} if digests else {}),
        },
        hidden=about["data"].get("pseudonyms", False) or judged.images.pseudonymous,
    )


def columns(splits: bytes) -> dict[str, list[str]]:
    """The columns of a splits.csv that name no picture.

    >>> columns(b"source,label,split,digest\\nPatient_Smith.png,owl,train,05ec\\n")
    {'split': ['train'], 'digest': ['05ec']}
    """
    rows = list(csv.DictReader(io.StringIO(splits.decode("utf-8", errors="surrogateescape"))))
    return {name: [row[name] for row in rows] for name in COLUMNS if rows and name in rows[0]}
