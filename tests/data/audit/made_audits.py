"""Tables of images made of arrays, decoded and ready to be audited."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from striate.data import load_images
from striate.data.audit.material import Material
from striate.data.sources.arrays import ArraySource


def packed(pixels, labels, splits=None, groups=None):
    """The table and the pack of an array of images."""
    images, _, pack = load_images(ArraySource(pixels, [str(label) for label in labels])).packed()
    if splits is not None:
        images = replace(images, splits=np.array(splits, "U10"))
    if groups is not None:
        images = replace(images, groups=np.array(groups))
    return images, pack


def material(pixels, labels, splits=None, groups=None, seed=0):
    """What findings are computed from."""
    images, pack = packed(pixels, labels, splits, groups)
    return Material(images, pack.pixels, pack.facts[images.rows], seed, str)


def noise(count, seed=0, side=16, channels=1):
    """Pictures that have nothing to do with each other."""
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, channels), dtype=np.uint8)


def cifar(folder: Path, count: int, classes: tuple[str, ...] = (), seed: int = 0):
    """Some images of CIFAR-10, as pixels and class names."""
    with zipfile.ZipFile(folder / "cifar10.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")]
        names = [name for name in names if not classes or name.split("/")[-2] in classes]
        chosen = np.random.default_rng(seed).choice(len(names), count, replace=False)
        taken = [names[index] for index in chosen]
        pixels = [np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in taken]
    return np.stack(pixels), np.array([name.split("/")[-2] for name in taken])


def compressed(pixels, quality):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=int(quality))
    return np.asarray(Image.open(file))


def resized(pixels, factor):
    side = round(32 * factor)
    return np.asarray(Image.fromarray(pixels).resize((side, side), 2).resize((32, 32), 2))


def brightened(pixels, factor):
    return np.clip(pixels * factor, 0, 255).astype(np.uint8)


def trimmed(pixels, cut, left, top):
    box = (left, top, 32 - cut + left, 32 - cut + top)
    return np.asarray(Image.fromarray(pixels).crop(box).resize((32, 32), 2))


def edits(random):
    """What people do to a picture without making it another one, each as a function."""
    sign = random.choice([-1, 1])
    return {
        "compressed": lambda picture: compressed(picture, random.integers(60, 91)),
        "resized": lambda picture: resized(picture, 1 + sign * random.uniform(0.1, 0.25)),
        "mirrored": lambda picture: np.ascontiguousarray(picture[:, ::-1]),
        "brightened": lambda picture: np.clip(
            picture * (1 + sign * random.uniform(0.05, 0.2)), 0, 255
        ).astype(np.uint8),
        "trimmed": lambda picture: trimmed(picture, 2, *random.integers(0, 3, 2)),
        "upside down": lambda picture: np.ascontiguousarray(picture[::-1, ::-1]),
        "turned": lambda picture: np.ascontiguousarray(np.rot90(picture)),
        "mirrored and compressed": lambda picture: compressed(np.ascontiguousarray(picture[:, ::-1]), 75),
    }
