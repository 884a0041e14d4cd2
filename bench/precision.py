"""What bfloat16 gains on this processor: images a second of training epochs in it and in float32, data included."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

import striate
from bench.measure import spread

ROUNDS = 3
NETWORKS = (("lesson", None, 128, 3200), ("compact", 1.0, 256, 5120), ("compact", 3.0, 512, 2560))
"""Network, width, images a batch, images an epoch."""


def lines(data: Path) -> Iterator[str]:
    """A line a network, on images of 32 by 32: the two taken in turns."""
    train, validation, _ = striate.load_images(data / "cifar10.zip").split(seed=0)
    few = validation.select(np.arange(0, len(validation), 20))
    order = np.random.default_rng(0).permutation(len(train))
    for name, width, batch, images in NETWORKS:
        part = train.select(order[:images])
        pairs = [
            [epoch_rate(name, width, batch, precision, part, few) for precision in ("bfloat16", "float32")]
            for _ in range(ROUNDS)
        ]
        said = name if width is None else f"{name}, width {width:g}"
        yield f"{said}: bfloat16 / float32: {spread([reduced / full for reduced, full in pairs], 2)}"


def epoch_rate(
    name: str, width: float | None, batch: int, precision: str, train: striate.Images, few: striate.Images
) -> float:
    """Images a second over the second epoch; the first prepares kernels for each new shape."""
    recipe = striate.Recipe.model_validate(
        {"model": name, "width": width, "epochs": 2, "batch_size": batch, "size": 32, "precision": precision}
    )
    history = striate.Classifier(recipe).fit(train, validation=few).history_
    return history[1]["train"]["images_per_s"]
