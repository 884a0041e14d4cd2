"""The same pictures through every door: the numbers must be the same to the last bit."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import striate
from bench.measure import scratch
from bench.measure import striate as command

IMAGES = 1_000


def lines(data: Path) -> Iterator[str]:
    """How many of a thousand MNIST test images have one and the same answer from all three doors."""
    archive = data / "mnist.zip"
    with scratch() as name:
        run = Path(name) / "run"
        command("train", str(archive), "--epochs", "1", "--out", str(run), "--set", "batch_size=1024")
        command("evaluate", str(run))
        classifier = striate.Classifier.load(run)
        evaluated = from_csv(run / "predictions.csv", classifier.class_names_)
        said = map(json.loads, command("predict", str(run), str(archive), "--json").splitlines())
        printed = {inside(answer["source"]): list(answer["probabilities"].values()) for answer in said}
        images = striate.load_images(archive)
        chosen = images.select(np.flatnonzero([name in evaluated for name in images.names]))
        python = dict(zip(chosen.names, classifier.predict_proba(chosen).tolist(), strict=True))
        same = sum(evaluated[source] == printed[source] == python[source] for source in evaluated)
        yield f"identical probabilities from Python, command line and evaluate: {same:,} of {len(evaluated):,}"


def from_csv(path: Path, classes: tuple[str, ...]) -> dict[str, list[float]]:
    """Probabilities by source of evenly spaced rows of a `predictions.csv`."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = rows[:: max(1, len(rows) // IMAGES)][:IMAGES]
    return {row["source"]: [float(row[f"p:{name}"]) for name in classes] for row in chosen}


def inside(source: str) -> str:
    """The name of a member within the archive and its wrapping folder."""
    return source.split("mnist.zip/", 1)[1].split("/", 1)[1]
