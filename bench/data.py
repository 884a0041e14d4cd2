"""From JPEG files to batches: decoded into a pack, as a stream, and by a plain torch DataLoader, in one run.

The files are cut from the two photographs that come with scikit-learn, so anyone can make them. Each round drops
them from the system's cache where it can, and starts its own workers: nothing is warm.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

import striate
from bench.measure import scratch, seconds, spread

ROUNDS, BATCH, WORKERS, QUALITY = 3, 64, 2, 90


@dataclass(frozen=True)
class Case:
    """A folder of files of one size, and the size they are prepared to."""

    width: int
    height: int
    count: int
    side: int


CASES = (Case(32, 32, 20_000, 32), Case(1200, 900, 600, 64), Case(2048, 1536, 240, 64))


def lines(_data: Path) -> Iterator[str]:
    """Images a second of every road and their ratios; then the pack against the memory it lies in."""
    for case in CASES:
        with scratch() as name:
            folder = Path(name) / "pictures"
            write_pictures(folder, case)
            yield from decoding_lines(folder, case)
            if case is CASES[0]:
                yield from gather_lines(folder, case)


def decoding_lines(folder: Path, case: Case) -> Iterator[str]:
    """Pack, stream and DataLoader by turns."""
    packed, noted, streamed, plain = [], [], [], []
    for _ in range(ROUNDS):
        plain.append(loader_rate(folder, case))
        with scratch() as cache:
            os.environ["STRIATE_CACHE"] = cache
            packed.append(pack_rate(folder, case))
            first, again = stream_rates(folder, case)
        noted.append(first)
        streamed.append(again)
    what = f"{case.count:,} JPEG files of {case.width} × {case.height}"
    yield f"{what} to {case.side} × {case.side}, plain torch DataLoader: {spread(plain, 0)} images/s"
    named = {
        "packed, with digests and facts": packed,
        "gone through for a stream": noted,
        "streamed": streamed,
    }
    for name, rates in named.items():
        ratios = [rate / base for rate, base in zip(rates, plain, strict=True)]
        yield f"{what}, {name}: {spread(rates, 0)} images/s, / DataLoader: {spread(ratios, 2)}"


def gather_lines(folder: Path, case: Case) -> Iterator[str]:
    """Bytes a second of random batches taken from a pack, against a plain copy of as many bytes."""
    with scratch() as cache:
        os.environ["STRIATE_CACHE"] = cache
        pixels = packing(folder, case, stream=False).pixels
        random = np.random.default_rng(0)
        gathered, copied = [], []
        for _ in range(2 * ROUNDS):
            batches = np.array_split(random.permutation(case.count), case.count // BATCH)
            whole = np.ascontiguousarray(pixels)
            there = np.zeros_like(whole)
            gathered.append(
                pixels.nbytes / 1e9 / seconds(lambda rows=batches: [pixels[part] for part in rows])
            )
            copied.append(pixels.nbytes / 1e9 / seconds(lambda to=there, what=whole: np.copyto(to, what)))
    ratios = [one / two for one, two in zip(gathered, copied, strict=True)]
    yield f"random batches of {BATCH} from the pack: {spread(gathered, 2)} GB/s, / np.copyto: {spread(ratios, 2)}"


def packing(folder: Path, case: Case, *, stream: bool) -> Any:
    """The folder's pack, built or opened."""
    images = striate.load_images(folder)
    return images.packed(size=case.side, fit="stretch", stream=stream)[2]


def pack_rate(folder: Path, case: Case) -> float:
    """Images a second from files to a pack that is safe on the disk."""
    chill(folder)
    return case.count / seconds(lambda: packing(folder, case, stream=False))


def stream_rates(folder: Path, case: Case) -> tuple[float, float]:
    """Images a second of the one pass that keeps no pixels, and of an epoch in random order after it."""
    chill(folder)
    started = time.perf_counter()
    pixels = packing(folder, case, stream=True).pixels
    first = time.perf_counter() - started
    order = np.random.default_rng(0).permutation(case.count)
    chill(folder)
    batches = np.array_split(order, -(-case.count // BATCH))
    again = seconds(lambda: [as_input(block) for block in pixels.blocks(batches)])
    return case.count / first, case.count / again


def as_input(block: np.ndarray) -> torch.Tensor:
    """What the DataLoader's batches are: float, channels first, 0..1."""
    return torch.from_numpy(block).permute(0, 3, 1, 2).float().div_(255)


class Files(Dataset[torch.Tensor]):
    """JPEG files as tutorials read them: Pillow, resized, to a tensor."""

    def __init__(self, folder: Path, side: int) -> None:
        self.paths, self.side = sorted(folder.rglob("*.jpg")), side

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        with Image.open(self.paths[index]) as image:
            small = image.convert("RGB").resize((self.side, self.side), Image.Resampling.BILINEAR)
        return torch.from_numpy(np.asarray(small).copy()).permute(2, 0, 1).float().div_(255)


def loader_rate(folder: Path, case: Case) -> float:
    """Images a second of one shuffled epoch of a DataLoader."""
    chill(folder)
    loader = DataLoader(Files(folder, case.side), BATCH, shuffle=True, num_workers=WORKERS)
    return case.count / seconds(lambda: sum(len(batch) for batch in loader))


def write_pictures(folder: Path, case: Case) -> None:
    """Random cuts of two photographs in two class folders, enlarged where they must be."""
    from sklearn.datasets import load_sample_images

    photographs = [Image.fromarray(image) for image in load_sample_images().images]
    random = np.random.default_rng(0)
    for number in range(case.count):
        photograph = photographs[number % 2]
        height = int(random.integers(200, 400)) if case.width > 64 else int(random.integers(40, 120))
        width = height * case.width // case.height
        left = int(random.integers(photograph.width - width + 1))
        top = int(random.integers(photograph.height - height + 1))
        cut = photograph.crop((left, top, left + width, top + height))
        path = folder / ("building", "flower")[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        cut.resize((case.width, case.height), Image.Resampling.BICUBIC).save(path, quality=QUALITY)


def chill(folder: Path) -> None:
    """Asks the system to forget what it has read, as after a day of other work."""
    for path in folder.rglob("*.jpg"):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
