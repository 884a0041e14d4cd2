"""Images a second from a folder of JPEG files to answers: ours, a plain torch loop, and onnxruntime.

All three begin with files and end with one class a picture, in order, with the same network; libraries are imported
and the model is loaded before the clock starts. The torch loop is a tutorial's: Pillow, resized, a batch of 64,
softmax. onnxruntime runs the exported file, which holds the preparation itself and is given decoded pixels.
"""

import time
import zipfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import striate
from bench.data import CASES, write_pictures
from bench.measure import scratch, seconds, spread
from bench.measure import striate as command

ROUNDS, BATCH, SMALL = 5, 64, 10_000
Road = Callable[[list[Path]], list[str]]


def lines(data: Path) -> Iterator[str]:
    """Rates and ratios over many small files and over a few large ones."""
    with scratch() as name:
        folder = Path(name)
        run = folder / "run"
        train(data, run)
        small, large = folder / "small", folder / "large"
        with zipfile.ZipFile(data / "cifar10.zip") as archive:
            archive.extractall(small, [one for one in archive.namelist() if "/test/" in one][:SMALL])
        write_pictures(large, CASES[1])
        yield from compared(run, small, "CIFAR-10 JPEG files of 32 × 32")
        yield from compared(run, large, f"JPEG files of {CASES[1].width} × {CASES[1].height}")


def train(data: Path, run: Path) -> None:
    """A network worth a few steps, and its ONNX file beside it."""
    settings = ("--epochs", "1", "--model", "lesson", "--set", "batch_size=512", "--quiet")
    command("train", str(data / "cifar10.zip"), "--out", str(run), *settings)
    striate.Classifier.load(run).export(run / "model.onnx")


def compared(run: Path, folder: Path, what: str) -> Iterator[str]:
    """All roads by turns, a line each; then the command as a whole."""
    paths = sorted(folder.rglob("*.jpg"))
    classifier = striate.Classifier.load(run)
    roads: dict[str, Road] = {
        "striate": lambda some: [answer.label or "" for answer in classifier.answers(some)],
        "plain torch loop": plain_loop(classifier),
        "onnxruntime": onnx_loop(classifier, run / "model.onnx"),
    }
    rates: dict[str, list[float]] = {name: [] for name in roads}
    said = {name: road(paths[:BATCH]) for name, road in roads.items()}  # all loaded and warm
    for _ in range(ROUNDS):
        for name, road in roads.items():
            started = time.perf_counter()
            said[name] = road(paths)
            rates[name].append(len(paths) / (time.perf_counter() - started))
    ours = rates.pop("striate")
    yield f"{len(paths):,} {what}, striate: {spread(ours, 0)} images/s"
    for name, theirs in rates.items():
        ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
        same = np.mean([one == other for one, other in zip(said["striate"], said[name], strict=True)])
        yield (
            f"{len(paths):,} {what}, {name}: {spread(theirs, 0)} images/s, striate / it: {spread(ratios, 2)}, "
            f"the same class for {same:.2%}"
        )
    whole = [seconds(lambda: command("predict", str(run), str(folder), "--csv")) for _ in range(3)]
    yield f"{len(paths):,} {what}, `striate predict --csv` as a whole: {spread(whole, 1)} s"


def plain_loop(classifier: striate.Classifier) -> Road:
    """Pillow and torch, as a tutorial predicts."""
    preparation, network = classifier.preparation_, classifier.network_.eval()
    size = (preparation.width, preparation.height)
    mean, std = (torch.tensor(values)[:, None, None] for values in (preparation.mean, preparation.std))

    def one(path: Path) -> torch.Tensor:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BILINEAR)).copy()
        return (torch.from_numpy(pixels).permute(2, 0, 1).float().div_(255) - mean) / std

    @torch.inference_mode()
    def road(paths: list[Path]) -> list[str]:
        said = []
        for some in batches(paths):
            best = network(torch.stack([one(path) for path in some])).softmax(1).argmax(1)
            said += [classifier.class_names_[number] for number in best.tolist()]
        return said

    return road


def onnx_loop(classifier: striate.Classifier, file: Path) -> Road:
    """Pillow and onnxruntime; the file resizes and normalises."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)
    session: Any = onnxruntime.InferenceSession(file)

    def one(path: Path) -> np.ndarray:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"), dtype=np.float32)

    def road(paths: list[Path]) -> list[str]:
        said = []
        for some in batches(paths):
            chances = session.run(["probabilities"], {"pixels": np.stack([one(path) for path in some])})[0]
            said += [classifier.class_names_[number] for number in chances.argmax(1).tolist()]
        return said

    return road


def batches(paths: list[Path]) -> Iterator[list[Path]]:
    """The paths, 64 at a time."""
    left = iter(paths)
    while some := list(islice(left, BATCH)):
        yield some
