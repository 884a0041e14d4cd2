"""What each trick of the fast recipe is worth: CIFAR-10 with one of them taken away at a time, all else equal.

A trick may cost time as well as bring accuracy, so both are put into one figure: how long the whole recipe takes to the
accuracy that the recipe without the trick reaches, against how long that one took. 0.7 says that without the trick the
same accuracy takes 1 / 0.7 times as long. Judged on validation images; the test images stay closed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import striate
from bench.measure import spread

EPOCHS, SEEDS = 5, 3
SHORTER = (2, 3, 4)
"""Epochs of the whole recipe that give the curve of accuracy against time."""
RECIPE = striate.Recipe(
    model="compact",
    epochs=EPOCHS,
    batch_size=512,
    optimiser="muon",
    reflection="alternating",
    whiten=True,
    label_smoothing=0.1,
    views="flip",
    keep="last",
    calibrate="none",
)
WITHOUT: dict[str, dict[str, Any]] = {
    "Muon (AdamW in its place)": {"optimiser": "adamw"},
    "Muon (SGD with Nesterov's momentum)": {"optimiser": "sgd", "nesterov": True, "learning_rate": 0.2},
    "whitened first convolution": {"whiten": False},
    "alternating reflection (at random)": {"reflection": True},
    "reflection": {"reflection": False, "views": "one"},
    "label smoothing": {"label_smoothing": 0.0},
    "batches of 512 (128)": {"batch_size": 128},
    "one cycle (a constant rate, a third)": {"schedule": "constant", "learning_rate": 0.03},
    "both views in prediction": {"views": "one"},
    "bfloat16 (float32)": {"precision": "float32"},
}


class End(NamedTuple):
    """Validation accuracy at the end of a training, and the seconds its steps took."""

    accuracy: float
    seconds: float


def lines(data: Path) -> Iterator[str]:
    """The whole recipe, its curve, and what is lost without each trick."""
    images = striate.load_images(data / "cifar10.zip")
    ends = {epochs: trained(images, {"epochs": epochs}) for epochs in (*SHORTER, EPOCHS)}
    for epochs, found in ends.items():
        yield f"whole recipe, {epochs} epochs: {words(found)}"
    curve = [mean(found) for found in ends.values()]
    for name, fields in WITHOUT.items():
        found = trained(images, fields)
        ratios = [time_to(end.accuracy, curve) / end.seconds for end in found]
        yield f"without {name}: {words(found)}; whole recipe to the same / this: {spread(ratios, 2)}"


def trained(images: striate.Images, fields: dict[str, Any]) -> list[End]:
    """A training a seed."""
    found = []
    for seed in range(SEEDS):
        history = striate.Classifier(RECIPE.changed(seed=seed, **fields)).fit(images).history_
        seconds = sum(record["seconds"] for record in history)
        found.append(End(100 * history[-1]["validation"]["accuracy"], seconds))
    return found


def words(found: list[End]) -> str:
    """Accuracy and time over the seeds."""
    return f"{spread([end.accuracy for end in found], 1)} %, {spread([end.seconds for end in found], 0)} s"


def mean(found: list[End]) -> End:
    """The mean over the seeds."""
    return End(*np.mean(found, axis=0).tolist())


def time_to(accuracy: float, curve: list[End]) -> float:
    """Seconds to an accuracy, between the points of a curve on straight lines, beyond them on the nearest one."""
    points = sorted(curve)
    above = next((place for place, end in enumerate(points) if end.accuracy >= accuracy), len(points) - 1)
    first, last = points[max(above - 1, 0)], points[max(above, 1)]
    slope = (last.seconds - first.seconds) / (last.accuracy - first.accuracy)
    return max(0.0, first.seconds + slope * (accuracy - first.accuracy))
