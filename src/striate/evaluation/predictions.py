"""Predictions as a table: one row an image, the probability of every class, no digit lost."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float


def write_predictions(
    path: str | Path,
    sources: Iterable[str],
    truth_names: Iterable[str] | None,
    predicted_names: Iterable[str],
    probabilities: Iterable[Float[np.ndarray, " classes"]] | Float[np.ndarray, "images classes"],
    classes: Sequence[str],
) -> int:
    """Write `source, truth, prediction, probability, p:<class> …` row by row; the number of rows is returned.

    Probabilities are written with the fewest digits that read back to the same float of the same type. The
    iterables may be generators: nothing is gathered. The truth is empty where it is not known. File names
    that are not UTF-8 keep their bytes. ValueError where the iterables differ in length.

    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/predictions.csv"
    >>> write_predictions(path, ["a.png"], ["owl"], ["cat"], np.float32([[0.7, 0.3]]), ["cat", "owl"])
    1
    >>> print(Path(path).read_text())
    source,truth,prediction,probability,p:cat,p:owl
    a.png,owl,cat,0.7,0.7,0.3
    """
    columns = [sources, predicted_names, probabilities, *([] if truth_names is None else [truth_names])]
    rows = 0
    with open(path, "w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["source", "truth", "prediction", "probability", *(f"p:{name}" for name in classes)])
        for source, predicted, row, *truth in zip(*columns, strict=True):
            # str of a numpy float is the shortest text that reads back to the same float of its own type.
            writer.writerow([source, *(truth or [""]), predicted, str(row.max()), *map(str, row)])
            rows += 1
    return rows
