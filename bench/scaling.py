"""How cost grows: time of each phase, and peak memory, against images, image size, classes and cores.

Every point is a process of its own, given the same kind of made-up pictures: the number of images as small PNG files
in one zip, where reading is what costs; sizes as JPEG files in a folder; classes as arrays in an `.npz`. Memory is
that of the process itself, without its decoders. The exponent is that of cost ~ size ** exponent between the two
largest points, where fixed costs count least: 1 is a straight line, below 1 is better.
"""

import json
import math
import os
import resource
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.measure import scratch

IMAGES = (1_000, 10_000, 100_000, 1_000_000)
SIDES, PHOTOGRAPHS = (32, 64, 128, 224), 600
CLASSES, OF_CLASSES = (2, 10, 100, 1_000), 20_000
CORES, ON_CORES = (1, 2), 60_000
TINY, EPOCHS = 8, 1
PHASES = ("listing", "decoding", "splitting", "epoch", "evaluation")


@dataclass(frozen=True)
class Point:
    """One measurement: where the images are, what is trained on them, on how many cores (0 is all)."""

    source: Path
    recipe: dict[str, Any] = field(default_factory=dict)
    cores: int = 0


def lines(_data: Path) -> Iterator[str]:
    """A line a phase and question: the cost at every point, then the exponent between the last two."""
    with scratch() as name:
        folder = Path(name)
        tiny = {"model": "mlp", "batch_size": 1024}
        yield from grown("images", IMAGES, (Point(zipped(folder, n), tiny) for n in IMAGES))
        photographs = (Point(photographed(folder, side), {"model": "lesson", "size": side}) for side in SIDES)
        yield from grown("pixels a side", SIDES, photographs, power=2)
        yield from grown("classes", CLASSES, (Point(classed(folder, n), tiny) for n in CLASSES))
        crowd = zipped(folder, ON_CORES)
        by_cores = [measured(Point(crowd, tiny | {"model": "lesson"}, cores)) for cores in CORES]
        for phase in PHASES:
            one, two = (found[phase] for found in by_cores)
            told = f"1 core {one:.2f} s, 2 cores {two:.2f} s, {one / two:.2f} times as fast"
            yield f"{phase} of {ON_CORES:,} images: {told}"


def grown(what: str, sizes: Sequence[int], points: Iterator[Point], *, power: int = 1) -> Iterator[str]:
    """Every phase's cost at every size; the exponent is taken of size ** power, such as the pixels of a side."""
    found = [measured(point) for point in points]
    for phase in (*PHASES, "memory"):
        costs = [one[phase] for one in found]
        unit, digits = ("MiB", 0) if phase == "memory" else ("s", 2)
        told = ", ".join(f"{size:,}: {cost:,.{digits}f}" for size, cost in zip(sizes, costs, strict=True))
        yield f"{phase} in {unit} by {what}: {told}; exponent {exponent(sizes, costs) / power:.2f}"


def exponent(sizes: Sequence[int], costs: Sequence[float]) -> float:
    """The slope of log cost over log size between the last two points.

    >>> exponent([1, 10, 100], [5.0, 6.0, 60.0])
    1.0
    """
    return round(math.log(costs[-1] / costs[-2]) / math.log(sizes[-1] / sizes[-2]), 6)


def measured(point: Point) -> dict[str, float]:
    """Seconds of every phase and the peak memory in MiB, in a fresh process with a fresh cache."""
    with scratch() as cache:
        said = json.dumps({"source": str(point.source), "recipe": point.recipe, "cores": point.cores})
        done = subprocess.run(
            [sys.executable, "-m", "bench.scaling", said],
            env={**os.environ, "STRIATE_CACHE": cache},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"{point} failed: {done.stderr}")
    return json.loads(done.stdout)


def phases(source: str, recipe: dict[str, Any], cores: int) -> dict[str, float]:
    """What `measured` tells, found out in this process."""
    if cores:
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:cores]))
    import striate

    class Watch(striate.Events):
        """When training began and when each epoch ended."""

        def __init__(self) -> None:
            self.times: list[float] = []

        def began(self, plan: Any, network: Any) -> None:
            self.times.append(time.perf_counter())

        def epoch(self, record: Any, outcome: Any, network: Any) -> None:
            self.times.append(time.perf_counter())

    chosen = striate.Recipe(epochs=EPOCHS, **recipe)
    marks = [time.perf_counter()]
    images = striate.load_images(source)
    marks.append(time.perf_counter())
    images = images.packed(**chosen.preparing())[0]
    marks.append(time.perf_counter())
    training, validation, tests = images.split(seed=0)
    marks.append(time.perf_counter())
    watch = Watch()
    classifier = striate.Classifier(chosen).fit(training, validation=validation, events=[watch])
    asked = time.perf_counter()
    classifier.evaluate(tests)
    seconds = [*np.diff(marks).tolist(), watch.times[-1] - watch.times[-2], time.perf_counter() - asked]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**dict(zip(PHASES, seconds, strict=True)), "memory": peak}


def zipped(folder: Path, count: int) -> Path:
    """A zip of tiny grey PNG files in ten class folders."""
    path = folder / f"{count}.zip"
    random = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(count):
            rows = np.zeros((TINY, 1 + TINY), np.uint8)
            rows[:, 1:] = random.integers(0, 256, (TINY, TINY))
            archive.writestr(zipfile.ZipInfo(f"{number % 10}/{number:07}.png"), png(rows.tobytes()))
    return path


def png(rows: bytes) -> bytes:
    """A grey picture from its rows, each behind a zero that says it is not filtered (ISO/IEC 15948, section 7.2)."""
    header = struct.pack(">IIBBBBB", TINY, TINY, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def photographed(folder: Path, side: int) -> Path:
    """A folder of JPEG files of one size in two class folders, as of `bench data`."""
    from bench.data import Case, write_pictures

    path = folder / f"photographs-{side}"
    write_pictures(path, Case(side, side, PHOTOGRAPHS, side))
    return path


def classed(folder: Path, classes: int) -> Path:
    """An `.npz` of as many tiny pictures in so many classes."""
    path = folder / f"{classes}-classes.npz"
    images = np.random.default_rng(0).integers(0, 256, (OF_CLASSES, TINY, TINY), dtype=np.uint8)
    np.savez(path, images=images, labels=np.arange(OF_CLASSES) % classes)
    return path


if __name__ == "__main__":
    print(json.dumps(phases(**json.loads(sys.argv[1]))))
