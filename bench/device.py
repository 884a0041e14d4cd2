"""The same recipe on a GPU and on the processor: images a second, time an epoch, and whether both learn alike."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

import striate
from bench.measure import seconds, spread

ROUNDS, BATCH, EPOCHS = 5, 512, 4
ON_PROCESSOR = 10_240
"""Images of the processor's shorter epochs: rates are compared, not times."""


def lines(data: Path) -> Iterator[str]:
    """Rates of training and prediction on the GPU beside the processor's; a sentence where there is no GPU."""
    if not torch.cuda.is_available():
        yield "no GPU that torch reaches through CUDA is here: nothing measured"
        return
    train, validation, _ = striate.load_images(data / "cifar10.zip").split(seed=0)
    few = train.select(np.random.default_rng(0).permutation(len(train))[:ON_PROCESSOR])
    yield f"on {torch.cuda.get_device_name()}, {torch.cuda.get_device_properties(0).total_memory / 2**30:,.0f} GiB"
    mine, theirs, times, accuracies = [], [], [], []
    for seed in range(ROUNDS):
        fitted, taken = trained(train, validation, "cuda", seed)
        mine.append(fitted.history_[-1]["train"]["images_per_s"])
        times.append(taken)
        accuracies.append(fitted.kept_["validation"]["accuracy"])
        there, _ = trained(few, validation.select(np.arange(1000)), "cpu", seed)
        theirs.append(there.history_[-1]["train"]["images_per_s"])
    yield f"compact, {EPOCHS} epochs of CIFAR-10 on the GPU, whole fit: {spread(times, 2)} s"
    yield f"validation accuracy after them: {spread(accuracies)}"
    yield f"training on the GPU: {spread(mine, 0)} images/s; on the processor: {spread(theirs, 0)} images/s"
    yield f"GPU / processor: {spread([one / other for one, other in zip(mine, theirs, strict=True)], 1)}"


def trained(
    images: striate.Images, validation: striate.Images, device: str, seed: int
) -> tuple[striate.Classifier, float]:
    """A classifier fitted on a device, and the seconds that the whole fit took."""
    recipe = striate.Recipe(
        model="compact", epochs=EPOCHS, batch_size=BATCH, seed=seed, reflection=True, device=device
    )
    classifier = striate.Classifier(recipe)
    return classifier, seconds(lambda: classifier.fit(images, validation=validation))
