"""Frozen training against feature extraction: the time of an epoch of the same recipe, both ways, in one process.

Both train the same head (tests/classifier/test_extraction.py). An epoch is its steps and its validation, from one
`epoch` event to the next; the first is left out, which pays for kernels that torch prepares. What is saved is the
forward pass of the frozen stages: where stages after them are trained too, as with freeze=stage2, their forward and
backward passes remain, and the ratio is bounded by them.
"""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import striate
from bench.measure import spread

ROUNDS, EPOCHS = 5, 3
CASES = (
    ("resnet20", "all", {}, 2_560),
    ("resnet20", "stage2", {}, 2_560),
    ("resnet18", "all", {"size": 64}, 1_280),
)
"""Network, stages to freeze, more of the recipe, and training images: a fifth as many more are validated."""


class Clock(striate.Events):
    """When training began and when each epoch ended."""

    def __init__(self) -> None:
        self.ends: list[float] = []
        self.asked = time.perf_counter()

    def began(self, plan: Any, network: Any) -> None:
        self.preparing = time.perf_counter() - self.asked

    def epoch(self, record: Any, outcome: Any, network: Any) -> None:
        self.ends.append(time.perf_counter())

    def seconds(self) -> float:
        """The median epoch, the first left out."""
        return statistics.median(np.diff(self.ends).tolist())


def lines(data: Path) -> Iterator[str]:
    """A line a network: both epochs, their ratio, and what running the frozen stages once cost."""
    images, held, _ = striate.load_images(data / "cifar10.zip").split(seed=0)
    generator = np.random.default_rng(0)
    order, held_order = generator.permutation(len(images)), generator.permutation(len(held))
    for model, upto, more, count in CASES:
        training, validation = images.select(order[:count]), held.select(held_order[: count // 5])
        recipe = striate.Recipe(model=model, freeze=upto, translation=0, batch_size=128, **more)
        clocked(recipe.changed(epochs=1), training, validation)
        frozen, extracted = [], []
        for _ in range(ROUNDS):
            frozen.append(clocked(recipe.changed(epochs=EPOCHS), training, validation))
            extracted.append(clocked(recipe.changed(epochs=5 * EPOCHS, extract=True), training, validation))
        name = f"{model} at {more.get('size', 32)} px, freeze={upto}, {count:,} images"
        ratios = [one.seconds() / other.seconds() for one, other in zip(frozen, extracted, strict=True)]
        yield f"{name}: epoch of frozen training / epoch of extraction: {spread(ratios, 1)}"
        yield f"{name}: frozen training {spread([one.seconds() for one in frozen])} s an epoch"
        yield f"{name}: extraction {spread([one.seconds() for one in extracted], 4)} s an epoch"
        once = [other.preparing - one.preparing for one, other in zip(frozen, extracted, strict=True)]
        yield f"{name}: running the frozen stages once {spread(once)} s"


def clocked(recipe: striate.Recipe, training: striate.Images, validation: striate.Images) -> Clock:
    """One run, timed."""
    clock = Clock()
    striate.Classifier(recipe).fit(training, validation=validation, events=[clock])
    return clock
