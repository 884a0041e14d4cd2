"""The peak rates that AdamW bears in each network: what `Entry.learning_rate` rests on. Half an hour on two cores."""

from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import numpy as np

import striate

RATES = (1e-4, 3e-4, 1e-3, 2e-3, 5e-3, 1e-2)
FEW = (3e-4, 1e-3, 2e-3)
"""For networks that take minutes a rate, around what their smaller kin bear."""
NETWORKS = {
    "resnet20": (32, RATES),
    "resnet18": (32, RATES),
    "googlenet": (32, RATES),
    "googlenet2014": (31, RATES),
    "alexnet": (63, RATES),
    "alexnet2012": (63, RATES),
    "zfnet": (47, RATES),
    "resnet56": (32, RATES),
    "vgg11": (32, RATES),
    "vgg11_bn": (32, RATES),
    "resnet50": (32, RATES),
    "vgg16": (32, FEW),
    "vgg16_bn": (32, FEW),
    "resnet18_small": (32, FEW),
}
"""The side of the images, the smallest that makes sense, and the rates that are tried."""
TRAINING, VALIDATION = 2_000, 500
RECIPE = striate.Recipe(epochs=2, batch_size=64, keep="last")
Arrays = tuple[np.ndarray, np.ndarray]


def lines(data: Path) -> Iterator[str]:
    """Loss and accuracy on validation images by rate, a line a network."""
    training, validation = pictures(data / "cifar10.zip")
    yield (
        f"{TRAINING:,} images of CIFAR-10, {RECIPE.epochs} epochs in batches of {RECIPE.batch_size}, AdamW,"
        f" onecycle; training loss, auxiliary heads' included, and accuracy on {VALIDATION} others by peak rate"
    )
    for name, (side, rates) in NETWORKS.items():
        ends = [outcome(name, side, rate, training, validation) for rate in rates]
        yield f"{name} at {side}: " + ", ".join(
            f"{rate:g} {end}" for rate, end in zip(rates, ends, strict=True)
        )


def pictures(archive: Path) -> tuple[Arrays, Arrays]:
    """Training images of the archive, drawn once and for all; the first ones to train on, the others to judge."""
    with ZipFile(archive) as found:
        names = sorted(name for name in found.namelist() if name.startswith("cifar10/train/"))
        drawn = np.random.default_rng(0).permutation(len(names))[: TRAINING + VALIDATION]
        pixels = np.stack([striate.read_image(found.read(names[index])) for index in drawn])
    labels = np.array([names[index].split("/")[2] for index in drawn])
    return (pixels[:TRAINING], labels[:TRAINING]), (pixels[TRAINING:], labels[TRAINING:])


def outcome(name: str, side: int, rate: float, training: Arrays, validation: Arrays) -> str:
    """How a training with this rate ends: `1.53 46 %`, or that it does not."""
    recipe = RECIPE.changed(model=name, size=side, learning_rate=rate)
    try:
        last = striate.Classifier(recipe).fit(*training, validation=validation).history_[-1]
    except striate.TrainingError:
        return "diverged"
    return f"{last['train']['loss']:.2f} {100 * last['validation']['accuracy']:.0f} %"
