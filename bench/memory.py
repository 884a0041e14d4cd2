"""Memory: prediction over a long stream, training with less of it, and training on a pack that is larger."""

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import torch
import torch.nn.functional as F

import striate
from bench.measure import own_peak, peak_memory, scratch
from bench.measure import striate as command

SIZES = (1_000, 10_000)
NETWORK, SIDE, BATCH = "resnet18", 224, 64
WAYS = {
    "whole": {},
    "recomputed": {"recompute": True},
    "recomputed, in 4 parts": {"recompute": True, "accumulate": 4},
}
PACK, PACKED_SIDE, STEPS = 30 * 10**9, 64, (20, 200)


def lines(data: Path) -> Iterator[str]:
    """Peaks of `striate predict` over a thousand and ten thousand files, of training in three ways, and on 30 GB."""
    with scratch() as name:
        yield from predicting(data, Path(name))
        yield from training()
        yield from on_large_pack(Path(name))


def predicting(data: Path, folder: Path) -> Iterator[str]:
    """Peak memory of `striate predict` over a thousand and over ten thousand files."""
    command("train", "digits", "--epochs", "1", "--out", str(folder / "run"), "--quiet")
    peaks = []
    for size in SIZES:
        pictures = folder / str(size)
        with ZipFile(data / "mnist.zip") as archive:
            members = [member for member in archive.namelist() if member.endswith(".png")][:size]
            archive.extractall(pictures, members)
        peaks.append(peak_memory("predict", str(folder / "run"), str(pictures), "--json"))
        yield f"predict over {size:,} PNG files: peak {peaks[-1]:,.0f} MiB"
    yield f"ten times the files / once: {peaks[1] / peaks[0]:.3f}"


def training() -> Iterator[str]:
    """What a step leaves for the way back, as counted, and the peak of a process that trains for three steps."""
    for way, fields in WAYS.items():
        found = apart("step", json.dumps(fields))
        yield (
            f"{NETWORK} at {SIDE}, batch {BATCH}, {way}: saved for the way back {found['saved']:,.0f} MiB, "
            f"peak of the process {found['peak']:,.0f} MiB, of which {found['before']:,.0f} before the first step; "
            f"{found['seconds']:.1f} s a step"
        )


def on_large_pack(folder: Path) -> Iterator[str]:
    """Peak memory after some, and after ten times as many, steps over random rows of a file of 30 GB, and answers."""
    found = apart("pack", str(folder / "pixels.npy"))
    for steps, peak in zip(STEPS, found["peaks"], strict=True):
        yield f"{steps} steps and {steps // 2} batches of answers from a pack of 30 GB: peak {peak:,.0f} MiB"


def apart(task: str, *words: str) -> dict:
    """What a process of its own found."""
    line = [sys.executable, "-m", "bench.memory", task, *words]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(line)} failed: {done.stderr}")
    return json.loads(done.stdout)


def step(fields: str) -> dict[str, float]:
    """Three steps of the network on noise, through the classifier."""
    recipe = striate.Recipe(
        model=NETWORK, size=SIDE, batch_size=BATCH, epochs=1, optimiser="sgd", calibrate="none"
    )
    recipe = recipe.changed(keep="last", device="cpu", **json.loads(fields))
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (3 * BATCH + 4, SIDE, SIDE, 3), dtype=np.uint8)
    labels = np.arange(len(images)) % 2
    watch = Watch()
    classifier = striate.Classifier(recipe).fit(
        images[4:], labels[4:], validation=(images[:4], labels[:4]), events=[watch]
    )
    inputs = striate.to_input(images[:4], classifier.preparation_)
    memory = striate.step_memory(classifier.network_, inputs, classifier.recipe_)
    taken = classifier.recipe_
    part = -(-BATCH // taken.accumulate)
    held = memory.kept + memory.inside if taken.recompute else memory.saved
    return {
        "saved": part * held / 2**20,
        "peak": watch.after,
        "before": watch.before,
        "seconds": classifier.history_[-1]["seconds"] / 3,
    }


class Watch(striate.Events):
    """The peak of this process before the first step and after the last one."""

    def __init__(self) -> None:
        self.before = self.after = 0.0

    def began(self, plan: object, network: object) -> None:
        self.before = own_peak()

    def step(self, progress: object, loss: float, rate: float) -> None:
        self.after = own_peak()


def pack(path: str) -> dict[str, list[float]]:
    """Steps over random rows of a file that is mostly a hole, and answers for others of them."""
    count = PACK // (PACKED_SIDE**2 * 3)
    shape = (count, PACKED_SIDE, PACKED_SIDE, 3)
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape).flush()
    pixels = np.asarray(np.load(path, mmap_mode="r"))
    random = np.random.default_rng(0)
    few = random.integers(0, 256, (64, *shape[1:]), dtype=np.uint8)
    classifier = striate.Classifier(striate.Recipe(model="mlp", epochs=1)).fit(few, np.arange(64) % 2)
    preparation, labels = classifier.preparation_, np.arange(count) % 2
    batches = striate.Batches(
        pixels, np.arange(count), labels, preparation, batch_size=256, seed=0, translation=2
    )
    network = classifier.network_.train()
    optimiser = torch.optim.SGD(network.parameters(), lr=1e-3)
    peaks = []
    for steps in STEPS:
        for batch in islice(batches.epoch(0), steps):
            optimiser.zero_grad()
            F.cross_entropy(network(batch.inputs), batch.labels).backward()
            optimiser.step()
        rows = random.integers(0, count, steps // 2 * classifier.predictor_.batch_size)
        classifier.predictor_.of_rows(pixels, rows)
        peaks.append(own_peak())
    return {"peaks": peaks}


if __name__ == "__main__":
    print(json.dumps({"step": step, "pack": pack}[sys.argv[1]](sys.argv[2])))
