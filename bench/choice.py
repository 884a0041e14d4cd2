"""The CIFAR-10 recipe on the usual split, judged on its validation images: what its epochs can be chosen by.

The test images stay closed. The recipe itself then trains on all but 500 of the other 50,000.
"""

from collections.abc import Iterator
from pathlib import Path

import striate
from recipes.compact_cifar10 import SETTINGS

EPOCHS = (16, 18)


def lines(data: Path) -> Iterator[str]:
    """Validation accuracy and time of each number of epochs, one seed."""
    train, validation, _ = striate.load_images(data / "cifar10.zip").split(seed=0)
    for epochs in EPOCHS:
        recipe = striate.Recipe(**{**SETTINGS, "epochs": epochs, "calibrate": "none"})
        history = striate.Classifier(recipe).fit(train, validation=validation).history_
        accuracy, learned = (history[-1][part]["accuracy"] for part in ("validation", "train"))
        seconds = sum(record["seconds"] for record in history)
        yield (
            f"compact_cifar10 on {len(train):,} images, {epochs} epochs: {accuracy:.2%} of {len(validation):,}"
            f" validation images; {learned:.1%} of the training images as it met them; {seconds:,.0f} s"
        )
