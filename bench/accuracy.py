"""Test accuracies that the README states, each from its command."""

import json
from collections.abc import Iterator
from pathlib import Path

from bench.measure import scratch, striate


def lines(data: Path) -> Iterator[str]:
    """MNIST in three epochs, `lesson` on CIFAR-10 in ten."""
    yield verdict("digits", "--epochs", "20")
    yield verdict(str(data / "mnist.zip"), "--epochs", "3")
    yield verdict(str(data / "cifar10.zip"), "--model", "lesson", "--epochs", "10")


def verdict(source: str, *options: str) -> str:
    """Train, evaluate once on the test images, and state accuracy and interval."""
    with scratch() as name:
        run = str(Path(name) / "run")
        striate("train", source, *options, "--out", run, "--quiet")
        found = json.loads(striate("evaluate", run, "--json"))
    accuracy = found["accuracy"]
    words = " ".join([Path(source).name, *options])
    value, low, high = (100 * accuracy[key] for key in ("value", "low", "high"))
    return (
        f"striate train {words}: test accuracy {value:.2f} % ({low:.2f}–{high:.2f}, n = {found['images']:,})"
    )
