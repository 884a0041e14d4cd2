"""What each trick of the fast recipe is worth: CIFAR-10 with one of them taken away at a time, all else equal.

A trick may cost time as well as bring accuracy, so both are put into one figure: how long the whole recipe takes to the
accuracy that the recipe without the trick reaches, against how long that one took. 0.7 says that without the trick the
same accuracy takes 1 / 0.7 times as long. Time is told in epochs of the whole recipe, one of which is taken before and
after every training, so that a machine that slows down meanwhile does no harm. Judged on validation images; the test
images stay closed.
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


DECAY = 0.98
"""Of the averaged weights, a step: they remember about 50 of the 195 steps."""
AVERAGED: dict[str, dict[str, Any]] = {
    "the last step's weights (averaged)": {},
    "a falling rate (constant, a third, weights averaged)": {"schedule": "constant", "learning_rate": 0.03},
}
"""What takes the place of a trick where the weights, and their normalisations' statistics, are averaged over steps."""


class Averaging(striate.Events):
    """The exponential moving average of a network's weights and statistics."""

    def began(self, plan: Any, network: Any) -> None:
        self.network = network
        self.averages = {name: value.clone() for name, value in network.state_dict().items()}

    def step(self, progress: Any, loss: float, rate: float) -> None:
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.averages[name].lerp_(value, 1 - DECAY)


class End(NamedTuple):
    """Validation accuracy at the end of a training, and the time it took, in epochs of the whole recipe."""

    accuracy: float
    time: float


def lines(data: Path) -> Iterator[str]:
    """The whole recipe, its curve, and what is lost without each trick."""
    train, validation, _ = striate.load_images(data / "cifar10.zip").split(seed=0)
    chosen = np.random.default_rng(0).permutation(len(train))[:IMAGES]
    trainer = Trainer(train.select(chosen), validation)
    yield f"compact on {IMAGES:,} images of CIFAR-10, judged on {len(validation):,} validation images"
    ends = {epochs: trainer.ends({"epochs": epochs}) for epochs in (*SHORTER, EPOCHS)}
    for epochs, found in ends.items():
        yield f"whole recipe, {epochs} epochs: {words(found)}"
    curve = [End(mean_accuracy(found), float(epochs)) for epochs, found in ends.items()]
    rows = [(name, fields, False) for name, fields in WITHOUT.items()]
    rows += [(name, fields, True) for name, fields in AVERAGED.items()]
    for name, fields, averaged in rows:
        found = trainer.ends(fields, averaged=averaged)
        ratios = [time_to(end.accuracy, curve) / end.time for end in found]
        yield f"without {name}: {words(found)}; whole recipe to the same / this: {spread(ratios, 2)}"
    yield f"an epoch of the whole recipe: {spread(trainer.paces, 1)} s"


class Trainer:
    """Trains on the same images again and again, an epoch of the whole recipe between every two trainings."""

    def __init__(self, train: striate.Images, validation: striate.Images) -> None:
        self.train, self.validation = train, validation
        self.paces: list[float] = []
        self._fit({"epochs": 1})  # the first one waits for more than its steps
        self._epoch()

    def ends(self, fields: dict[str, Any], *, averaged: bool = False) -> list[End]:
        """A training a seed."""
        found = []
        for seed in range(SEEDS):
            averaging = Averaging()
            classifier = self._fit({**fields, "seed": seed}, *([averaging] if averaged else []))
            accuracy = classifier.history_[-1]["validation"]["accuracy"]
            if averaged:
                classifier.network_.load_state_dict(averaging.averages)
                accuracy = classifier.score(self.validation)
            self._epoch()
            found.append(End(100 * accuracy, seconds(classifier) / float(np.mean(self.paces[-2:]))))
        return found

    def _epoch(self) -> None:
        self.paces.append(seconds(self._fit({"epochs": 1})))

    def _fit(self, fields: dict[str, Any], *events: striate.Events) -> striate.Classifier:
        return striate.Classifier(RECIPE.changed(**fields)).fit(
            self.train, validation=self.validation, events=events
        )


def seconds(classifier: striate.Classifier) -> float:
    """Of a training's epochs."""
    return sum(record["seconds"] for record in classifier.history_)


def words(found: list[End]) -> str:
    """Accuracy and time over the seeds."""
    return f"{spread([end.accuracy for end in found], 1)} %, {spread([end.time for end in found], 1)} epochs' time"


def mean_accuracy(found: list[End]) -> float:
    """The mean over the seeds."""
    return float(np.mean([end.accuracy for end in found]))


def time_to(accuracy: float, curve: list[End]) -> float:
    """The time to an accuracy, between the points of a curve on straight lines, beyond them on the nearest one."""
    points = sorted(curve)
    above = next((place for place, end in enumerate(points) if end.accuracy >= accuracy), len(points) - 1)
    first, last = points[max(above - 1, 0)], points[max(above, 1)]
    slope = (last.time - first.time) / (last.accuracy - first.accuracy)
    return max(0.0, first.time + slope * (accuracy - first.accuracy))
