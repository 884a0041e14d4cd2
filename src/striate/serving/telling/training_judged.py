"""What an evaluation found, for the page: the confusion matrix, the worst errors, and the images behind one cell."""

import csv
import heapq
import json
from itertools import islice
from pathlib import Path
from typing import Any

from striate.serving.refusals import Refusal

WIDEST = 64
"""Classes up to which the whole confusion matrix is sent."""
PAIRS, WORST, IN_CELL = 12, 24, 24
COMMAND = "striate evaluate RUN"


def judged(run: Path) -> dict[str, Any] | None:
    """The parts of `evaluation.json` that the page draws; None where the run has not been evaluated."""
    try:
        told = json.loads(
            (run / "evaluation.json").read_text(encoding="utf8"), parse_constant=lambda word: None
        )
        classes, matrix = told["classes"], told["confusion_matrix"]
        accuracy = told["accuracy"]
        return {
            "classes": classes,
            "split": told["split"],
            "n": accuracy["n"],
            "accuracy": [accuracy["value"], accuracy["low"], accuracy["high"]],
            "matrix": matrix if len(classes) <= WIDEST else None,
            "shares": shares(matrix) if len(classes) <= WIDEST else None,
            "confused": confused(classes, matrix),
            "worst": (told["most_wrong"] if "most_wrong" in told else worst(run))[:WORST],
            "mistakes": sum(map(sum, matrix)) - sum(row[place] for place, row in enumerate(matrix)),
            "created": told.get("created"),
        }
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None


def shares(matrix: list[list[int]]) -> list[list[float]]:
    """Each count as a share of its row; 0 where a class has no image.

    >>> shares([[3, 1], [0, 0]])
    [[0.75, 0.25], [0.0, 0.0]]
    """
    return [[count / (sum(row) or 1) for count in row] for row in matrix]


def confused(classes: list[str], matrix: list[list[int]]) -> list[dict[str, Any]]:
    """The pairs of classes that are taken for each other most often."""
    found = (
        (count, row, column)
        for row, counts in enumerate(matrix)
        for column, count in enumerate(counts)
        if count and row != column
    )
    return [
        {"truth": classes[row], "predicted": classes[column], "count": count, "of": sum(matrix[row])}
        for count, row, column in heapq.nsmallest(PAIRS, found, key=lambda one: (-one[0], one[1], one[2]))
    ]


def worst(run: Path) -> list[dict[str, Any]]:
    """The wrong answers of the table of predictions that gave the truth least."""
    try:
        wrong = [row for row in predictions(run) if row["truth"] != row["prediction"]]
        images = [
            {
                "source": row["source"],
                "truth": row["truth"],
                "predicted": row["prediction"],
                "probability": float(row["probability"]),
                "truth_probability": float(row[f"p:{row['truth']}"]),
            }
            for row in wrong
        ]
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return []
    return heapq.nsmallest(WORST, images, key=lambda image: image["truth_probability"])


def predictions(run: Path) -> list[dict[str, str]]:
    """The rows of the table of predictions."""
    with (run / "predictions.csv").open(newline="", encoding="utf8", errors="replace") as file:
        return list(csv.DictReader(file))


def images_in_cell(run: Path, truth: str, predicted: str) -> dict[str, Any]:
    """The images of one cell of the confusion matrix, the surest answers first; Refusal 404 without a table of them."""
    try:
        rows = [
            {"source": row["source"], "probability": float(row["probability"])}
            for row in predictions(run)
            if row["truth"] == truth and row["prediction"] == predicted
        ]
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        raise Refusal(
            404, "The run has no table of predictions that can be read.", advice=f"Evaluate it: {COMMAND}"
        ) from None
    rows.sort(key=lambda row: -row["probability"])
    return {"truth": truth, "predicted": predicted, "count": len(rows), "images": list(islice(rows, IN_CELL))}
