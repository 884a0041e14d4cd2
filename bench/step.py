"""The epoch of `lesson` on CIFAR-10 against the bare training step of the same network on one resident batch.

The bare step is the best that torch gives here: the allocator tuned as in training, channels last, a fused optimiser,
and of float32 and bfloat16 the faster one of each round.
"""

import os
import random
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch.utils.data import DataLoader, Dataset

import striate
from bench.measure import own_peak, seconds, spread

ROUNDS, IMAGES, BATCH, STEPS = 11, 12_800, 128, 60


def lines(data: Path) -> Iterator[str]:
    """Images a second of epoch and bare step, alternating; then a plain torch DataLoader on the same work."""
    train, validation, _ = striate.load_images(data / "cifar10.zip").split(seed=0)
    few = validation.select(np.arange(0, len(validation), 10))
    train = train.select(np.random.default_rng(0).permutation(len(train))[:IMAGES])
    rates, bare, plain = [], [best_bare_rate()], []
    for _ in range(ROUNDS):
        rates.append(epoch_rate(train, few))
        bare.append(best_bare_rate())
    around = [(before + after) / 2 for before, after in pairwise(bare)]
    names = [f"cifar10/train/{name.split('/', 1)[1]}" for name in train.names]
    for _ in range(2):
        plain.append(loader_rate(data / "cifar10.zip", names, train.labels))
    yield f"epoch, data included: {spread(rates, 0)} images/s"
    yield f"best bare step, same network, one resident batch, allocator tuned: {spread(bare, 0)} images/s"
    ratios = [rate / beside for rate, beside in zip(rates, around, strict=True)]
    yield f"epoch / bare step before and after it: {spread(ratios)}"
    yield f"plain torch DataLoader (2 workers, Pillow from the zip), same network and work: {spread(plain, 0)} images/s"
    middle = float(np.median(rates))
    yield f"epoch / plain torch DataLoader: {spread([middle / p for p in plain], 2)}"
    yield f"peak memory of all of this in one process: {own_peak():,.0f} MiB"


def epoch_rate(train: striate.Images, validation: striate.Images) -> float:
    """Images a second over an epoch with translation and reflection, as `history.jsonl` states it.

    The second epoch: the first pays once for kernels that torch prepares for each new shape, as the bare step's
    warm-up does.
    """
    recipe = striate.Recipe(model="lesson", epochs=2, batch_size=BATCH, translation=2, reflection=True)
    classifier = striate.Classifier(recipe).fit(train, validation=validation)
    return classifier.history_[1]["train"]["images_per_s"]


def best_bare_rate() -> float:
    """Images a second of the bare step in the faster of float32 and bfloat16."""
    return max(bare_rate(reduced) for reduced in (False, True))


def bare_rate(reduced: bool) -> float:
    """Images a second of forward, backward and optimiser step on one batch; in bfloat16 if `reduced`."""
    network = striate.create_model("lesson", classes=10, channels=3, size=(32, 32)).train()
    network.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)
    inputs = torch.randn(BATCH, 3, 32, 32).to(memory_format=torch.channels_last)
    labels = torch.randint(0, 10, (BATCH,))

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=reduced):
            logits = network(inputs)
        F.cross_entropy(logits.float(), labels).backward()
        optimiser.step()

    for _ in range(5):
        step()
    return BATCH * STEPS / seconds(lambda: [step() for _ in range(STEPS)])


class Files(Dataset[tuple[torch.Tensor, int]]):
    """The same JPEG files decoded with Pillow each time, translated and mirrored one by one."""

    def __init__(self, archive: Path, names: list[str], labels: np.ndarray) -> None:
        self.archive, self.names, self.labels = archive, names, labels
        self.zip: ZipFile | None = None

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        self.zip = self.zip or ZipFile(self.archive)
        with Image.open(BytesIO(self.zip.read(self.names[index]))) as image:
            pixels = (
                torch.from_numpy(np.asarray(image.convert("RGB")).copy()).permute(2, 0, 1).float().div_(255)
            )
        padded = F.pad(pixels, (2, 2, 2, 2))
        top, left = random.randrange(5), random.randrange(5)
        cut = padded[:, top : top + 32, left : left + 32]
        cut = cut.flip(2) if random.random() < 0.5 else cut
        return (cut - 0.47) / 0.25, int(self.labels[index])


def loader_rate(archive: Path, names: list[str], labels: np.ndarray) -> float:
    """Images a second of the loop that tutorials show: DataLoader with workers, default memory format."""
    network = striate.create_model("lesson", classes=10, channels=3, size=(32, 32)).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)
    loader = DataLoader(
        Files(archive, names, labels), BATCH, shuffle=True, num_workers=min(2, os.cpu_count() or 1)
    )

    def epoch() -> None:
        for inputs, targets in loader:
            optimiser.zero_grad()
            F.cross_entropy(network(inputs), targets).backward()
            optimiser.step()

    return len(names) / seconds(epoch)
