"""The papers' changes to a network, one at a time: LeNet-5 on 6,000 images of MNIST, all else equal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import striate
from bench.measure import spread

IMAGES, SEEDS = 6_000, 3
RECIPE = striate.Recipe(model="lenet5", epochs=3, keep="last")
VARIANTS: dict[str, dict[str, Any]] = {
    "tanh (its own)": {},
    "ReLU": {"activation": "relu"},
    "sigmoid": {"activation": "sigmoid"},
    "tanh, batch normalisation": {"batch_norm": True},
    "ReLU, batch normalisation": {"activation": "relu", "batch_norm": True},
    "sigmoid, batch normalisation": {"activation": "sigmoid", "batch_norm": True},
    "tanh, response normalisation": {"response_norm": True},
    "tanh, overlapping pooling": {"overlapping": True},
}


def lines(data: Path) -> Iterator[str]:
    """Accuracy on validation images after the last of three epochs, and the training loss, over seeds."""
    training, validation, _ = striate.load_images(data / "mnist.zip").split(seed=0)
    training = training.select(np.random.default_rng(0).permutation(len(training))[:IMAGES])
    yield f"lenet5, {len(training):,} images of MNIST, {RECIPE.epochs} epochs, judged on {len(validation):,} others"
    for name, fields in VARIANTS.items():
        ends = [
            last_epoch(RECIPE.changed(seed=seed, **fields), training, validation) for seed in range(SEEDS)
        ]
        accuracy = spread([100 * end["validation"]["accuracy"] for end in ends], 1)
        yield f"{name}: {accuracy} %, training loss {spread([end['train']['loss'] for end in ends], 2)}"


def last_epoch(
    recipe: striate.Recipe, training: striate.Images, validation: striate.Images
) -> dict[str, Any]:
    """What `history.jsonl` says of the last epoch."""
    return striate.Classifier(recipe).fit(training, validation=validation).history_[-1]
