"""A run whose network makes maps, and pictures to ask it about."""

import functools
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from doors import striate_here

QUICK = ("--epochs", "1", "--set", "batch_size=16", "--set", "model=compact", "--set", "size=16")
IMAGES = 160


def write_digits(folder: Path) -> Path:
    """The first of the embedded digits as a folder of class folders."""
    labels = load_digits().target
    for row in range(IMAGES):
        write_digit(folder / str(labels[row]) / f"{row:04d}.png", row)
    return folder


def train_with_maps(data: Path, out: Path) -> Path:
    """A finished run on those digits by a network that makes maps."""
    outcome = striate_here("train", data, "--out", out, *QUICK, "--quiet")
    assert outcome.code == 0, outcome.err
    return out


@functools.cache
def digit(row: int) -> np.ndarray:
    """One of the embedded digits, uint8 0..255, `height width`."""
    return np.rint(load_digits().images[row] * (255 / 16)).astype(np.uint8)


def write_digit(path: Path, row: int) -> Path:
    """The same as a PNG file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(digit(row)).save(path)
    return path


def opened(path: Path) -> np.ndarray:
    """A picture file as an array, and the file closed again."""
    with Image.open(path) as image:
        return np.asarray(image)
