"""The epoch of `lesson` against Keras on TensorFlow, alternating on the same files.

`STRIATE_KERAS` names the interpreter of an environment with tensorflow (`pip install tensorflow-cpu`); without it
this bench says so and measures nothing.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import numpy as np

import striate
from bench.measure import scratch, spread
from bench.step import epoch_rate

ROUNDS, IMAGES = 3, 12_800
PEERS = Path(__file__).parent / "peers"


def lines(data: Path) -> Iterator[str]:
    """Images a second of the second epoch, data included, ours and theirs, and the ratio."""
    yield from against(data, words="Keras on TensorFlow", variable="STRIATE_KERAS", script="keras_lesson.py")


def against(data: Path, *, words: str, variable: str, script: str) -> Iterator[str]:
    """The same for any framework whose script prints images a second of the second epoch over a folder."""
    python = os.environ.get(variable)
    if python is None:
        yield f"skipped: set {variable} to the python of an environment with {words}"
        return
    train, validation, _ = striate.load_images(data / "cifar10.zip").split(seed=0)
    train = train.select(np.random.default_rng(0).permutation(len(train))[:IMAGES])
    few = validation.select(np.arange(0, len(validation), 10))
    ours, theirs = [], []
    with scratch() as folder, ZipFile(data / "cifar10.zip") as archive:
        archive.extractall(folder, [f"cifar10/{name}" for name in train.names])
        for _ in range(ROUNDS):
            ours.append(epoch_rate(train, few))
            command = [python, str(PEERS / script), f"{folder}/cifar10/train"]
            theirs.append(
                float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])
            )
    yield f"epoch of lesson, data included: {spread(ours, 0)} images/s"
    yield f"{words}, same network, files and augmentation: {spread(theirs, 0)} images/s"
    yield f"striate / {words}: {spread([a / b for a, b in zip(ours, theirs, strict=True)], 2)}"
