"""Time to an accuracy: ours from the zip, beside the examples that Keras, PyTorch and fastai publish, in turns.

Ours is the wall time of `striate train` on the zip, in a process of its own and with an empty cache; its accuracy is
that of `striate evaluate` on the test images afterwards. Theirs is the wall time of the process to the end of the first
epoch that reaches the accuracy, on arrays decoded beforehand, judging the test images not counted. `STRIATE_KERAS`
and `STRIATE_FASTAI` name the interpreters of their environments (bench/peers/README.md).
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from PIL import Image

from bench.measure import scratch, spread, striate

MNIST_TARGET, MNIST_SEEDS, MNIST_ROUNDS = 0.99, 10, 2
MNIST_COMMAND = (
    *("--epochs", "1", "--set", "batch_size=512", "--set", "width=0.5", "--set", "patch=24"),
    *("--set", "translation=0", "--set", "rescale=true", "--set", "momentum=0.6"),
    *("--set", "schedule=triangular", "--set", "label_smoothing=0.1"),
)
"""As in `recipes/compact_mnist.py`."""
PEERS = Path(__file__).parent / "peers"


@dataclass(frozen=True)
class Example:
    """A published example, where its interpreter is named (none: ours), and what is set against it.

    `epochs`: how many of its own are run, where all of them would take too long.
    """

    words: str
    script: str
    variable: str | None = None
    ours: tuple[str, ...] = MNIST_COMMAND
    rounds: int = MNIST_ROUNDS
    epochs: int | None = None

    @property
    def python(self) -> str | None:
        """The interpreter, or none where its environment is missing."""
        return os.environ.get(self.variable) if self.variable else sys.executable


@dataclass(frozen=True)
class Epoch:
    """Seconds since the process began and share of the test images that are right, when an epoch has ended."""

    epoch: int
    seconds: float
    accuracy: float


MNIST = (
    Example("Keras' simple MNIST convnet", "keras_mnist.py", "STRIATE_KERAS"),
    Example("PyTorch's examples/mnist", "torch_mnist.py"),
)
CIFAR = (
    Example("PyTorch's CIFAR-10 tutorial", "torch_cifar.py", ours=("--epochs", "1"), rounds=3),
    Example("Keras' CNN tutorial", "keras_cifar.py", "STRIATE_KERAS", ("--epochs", "2"), rounds=3),
    Example(
        "fastai's lesson 7, its first two fits (9 of 41 epochs)",
        "fastai_cifar.py",
        "STRIATE_FASTAI",
        ("--epochs", "3"),
        rounds=1,
        epochs=9,
    ),
)


def mnist(data: Path) -> Iterator[str]:
    """Seconds to 99 % of MNIST's test images, ours with ten seeds, then ours and theirs in turns."""
    archive = data / "mnist.zip"
    runs = [trained(archive, (*MNIST_COMMAND, "--seed", str(seed))) for seed in range(MNIST_SEEDS)]
    enough = sum(run.accuracy >= MNIST_TARGET for run in runs)
    yield (
        f"striate train mnist.zip {' '.join(MNIST_COMMAND)}, seeds 0 to {MNIST_SEEDS - 1}:"
        f" {spread([run.seconds for run in runs], 1)} s, test accuracy {percents(runs)}, {enough} at least 99 %"
    )
    yield from compared(MNIST, archive, target=MNIST_TARGET)


def cifar(data: Path) -> Iterator[str]:
    """Seconds to the accuracy at which each example for CIFAR-10 ends, ours and theirs."""
    yield from compared(CIFAR, data / "cifar10.zip", target=None)


def cifar_limit(data: Path) -> Iterator[str]:
    """What a recipe that reaches 94.0 % on CIFAR-10's original pixels reaches on their JPEG form."""
    with scratch() as folder:
        arrays = decoded(data / "cifar10.zip", Path(folder) / "arrays.npz")
        last = followed(Example("airbench", "airbench_cifar.py"), arrays)[-1]
    yield (
        f"cifar10-airbench's recipe, published with 94.0 % on the original pixels: {last.accuracy:.2%} of"
        f" 10,000 test images in JPEG form, {last.epoch} epochs in {last.seconds:,.0f} s"
    )


