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

EPOCHS, SEEDS, IMAGES = 5, 2, 20_000
SHORTER = (2, 3, 4)
"""Epochs of the whole recipe that give the curve of accuracy against time."""
RECIPE = striate.Recipe(
    model="compact",
    epochs=EPOCHS,
    batch_size=512,
    size=32,
    optimiser="muon",
    rescale=True,
    momentum=0.6,
    schedule="triangular",
    reflection="alternating",
    label_smoothing=0.2,
    views="flip",
    keep="last",
    calibrate="none",
)
WITHOUT: dict[str, dict[str, Any]] = {
    "Muon (AdamW in its place)": {"optimiser": "adamw", "rescale": False},
    "Muon (SGD with Nesterov's momentum)": {
        "optimiser": "sgd",
        "rescale": False,
        "momentum": 0.9,
        "nesterov": True,
        "learning_rate": 0.2,
    },
    "kernels of one length (momentum 0.9, one cycle)": {
        "rescale": False,
        "momentum": 0.9,
        "schedule": "onecycle",
    },
    "kernels that begin as copies (He's)": {"initialisation": "he"},
    "a plain first convolution (whitened)": {"whiten": True},
    "alternating reflection (at random)": {"reflection": True},
    "reflection": {"reflection": False, "views": "one"},
    "translation": {"translation": 0},
    "label smoothing": {"label_smoothing": 0.0},
    "batches of 512 (128)": {"batch_size": 128},
    "a falling rate (constant, a third)": {"schedule": "constant", "learning_rate": 0.03},
    "both views in prediction": {"views": "one"},
    "bfloat16 (float32)": {"precision": "float32"},
}


class End(NamedTuple):
    """Validation accuracy at the end of a training, and the seconds its steps took."""

    accuracy: float
    seconds: float


def lines(data: Path) -> Iterator[str]:
    """The whole recipe, its curve, and what is lost without each trick."""
    train, validation, _ = striate.load_images(data / "cifar10.zip").split(seed=0)
    chosen = np.random.default_rng(0).permutation(len(train))[:IMAGES]
    parts = train.select(chosen), validation
    yield f"compact on {IMAGES:,} images of CIFAR-10, judged on {len(validation):,} validation images"
    ends = {epochs: trained(parts, {"epochs": epochs}) for epochs in (*SHORTER, EPOCHS)}
    for epochs, found in ends.items():
        yield f"whole recipe, {epochs} epochs: {words(found)}"
    curve = [mean(found) for found in ends.values()]
    for name, fields in WITHOUT.items():
        found = trained(parts, fields)
        ratios = [time_to(end.accuracy, curve) / end.seconds for end in found]
        yield f"without {name}: {words(found)}; whole recipe to the same / this: {spread(ratios, 2)}"


def trained(parts: tuple[striate.Images, striate.Images], fields: dict[str, Any]) -> list[End]:
    """A training a seed."""
    found = []
    for seed in range(SEEDS):
        classifier = striate.Classifier(RECIPE.changed(seed=seed, **fields))
        history = classifier.fit(parts[0], validation=parts[1]).history_
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
