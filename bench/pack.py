"""Decoding once: 70,000 PNG files in a zip to a pack, and opening that pack again."""

from collections.abc import Iterator
from pathlib import Path

import striate
from bench.measure import scratch, seconds, spread

ROUNDS = 3


def lines(data: Path) -> Iterator[str]:
    """Cold and warm time from a zip to a table whose every image is decoded, and the ratio."""
    import os

    cold, warm = [], []
    for _ in range(ROUNDS):
        with scratch() as cache:
            os.environ["STRIATE_CACHE"] = cache
            cold.append(seconds(lambda: split(data)))
            warm.append(seconds(lambda: split(data)))
    yield f"mnist.zip, 70,000 PNG decoded, packed and split, cold: {spread(cold, 1)} s"
    yield f"the same from the pack: {spread(warm, 2)} s"
    yield f"cold / warm: {spread([c / w for c, w in zip(cold, warm, strict=True)], 1)}"


def split(data: Path) -> None:
    """What every run does before its first step."""
    striate.load_images(data / "mnist.zip").split(seed=0)
