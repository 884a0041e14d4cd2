"""Every network at its paper's input size: images a second and peak memory, predicting and training.

Each figure is taken in a process of its own, so that peak memory is that network's: torch's import, weights,
activations, and in training the gradients and AdamW's memory. Channels-last; on all cores, and for small networks
also on one, of which the faster is stated. `python -m bench.networks NAME TASK BATCH THREADS` is one such process.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.measure import own_peak

SECONDS = 4.0
"""A figure is the median of the steps that fit into this time, at least three; the quartiles stand beside it."""
WORK = 3.2e10
"""Multiply-adds of a forward pass that a batch may cost: 2 images of VGG-16 at 224, 128 of all small networks."""
ONE_THREAD = 1e8
"""Multiply-adds of an image up to which one thread is tried too; larger networks use all cores, untried."""
LARGEST = 128
TASKS = ("predict", "train")


def lines(_data: Path) -> Iterator[str]:
    """The table, a network a line, sorted as `striate models` lists them."""
    import striate

    yield f"{'network':<16} {'input':>11} {'batch':>5}   " + "   ".join(
        f"{task + ' images/s':>26} {'threads':>7} {'peak MiB':>8}" for task in TASKS
    )
    for name in striate.model_names():
        channels, height, width = striate.model_entry(name).default_input
        batch, threads = batch_of(name), threads_of(name)
        cells = []
        for task in TASKS:
            found = [measured(name, task, batch, count) for count in threads]
            best = max(found, key=lambda one: one["rate"])
            rate = f"{best['rate']:,.1f} ({best['low']:,.1f}–{best['high']:,.1f}, n = {best['n']})"
            cells.append(f"{rate:>26} {best['threads']:>7} {best['peak']:>8,.0f}")
        yield f"{name:<16} {f'{channels}×{height}×{width}':>11} {batch:>5}   " + "   ".join(cells)


def batch_of(name: str) -> int:
    """Images a batch: a power of two within `WORK` multiply-adds."""
    return max(1, min(LARGEST, 2 ** int(WORK / work_of(name)).bit_length() // 2))


def threads_of(name: str) -> list[int]:
    """The thread settings to try."""
    import os

    cores = os.cpu_count() or 1
    return sorted({1, cores}) if work_of(name) <= ONE_THREAD else [cores]


def work_of(name: str) -> int:
    """Multiply-adds of one image at the input size of the network's paper."""
    import striate

    entry = striate.model_entry(name)
    network = striate.create_model(name, classes=entry.default_classes, weights=False)
    return striate.summarize(network, entry.default_input).multiply_adds


def measured(name: str, task: str, batch: int, threads: int) -> dict[str, float]:
    """What one process of its own found."""
    command = [sys.executable, "-m", "bench.networks", name, task, str(batch), str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {done.stderr}")
    return json.loads(done.stdout)


def measure(name: str, task: str, batch: int, threads: int) -> dict[str, float]:
    """Rate of one network in this process, and the peak of its memory."""
    import torch

    torch.set_num_threads(threads)
    step = predicting(name, batch) if task == "predict" else training(name, batch)
    step()
    taken: list[float] = []
    while len(taken) < 3 or sum(taken) < SECONDS:
        start = time.perf_counter()
        step()
        taken.append(time.perf_counter() - start)
    rates = sorted(batch / one for one in taken)
    quartiles = (rates[int(share * (len(rates) - 1))] for share in (0.25, 0.5, 0.75))
    figures = dict(zip(("low", "rate", "high"), quartiles, strict=True)) | {"n": len(rates)}
    return {**figures, "threads": threads, "peak": own_peak()}


def predicting(name: str, batch: int) -> Callable[[], object]:
    """A forward pass without gradients."""
    import torch

    import striate

    entry = striate.model_entry(name)
    network = striate.create_model(name, classes=entry.default_classes).eval()
    network.to(memory_format=torch.channels_last)
    inputs = torch.randn(batch, *entry.default_input).to(memory_format=torch.channels_last)

    def step() -> object:
        with torch.inference_mode():
            return network(inputs)

    return step


def training(name: str, batch: int) -> Callable[[], object]:
    """Forward, backward and AdamW, with the auxiliary heads where the network has any."""
    import torch
    import torch.nn.functional as F

    import striate

    entry = striate.model_entry(name)
    network = striate.create_model(name, classes=entry.default_classes).train()
    network.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=True)
    inputs = torch.randn(batch, *entry.default_input).to(memory_format=torch.channels_last)
    labels = torch.randint(0, entry.default_classes, (batch,))

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        logits, *aside = network.all_logits(inputs)
        loss = F.cross_entropy(logits, labels)
        for more in aside:
            loss = loss + network.auxiliary_weight * F.cross_entropy(more, labels)
        loss.backward()
        optimiser.step()

    return step


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
