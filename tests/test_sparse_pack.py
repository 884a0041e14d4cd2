"""Training on a pack that is larger than memory: what is read does not stay."""

import subprocess
import sys
from pathlib import Path

import pytest

TRAINED = """
import sys
from itertools import islice
import numpy as np
from striate import Recipe, create_model
from striate.classifier.prediction import Predictor
from striate.data.batches import Batches
from striate.pixels import Preparation
from striate.training.optimiser import create_optimiser
from striate.training.step import take_step

side, size = 64, int(sys.argv[2])
count = size // (side * side * 3)
shape = (count, side, side, 3)
np.lib.format.open_memmap(sys.argv[1], mode="w+", dtype=np.uint8, shape=shape).flush()
pixels = np.asarray(np.load(sys.argv[1], mmap_mode="r"))

def peak():
    lines = (line.split() for line in open("/proc/self/status"))
    return next(int(line[1]) for line in lines if line[0] == "VmHWM:") // 1024

recipe = Recipe(model="mlp", optimiser="sgd", precision="float32")
network = create_model("mlp", classes=10, channels=3, size=(side, side)).train()
optimiser = create_optimiser(network, recipe)
preparation = Preparation(height=side, width=side, channels=3, depth="uint8")
labels = np.arange(count) % 10
batches = Batches(pixels, np.arange(count), labels, preparation, batch_size=256, seed=0, translation=2)
predictor = Predictor(network, preparation, tuple("0123456789"))
peaks = []
for steps in (20, 200):
    for batch in islice(batches.epoch(0), steps):
        take_step(network, optimiser, recipe, batch)
    predictor.of_rows(pixels, np.random.default_rng(steps).integers(0, count, 40 * steps))
    peaks.append(peak())
print(*peaks)
"""


@pytest.mark.slow
def test_the_peak_does_not_grow_with_what_is_read(tmp_path: Path) -> None:
    """Ten times the steps over a file of 30 GB, which is mostly a hole; 0.7 GB of it are read in the end."""
    path = tmp_path / "pixels.npy"
    done = subprocess.run(
        [sys.executable, "-c", TRAINED, str(path), str(30 * 10**9)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert path.stat().st_size >= 29 * 10**9
    few, many = map(int, done.stdout.split())
    assert many - few < 100, f"{few} MiB after 20 steps, {many} after 200"
    assert many < 2048
