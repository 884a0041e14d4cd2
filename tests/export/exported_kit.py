"""Files made of untrained networks, beside the predictor that they must agree with, and pictures of every kind."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from striate.classifier.prediction import Predictor
from striate.evaluation.decisions.calibration import Calibration
from striate.export.answering import Answering
from striate.export.onnx_file import onnx_answers, write_onnx
from striate.export.parity import Asking, Example
from striate.export.preparing import Preparing
from striate.models import create_model
from striate.pixels import Preparation
from striate.pixels.picture import Description, Picture
from striate.pixels.preparation import FILE_WINDOW
from striate.pixels.raw import LARGEST, raw_values
from striate.pixels.windowing import parse_window

FACTS = {"striate_version": "0", "notice": "For research; not a medical device.", "classes": ["a", "b"]}
CLASSES = ("owl", "cat", "newt", "bat", "elk")
KINDS: dict[str, list[tuple[str, int]]] = {
    "uint8": [(depth, channels) for depth in ("uint8", "uint16") for channels in (1, 3)],
    "uint16": [(depth, channels) for depth in ("uint8", "uint16") for channels in (1, 3)],
    "int16": [("int16", 1)],
    "float32": [(depth, channels) for depth in ("uint8", "uint16", "float32") for channels in (1, 3)],
    "windowed": [("uint8", 1), ("uint16", 1), ("int16", 1), ("float32", 1), ("uint8", 3), ("uint16", 3)],
}  # fmt: skip
"""The depths and channels that a run of each kind takes."""


@dataclass(frozen=True, eq=False)
class Case:
    """An exported file and what it was made of."""

    predictor: Predictor
    answering: Answering
    path: Path
    ask: Asking


def answering_for(predictor: Predictor) -> Answering:
    """The module that the file is made from."""
    preparation = predictor.preparation
    window = preparation.window
    named = None if window in (None, FILE_WINDOW) else parse_window(window)
    _, rows, columns = preparation.input_shape()
    return Answering(
        Preparing(preparation, None if named is None else (named.centre, named.width)),
        predictor.network,
        views=predictor.views,
        patch=(rows, columns),
        calibration=None if predictor.calibration is None else predictor.calibration.to_dict(),
    )


def predictor_for(
    preparation: Preparation, model: str, views: Any = "one", calibration: Calibration | None = None
) -> Predictor:
    """An untrained network, its logits spread out so that probabilities tell something."""
    torch.manual_seed(7)
    channels, rows, columns = preparation.input_shape()
    network = create_model(model, classes=len(CLASSES), channels=channels, size=(rows, columns)).eval()
    return Predictor(network, preparation, CLASSES, views=views, calibration=calibration)


def case(folder: Path, preparation: Preparation, model: str, **options: Any) -> Case:
    """A file of an untrained network."""
    predictor = predictor_for(preparation, model, **options)
    path, answering = folder / f"{model}.onnx", answering_for(predictor)
    write_onnx(answering, path, FACTS, LARGEST[preparation.depth])
    return Case(predictor, answering, path, onnx_answers(path))


def picture(generator: np.random.Generator, depth: str, channels: int, shape: tuple[int, int]) -> Picture:
    """Noise over all values of a depth; every fifth picture has two values."""
    size = (*shape, channels)
    low, high = {"uint8": (0, 256), "uint16": (0, 65536), "int16": (-2000, 3000), "float32": (0, 1)}[depth]
    if depth == "float32":
        return Picture(generator.random(size, dtype=np.float32), Description(*shape, channels, depth))
    pixels = generator.integers(low, high, size)
    if generator.integers(5) == 0:
        pixels = np.where(pixels % 2 == 0, low, high - 1)  # many sums fall on a half
    return Picture(pixels.astype(depth), Description(*shape, channels, depth))


def examples(
    predictor: Predictor, pictures: list[Picture], names: list[str] | None = None
) -> Iterator[Example]:
    """Pictures with what the predictor makes of them."""
    preparation = predictor.preparation
    scale, offset = preparation.affine()
    prepared = [preparation.pixels(one.pixels, one.description.window) for one in pictures]
    said = predictor.probabilities(np.stack(prepared))
    for number, (one, pixels) in enumerate(zip(pictures, prepared, strict=True)):
        values, full_scale = raw_values(one, preparation)
        yield Example(
            name=names[number] if names else f"picture {number}",
            pixels=values,
            full_scale=full_scale,
            depth=str(one.pixels.dtype),
            prepared=np.ascontiguousarray((pixels * scale + offset).transpose(2, 0, 1)),
            probabilities=said[number],
        )


def mixed(kind: str, count: int, seed: int = 0, largest: int = 64) -> list[Picture]:
    """Pictures of all depths and channels that a kind of run takes, in sizes from one pixel up."""
    generator = np.random.default_rng([seed, count])
    kinds = KINDS[kind]
    sizes = [tuple(generator.integers(1, largest, 2).tolist()) for _ in range(8)]
    return [
        picture(generator, *kinds[number % len(kinds)], sizes[generator.integers(len(sizes))])
        for number in range(count)
    ]