def compared(examples: Sequence[Example], archive: Path, *, target: float | None) -> Iterator[str]:
    """Each example against ours, turn by turn; without a target, to the accuracy at which the example ends."""
    with scratch() as folder:
        arrays = decoded(archive, Path(folder) / "arrays.npz")
        for example in examples:
            if example.python is None:
                yield f"{example.words}: skipped, set {example.variable} to the python of its environment"
                continue
            ours, theirs = [], []
            for _ in range(example.rounds):
                theirs.append(followed(example, arrays, until=target or 1.0))
                ours.append(trained(archive, example.ours))
            yield from told(example, archive.name, ours, theirs, target)


def told(
    example: Example,
    source: str,
    ours: Sequence[Epoch],
    theirs: Sequence[Sequence[Epoch]],
    target: float | None,
) -> Iterator[str]:
    """The lines of one comparison; a ratio only of turns in which both reached what was asked."""
    goals = [target or epochs[-1].accuracy for epochs in theirs]
    reached = [first(epochs, goal) for epochs, goal in zip(theirs, goals, strict=True)]
    pairs = [
        (own, other)
        for own, other, goal in zip(ours, reached, goals, strict=True)
        if other is not None and own.accuracy >= goal
    ]
    command = " ".join(["striate train", source, *example.ours])
    yield f"{command}: {spread([own.seconds for own in ours], 1)} s, test accuracy {percents(ours)}"
    for epochs in (epochs for epochs, other in zip(theirs, reached, strict=True) if other is None):
        best = max(epoch.accuracy for epoch in epochs)
        yield f"{example.words}: never {target:.0%} in its {len(epochs)} epochs; highest {best:.2%}"
    found = [other for other in reached if other is not None]
    if found:
        numbers = ", ".join(str(other.epoch) for other in found) + ("" if target else f" of {len(theirs[0])}")
        times = spread([other.seconds for other in found], 1)
        yield f"{example.words}: {times} s to {percents(found)}, epoch {numbers}"
    if pairs:
        yield f"{example.words} / striate: {spread([other.seconds / own.seconds for own, other in pairs], 1)}"
    if len(pairs) < len(ours):
        yield f"no ratio from {len(ours) - len(pairs)} of {len(ours)} turns: the accuracy was missed"


def percents(epochs: Sequence[Epoch]) -> str:
    """Median accuracy with range and number, in per cent."""
    return f"{spread([100 * epoch.accuracy for epoch in epochs], 2)} %"


def first(epochs: Sequence[Epoch], goal: float) -> Epoch | None:
    """The first epoch at least so accurate."""
    return next((epoch for epoch in epochs if epoch.accuracy >= goal), None)


def trained(archive: Path, options: Sequence[str]) -> Epoch:
    """Ours: the whole process with nothing prepared, then the test images judged by the run it left."""
    with scratch() as folder:
        run, cache = str(Path(folder) / "run"), Path(folder) / "cache"
        start = time.monotonic()
        striate("train", str(archive), *options, "--out", run, "--quiet", cache=cache)
        seconds = time.monotonic() - start
        found: dict[str, Any] = json.loads(striate("evaluate", run, "--json", cache=cache))
    return Epoch(0, seconds, found["accuracy"]["value"])


def followed(example: Example, arrays: Path, *, until: float = 1.0) -> list[Epoch]:
    """Theirs: what the example said after every epoch, up to the one that was accurate enough."""
    command = [str(example.python), "-W", "ignore", str(PEERS / example.script), str(arrays)]
    command += ["--until", str(until)]
    command += ["--epochs", str(example.epochs)] if example.epochs else []
    command += ["--began", str(time.monotonic())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {done.stderr}")
    return [Epoch(**json.loads(line)) for line in done.stdout.splitlines() if line.startswith("{")]


def decoded(archive: Path, path: Path) -> Path:
    """The zip's images as the arrays that examples begin with, shuffled once; returns the file written."""
    found: dict[str, Any] = {}
    with ZipFile(archive) as files:
        names = sorted(name for name in files.namelist() if not name.endswith("/"))
        classes = sorted({Path(name).parent.name for name in names})
        for part in ("train", "test"):
            chosen = [name for name in names if name.split("/")[1] == part]
            chosen = [chosen[index] for index in np.random.default_rng(0).permutation(len(chosen))]
            images = np.stack([np.asarray(Image.open(BytesIO(files.read(name)))) for name in chosen])
            found[f"{part}_images"] = images.reshape(*images.shape[:3], -1)
            found[f"{part}_labels"] = np.array([classes.index(Path(name).parent.name) for name in chosen])
    np.savez(path, **found)
    return path
