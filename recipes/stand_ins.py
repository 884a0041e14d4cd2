"""Small sources in the form of the real ones, made of the embedded digits: what the smoke form of a recipe runs on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

import striate

WRITERS, CLASSES = 24, 12
OBJECTS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TRAIN, TEST = 14, 4
"""Images a class of the stand-in for CIFAR-10."""


def digits_as(folder: Path) -> str:
    """The embedded digits themselves: white on black, eight pixels a side, no ready-made splits."""
    del folder
    return "digits"


def written_by_hand(folder: Path) -> str:
    """Black on white in colour, as wide as 4:3 asks for, one of each class by every writer."""
    pixels, labels = embedded()
    for label in range(CLASSES):
        for writer in range(1, WRITERS + 1):
            glyph = 255 - pixels[labels == label % 10][writer]
            glyph = glyph if label < 10 else glyph[::-1]
            sheet = np.pad(np.kron(glyph, np.ones((3, 3), np.uint8)), ((3, 3), (8, 8)), constant_values=255)
            name = f"Sample{label + 1:03d}/img{label + 1:03d}-{writer:03d}.png"
            save(folder / name, np.repeat(sheet[..., None], 3, axis=2))
    return str(folder)


def small_objects(folder: Path) -> str:
    """Ten classes of 32 × 32 in colour, with training and test splits."""
    pixels, labels = embedded()
    for number, name in enumerate(OBJECTS):
        tint = np.random.default_rng(number).integers(60, 256, 3)
        for index, glyph in enumerate(pixels[labels == number][: TRAIN + TEST]):
            large = np.kron(glyph, np.ones((4, 4), np.uint8))[..., None]
            split = "train" if index < TRAIN else "test"
            save(folder / split / name / f"{index:04d}.png", (large / 255 * tint).astype(np.uint8))
    return str(folder)


STAND_INS: dict[str, Callable[[Path], str]] = {
    "mnist.zip": digits_as,
    "chars74k_hnd.zip": written_by_hand,
    "cifar10.zip": small_objects,
}


def embedded() -> tuple[np.ndarray, np.ndarray]:
    """The embedded digits `image height width` and their labels."""
    images, _, pack = striate.load_images("digits").packed()
    return np.asarray(pack.pixels)[..., 0], images.labels


def save(path: Path, pixels: np.ndarray) -> None:
    """Write a PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
